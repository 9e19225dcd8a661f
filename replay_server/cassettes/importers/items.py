"""What an importer finds in a file: exchanges, and what cannot be one, each with its place there."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeAlias, TypeVar

from replay_server.cassettes.reader import dotted
from replay_server.endpoints.base import BadField
from replay_server.interaction import Exchange

T = TypeVar("T")

_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """An exchange, its place in the file (`interaction 3`), and what else the file says of it."""

    place: str
    url: str
    exchange: Exchange
    at: str | None = None
    """The day on which it was recorded, as ISO 8601 writes it."""
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What was not imported, and why. `skipped`: nobody would want it, or nobody asked for it."""

    place: str
    reason: str
    skipped: bool = False


Item: TypeAlias = Imported | Refused


class Unimportable(Exception):
    """Something that cannot be an exchange of a cassette; the message says why, and what to do."""


class Skipped(Unimportable):
    """Something that was not meant to be one."""


def each(noun: str, values: Iterable[T], read: Callable[[str, T], Imported]) -> Iterator[Item]:
    """Read each value at its place: `interaction 1` and so on."""
    return (attempt(f"{noun} {number}", value, read) for number, value in enumerate(values, 1))


def attempt(place: str, value: T, read: Callable[[str, T], Imported]) -> Item:
    """What `read` makes of a value, or why it cannot."""
    try:
        return read(place, value)
    except Unimportable as error:
        return Refused(place=place, reason=shortened(str(error)), skipped=isinstance(error, Skipped))
    except BadField as error:
        return Refused(place=place, reason=shortened(f"{dotted(error.path)}: {error.problem}".removeprefix(": ")))


def choose(url: str, only: Sequence[str]) -> None:
    """Raise Skipped for a URL that is not asked for: all are, where `only` has no pattern."""
    if only and not any(fnmatchcase(url, pattern) for pattern in only):
        raise Skipped("has a URL that --only does not name")


def shortened(reason: str) -> str:
    """A reason may quote what is in the file: not all of it."""
    return reason if len(reason) <= _LONGEST_REASON else f"{reason[: _LONGEST_REASON - 1]}…"
