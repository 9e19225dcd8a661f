"""Verify: whether the journal holds what a test says it must, and what it holds in its place."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from replay_server.interaction import Json
from replay_server.replay.journal import Entry, Noted

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Which requests are meant. What is None may be anything."""

    endpoint: str | None = None
    model: str | None = None
    interaction: str | None = None
    key: str | None = None
    source: str | None = None
    status: int | None = None
    contains: str | None = None
    """A text that some text of the request's body holds."""

    def passes(self, entry: Entry) -> bool:
        """Whether an entry is one of them."""
        return (
            self.endpoint in (None, entry.endpoint)
            and self.model in (None, entry.model)
            and self.interaction in (None, entry.replay.get("x-replay-interaction"))
            and (self.key is None or _same_key(self.key, entry.replay.get("x-replay-key", "")))
            and self.source in (None, entry.source)
            and self.status in (None, entry.status)
            and (self.contains is None or any(self.contains in text for text in _texts(_read(entry.body))))
        )

    def __str__(self) -> str:
        given = {name: getattr(self, name) for name in self.__slots__}
        said = " and ".join(f"{name} {value!r}" for name, value in given.items() if value is not None)
        return f"requests with {said}" if said else "requests"


def _same_key(given: str, shown: str) -> bool:
    """Headers show a key's first digits; whoever knows all of them may give them."""
    return bool(shown) and given.startswith(shown)


def _read(body: bytes | None) -> Json:
    try:
        read: Json = orjson.loads(body or b"null")
    except orjson.JSONDecodeError:
        return (body or b"").decode(errors="replace")
    return read


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _texts(member)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How often. All None: at least once."""

    exactly: int | None = None
    at_least: int | None = None
    at_most: int | None = None

    def allows(self, count: int) -> bool:
        """Whether so many are right."""
        least, most = self._bounds()
        return least <= count and (most is None or count <= most)

    @property
    def bounded(self) -> bool:
        """Whether there may be too many."""
        return self._bounds()[1] is not None

    def _bounds(self) -> tuple[int, int | None]:
        if self.exactly is not None:
            return self.exactly, self.exactly
        if self.at_least is None and self.at_most is None:
            return 1, None
        return self.at_least or 0, self.at_most

    def __str__(self) -> str:
        least, most = self._bounds()
        if least == most:
            return f"exactly {least}"
        bounds = (f"at least {least}" if least else "", f"at most {most}" if most is not None else "")
        return " and ".join(filter(None, bounds)) or "any number of"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it is as expected. `problem` says what is not; `requests` are those that were meant, by their ids."""

    requests: tuple[str, ...]
    problem: str = ""

    def as_json(self) -> Mapping[str, Json]:
        """The verdict for programs."""
        return {"verified": not self.problem, "count": len(self.requests), "requests": list(self.requests)}


def called(journal: Sequence[Noted], forgotten: int, expected: Expected, count: Count) -> Verdict:
    """Whether requests were made as often as expected."""
    found = tuple(noted.id for noted in journal if expected.passes(noted.entry))
    if not count.allows(len(found)):
        return Verdict(found, f"expected {count} {expected}, but there were {len(found)}\n{_what_was(journal)}")
    if forgotten and count.bounded:
        return Verdict(found, _forgot(forgotten))
    return Verdict(found)


def in_order(journal: Sequence[Noted], order: Sequence[Expected]) -> Verdict:
    """Whether requests were made one after the other; others may have been made in between."""
    found: list[str] = []
    rest = iter(journal)
    for at, expected in enumerate(order):
        noted = next((each for each in rest if expected.passes(each.entry)), None)
        if noted is None:
            after = f" after {found[-1]}" if found else ""
            return Verdict(tuple(found), f"order[{at}]: there were no {expected}{after}\n{_what_was(journal)}")
        found.append(noted.id)
    return Verdict(tuple(found))


def _forgot(forgotten: int) -> str:
    return (
        f"the journal has forgotten {forgotten} requests, so nobody can say that there were no more: "
        "verify earlier, or in a session of its own"
    )


def _what_was(journal: Sequence[Noted]) -> str:
    """The requests that there were, the latest of them."""
    if not journal:
        return "the journal is empty: was the server asked at all, and in this session?"
    lines = [f"  {noted.id} {_brief(noted.entry)}" for noted in journal[-_SHOWN:]]
    which = f"the last {_SHOWN} of {len(journal)}" if len(journal) > _SHOWN else "all"
    return "\n".join([f"{which} requests that there were:", *lines])


def _brief(entry: Entry) -> str:
    interaction = entry.replay.get("x-replay-interaction", "")
    words = (entry.endpoint or f"{entry.method} {entry.path}", entry.model, entry.source, interaction)
    return " ".join(filter(None, words))
