"""The cassettes that live traffic is recorded into: a file for each interaction, whole at any moment.

The n-th identical request of a session is element n of the sequence, also where answers arrive in another order, and
where several processes record into one directory.
"""

import asyncio
import hashlib
import logging
import re
import unicodedata
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from replay_server.cassettes.file import CassetteFile, Stored, sweep
from replay_server.cassettes.files import Signature, signature
from replay_server.cassettes.inventory import last_text
from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import Keyed, Match, Scope, is_part_of
from replay_server.cassettes.reader import read_cassette, read_response
from replay_server.cassettes.recorded_form import answered_form
from replay_server.cassettes.sameness import same_answer
from replay_server.errors import BadRequest, UsageError
from replay_server.interaction import Answered, Interaction, JsonObject
from replay_server.record.modes import RecordMode
from replay_server.record.recorded_document import is_faithful, raw_form, recorded_document, stored_responses
from replay_server.replay.session import UNTOLD
from replay_server.replay.state import State
from replay_server.replay.tally import Tally
from replay_server.terminal import printable

log = logging.getLogger("replay_server")

_FOLDER = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}"
_NAME = re.compile(rf"{_FOLDER}(/{_FOLDER}){{0,15}}")
_LONGEST_SLUG = 40
_RUNS_REMEMBERED = 100_000

Saved = tuple[str, list[Interaction], Signature | None]
"""A file that was written, what it holds, and what it looks like: who watches the files need not read it again."""


