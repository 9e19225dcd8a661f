"""What was added at run time, as libraries of its own: found before the cassettes, in its session alone."""

from collections.abc import Iterator
from weakref import WeakKeyDictionary

from replay_server.cassettes.config import Config
from replay_server.cassettes.library import Library
from replay_server.cassettes.reader import read_cassette
from replay_server.interaction import Interaction
from replay_server.replay.session import Addition, Told

FOLDER = "run-time"
"""Where added interactions seem to lie: their names have no suffix, which those of files have."""

_PREFIX = f"{FOLDER}/"


class Additions:
    """The libraries of what was added, made when they are first asked: `State` knows the texts only."""

    def __init__(self, library: Library) -> None:
        self._cassettes = library
        self._made: WeakKeyDictionary[Told, Library] = WeakKeyDictionary()

    def of(self, session: str, told: Told, everywhere: Told) -> Iterator[Library]:
        """The session's own, then those of all sessions."""
        if told.added:
            yield self._library(told, session)
        if everywhere.added:
            yield self._library(everywhere, "")

    def _library(self, told: Told, session: str) -> Library:
        made = self._made.get(told)
        if made is None or made.config is not self._cassettes.config:
            config: Config = self._cassettes.config
            read = (each for addition in told.added for each in interactions(addition, session))
            made = self._made[told] = Library(FOLDER, (each for each in read if each.id not in told.without), config)
        return made


def cassette_name(number: int, session: str) -> str:
    """What the cassette of an addition is called: `run-time/one/2`, in all sessions `run-time/2`."""
    return "/".join(filter(None, (FOLDER, session, str(number))))


def interactions(addition: Addition, session: str) -> Iterator[Interaction]:
    """The interactions of an addition. Raises CassetteError."""
    return read_cassette(cassette_name(addition.number, session), addition.text.encode())


def is_added(interaction: Interaction) -> bool:
    """Whether an interaction was added at run time. Cassettes that are files have a suffix."""
    return interaction.cassette.startswith(_PREFIX) and not interaction.cassette.endswith((".yaml", ".yml"))
