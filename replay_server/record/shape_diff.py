"""Which fields two JSON answers have: those that are new, those that are gone, and those that hold another kind."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from replay_server.interaction import Json
from replay_server.keys import ABSENT, Difference

_KEYED_BY_TEXT = frozenset({"top_logprobs"})
"""In a legacy completion their keys are tokens, and no fields."""


def shape_changes(old: Sequence[Json], new: Sequence[Json], path: str = "") -> Iterator[Difference]:
    """The topmost places where one side has what the other has not: each side is all values found at `path`.

    Null is any kind of text or number, but no mapping: `logprobs: null` has no fields.
    """
    if _kinds(old) and _kinds(new) and not _kinds(old) & _kinds(new):
        yield Difference(path, next(_substance(old)), next(_substance(new)))
        return
    if bool(_mappings(old)) != bool(_mappings(new)):
        yield Difference(path, old[0], new[0])
        return
    yield from _members_changed(_members(old), _members(new), path)
    if (ours := _elements(old)) and (theirs := _elements(new)):
        yield from shape_changes(ours, theirs, f"{path}[]")


def _members_changed(
    ours: Mapping[str, list[Json]], theirs: Mapping[str, list[Json]], path: str
) -> Iterator[Difference]:
    for name in [*ours, *(name for name in theirs if name not in ours)]:
        where = f"{path}.{name}" if path else name
        if name not in theirs:
            yield Difference(where, ours[name][0], ABSENT)
        elif name not in ours:
            yield Difference(where, ABSENT, theirs[name][0])
        elif name not in _KEYED_BY_TEXT:
            yield from shape_changes(ours[name], theirs[name], where)


def _kinds(values: Sequence[Json]) -> set[type]:
    return {float if type(value) is int else type(value) for value in _substance(values)}


def _substance(values: Sequence[Json]) -> Iterator[Json]:
    return (value for value in values if value is not None)


def _mappings(values: Sequence[Json]) -> list[dict[str, Json]]:
    return [value for value in values if isinstance(value, dict)]


def _members(values: Sequence[Json]) -> dict[str, list[Json]]:
    """The members of all mappings, by name."""
    found: dict[str, list[Json]] = {}
    for name, member in chain.from_iterable(mapping.items() for mapping in _mappings(values)):
        found.setdefault(name, []).append(member)
    return found


def _elements(values: Sequence[Json]) -> list[Json]:
    """The elements of all lists."""
    return list(chain.from_iterable(value for value in values if isinstance(value, list)))