def cassette_folder(directory: Path, cassette: str) -> Path:
    """The folder of a cassette. Raises BadRequest for what is no name, and for a link out of the directory."""
    if not _NAME.fullmatch(cassette):
        raise BadRequest(
            f"{cassette[:128]!r} is not the name of a cassette: 1 to 128 letters, digits, dots, underscores and"
            " hyphens, and no dot in front; folders with / between them",
            code="invalid_cassette",
        )
    folder = directory / cassette
    if not folder.resolve().is_relative_to(directory.resolve()):
        raise BadRequest(f"the cassette {cassette!r} lies outside of {directory}", code="invalid_cassette")
    return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A request that may be recorded: the one at `place` of identical ones in its session, into `cassette`.

    `named`: session or cassette were named, so that somebody says where a run begins.
    """

    asked: Keyed
    session: str
    cassette: str
    named: bool
    place: int
    cassette_existed: bool
    match: Match | None


@dataclass(slots=True)
class _Run:
    """What this process has put into one sequence for one session, place by place.

    `held` answers were there before it. Where `continued`, others have come since it began: it goes on behind them.
    """

    held: int
    continued: bool = False
    added: list[int] = field(default_factory=list)
    replaced: set[int] = field(default_factory=set)

    def takes_place_of_another(self, place: int) -> bool:
        """Whether the sequence had an answer at this place when the run began."""
        return place < self.held and not self.continued

    def at(self, place: int) -> int:
        """Where in the sequence the answer of a place stands, or will stand."""
        return place if self.takes_place_of_another(place) else self.held + bisect_left(self.added, place)

    def has(self, place: int) -> bool:
        """Whether the answer of a place is there."""
        return place in self.replaced or place in self.added


class LiveCassettes:
    """Saves episodes, one at a time, off the loop."""

    def __init__(self, directory: Path, library: Library, state: State, mode: RecordMode, tally: Tally) -> None:
        self._directory = directory
        self._library = library
        self._state = state
        self._mode = mode
        self._tally = tally
        self._existed: dict[str, bool] = {}
        self._runs: OrderedDict[tuple[str, str, bytes], _Run] = OrderedDict()
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="replay-server-recorder")
        if mode is not RecordMode.NONE:
            self._writer.submit(sweep, directory)

    def existed(self, cassette: str) -> bool:
        """Whether the cassette was there before this process recorded into it."""
        if cassette not in self._existed:
            folder = self._directory / cassette
            files = (self._directory / f"{cassette}{suffix}" for suffix in (".yaml", ".yml"))
            self._existed[cassette] = any(file.exists() for file in files) or _has_cassettes(folder)
        return self._existed[cassette]

    async def named_by(self, session: str) -> str | None:
        """The cassette that the session names first: what is recorded in it goes there."""
        told = await self._state.told(session) if session else UNTOLD
        return next(iter(told.cassettes), None)

    async def place(self, asked: Keyed, session: str) -> int:
        """How many identical requests the session has made before."""
        return await self._state.advance(session, f"asked {hashlib.sha256(asked.identity).hexdigest()}")

    async def save(self, episode: Episode, answered: Answered) -> None:
        """Put an answer into its cassette and the library. What goes wrong is logged: the client has its answer."""
        loop = asyncio.get_running_loop()
        try:
            # Whoever waits may give up, when the server stops: the answer has come, so it is written all the same.
            saved = await asyncio.shield(loop.run_in_executor(self._writer, self._save, episode, answered))
        except UsageError as error:
            log.error("not recorded: %s", printable(str(error)))
            return
        if saved is not None:
            before = self._library.held(saved[0])
            self._library.put(*saved)
            self._tally.replaced(before, self._library.held(saved[0]))
        # The file that has it now; one that had it before is of the same cassette.
        cassette = episode.cassette if saved is None else saved[0].rpartition(".")[0]
        found = self._library.find(episode.asked, Scope((cassette,)))
        if isinstance(found, Match):
            self._tally.recorded(found.interaction)

    async def close(self) -> None:
        """Finish what is being written."""
        await asyncio.to_thread(self._writer.shutdown)

    # In the writer's thread ------------------------------------------------------------------------------------------

    def _save(self, episode: Episode, answered: Answered) -> Saved | None:
        """The file that was changed and what it holds now; None where it has the answer already."""
        for name in self._names(episode):
            file = CassetteFile(self._directory, name, self._library.config)
            with file.locked():
                stored = file.find(episode.asked.identity)
                if stored is None and file.documents:
                    continue  # another interaction whose name and key begin alike
                return self._put(file, stored, episode, answered)
        raise AssertionError("there is always another name")

    def _names(self, episode: Episode) -> Iterator[str]:
        """The names to try: where the interaction is, else names of its own."""
        if (recorded := self._recorded_at(episode)) is not None:
            yield recorded
        stem = f"{episode.cassette}/{slug(episode.asked)}-{episode.asked.key[:8]}"
        yield f"{stem}.yaml"
        number = 2
        while True:
            yield f"{stem}-{number}.yaml"
            number += 1

    def _recorded_at(self, episode: Episode) -> str | None:
        """The file that holds the interaction already."""
        interaction = episode.match.interaction if episode.match else None
        if interaction is None or not interaction.recorded:
            return None
        if episode.named and not is_part_of(interaction.cassette, episode.cassette):
            return None
        resource = episode.asked.resource
        same = self._library.key(resource, resource.from_cassette(interaction.request))
        return interaction.cassette if same.identity == episode.asked.identity else None

    def _put(self, file: CassetteFile, stored: Stored | None, episode: Episode, answered: Answered) -> Saved | None:
        before = stored_responses(stored)
        redacted = episode.asked.redaction.answered(answered)
        answer = answered_form(redacted)
        responses = self._merged(before, answer, self._run(file, before, episode), episode)
        if responses == before:
            return None
        document = _Document(file, stored, episode.asked)
        at = next(place for place, response in enumerate(responses) if response is answer)
        text, interactions = document.written(responses)
        if not is_faithful(document.among(interactions).responses[at], redacted):
            responses[at] = raw_form(redacted)
            text, interactions = document.written(responses)
        file.write(text)
        return file.name, interactions, signature(file.path)

    def _merged(self, before: list[JsonObject], answer: JsonObject, run: _Run, episode: Episode) -> list[JsonObject]:
        """The sequence with the answer in its place."""
        place, at, asked = episode.place, run.at(episode.place), episode.asked
        replaced = [*before[:at], answer, *before[at + 1 :]]
        if run.has(place):
            return replaced  # more of it has come
        if run.takes_place_of_another(place):
            if self._mode is not RecordMode.ALL or _same(asked, before[at], answer):
                return before  # in other modes, somebody else has recorded it meanwhile
            run.replaced.add(place)
            return replaced
        if not episode.named and before and _same(asked, before[-1], answer):
            return before  # where nobody says that a run begins, the same again is nothing new
        insort(run.added, place)
        return [*before[:at], answer, *before[at:]]

    def _run(self, file: CassetteFile, before: list[JsonObject], episode: Episode) -> _Run:
        key = (file.name, episode.session, episode.asked.identity)
        run = self._runs.setdefault(key, _Run(held=len(before)))
        if len(before) != run.held + len(run.added):
            run = self._runs[key] = _Run(held=len(before), continued=True)
        self._runs.move_to_end(key)
        if len(self._runs) > _RUNS_REMEMBERED:
            self._runs.popitem(last=False)
        return run


def _has_cassettes(folder: Path) -> bool:
    return folder.is_dir() and any(path.suffix in (".yaml", ".yml") for path in folder.iterdir())


def _same(asked: Keyed, *pair: JsonObject) -> bool:
    left, right = (read_response(dict(response), asked.resource) for response in pair)
    return same_answer(asked.resource, left, right)


class _Document:
    """A document of a file, there already or new at its end, that gets other responses."""

    def __init__(self, file: CassetteFile, stored: Stored | None, asked: Keyed) -> None:
        self._file = file
        self._stored = stored
        self._asked = asked

    def written(self, responses: list[JsonObject]) -> tuple[list[str], list[Interaction]]:
        """The texts of the file's documents, and what is read from them."""
        text = recorded_document(self._stored, self._asked, responses)
        texts = [text if found is self._stored else found.text for _, found in self._file.documents] or [text]
        data = "---\n".join(texts).encode()
        return texts, list(read_cassette(self._file.name, data, str(self._file.path)))

    def among(self, interactions: list[Interaction]) -> Interaction:
        """The document's own interaction."""
        places = (place for place, (_, found) in enumerate(self._file.documents) if found is self._stored)
        return interactions[next(places, 0)]


def slug(asked: Keyed) -> str:
    """The last text of the prompt as a part of a file's name: ASCII letters, digits and hyphens."""
    text = last_text(dict(asked.prompt)) or asked.request.endpoint
    plain = unicodedata.normalize("NFKD", text[: 4 * _LONGEST_SLUG]).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return words[:_LONGEST_SLUG].rstrip("-") or re.sub(r"[^a-z0-9]+", "-", asked.request.endpoint.lower()).strip("-")
