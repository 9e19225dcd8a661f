"""In which parts two requests agree, and every place where they do not: recorded left, asked right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from replay_server.cassettes.config import WHOLE_BODY
from replay_server.cassettes.matching import Candidate, Keyed
from replay_server.interaction import Json
from replay_server.keys import ABSENT, Difference, canonical_json, explain

SAME, OTHER, RECORDED_ONLY, ASKED_ONLY = "=", "≠", "-", "+"
_RUN = 3
"""Messages next to each other, from which they are shown as one."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of two requests. `sign`: `=` the same, `≠` another, `-` only recorded, `+` only asked."""

    field: str
    sign: str
    place: int | None = None
    """Its place in the list that `field` is: in the asked one, unless it is only recorded."""
    role: str = ""

    @property
    def name(self) -> str:
        """As messages name it: `messages[0]`."""
        return self.field if self.place is None else f"{self.field}[{self.place}]"

    def __str__(self) -> str:
        return f"{self.name} ({self.role}) {self.sign}" if self.role else f"{self.name} {self.sign}"


def picture(parts: Sequence[Part]) -> str:
    """The parts in a line: `model =, messages[0..3] =, messages[4] (user) ≠`."""
    shown: list[str] = []
    at = 0
    while at < len(parts):
        run = _run(parts[at:])
        if len(run) >= _RUN:
            shown.append(f"{run[0].field}[{run[0].place}..{run[-1].place}] {run[0].sign}")
        else:
            shown += map(str, run)
        at += len(run)
    return ", ".join(shown)


def _run(parts: Sequence[Part]) -> list[Part]:
    """The parts of one list, with one sign, with which `parts` begins."""
    first, run = parts[0], [parts[0]]
    for part in parts[1:]:
        if first.place is None or part.place is None or (part.field, part.sign) != (first.field, first.sign):
            break
        run.append(part)
    return run


def agreement(recorded: Candidate, asked: Keyed, match_on: tuple[str, ...]) -> Iterator[Part]:
    """Every part that has to agree, and whether it does."""
    ours, theirs = recorded.keyed.canonical, asked.canonical
    for name in dict.fromkeys((*ours, *theirs)):
        left, right = ours.get(name), theirs.get(name)
        if isinstance(left, list) and isinstance(right, list):
            yield from (_item(name, left, right, pair) for pair in align(left, right))
        else:
            yield Part(name, _sign(left, right))
    for name, left, right in _compared(recorded, asked, match_on):
        yield Part(name, _sign(left, right))


def differences(recorded: Candidate, asked: Keyed, match_on: tuple[str, ...]) -> Iterator[Difference]:
    """Every place where they would have to agree, and do not: none where the interaction answers the request."""
    ours, theirs = recorded.keyed.canonical, asked.canonical
    for name in dict.fromkeys((*ours, *theirs)):
        left, right = ours.get(name), theirs.get(name)
        if isinstance(left, list) and isinstance(right, list):
            for pair in align(left, right):
                yield from _item_differences(name, left, right, pair)
        else:
            yield from _explained(name, left, right)
    for name, left, right in _compared(recorded, asked, match_on):
        yield from _explained(name, left, right)


def _compared(recorded: Candidate, asked: Keyed, match_on: tuple[str, ...]) -> Iterator[tuple[str, Json, Json]]:
    """The fields besides the prompt that have to agree, as `matching` compares them."""
    ours, whole = recorded.keyed, match_on == (WHOLE_BODY,)
    all_named = recorded.interaction.recorded or whole
    for name in dict.fromkeys((*ours.compared.body, *(asked.compared.body if all_named else ()))):
        left, right = ours.shape_field(name), asked.shape_field(name)
        if left is not None or right is not None:
            yield name, left, right
        if whole or name in match_on:
            left, right = ours.drifting_field(name), asked.drifting_field(name)
            if (left is not None or right is not None) and name not in ours.shape and name not in asked.shape:
                yield name, left, right


def _explained(path: str, left: Json, right: Json) -> Iterator[Difference]:
    if left is None or right is None:
        if left is not right:
            yield Difference(path, ABSENT if left is None else left, ABSENT if right is None else right)
        return
    yield from explain(left, right, path)


def _sign(left: Json, right: Json) -> str:
    if left is None or right is None:
        return SAME if left is right else ASKED_ONLY if left is None else RECORDED_ONLY
    return SAME if canonical_json(left) == canonical_json(right) else OTHER


# Lists ---------------------------------------------------------------------------------------------------------------

Pair = tuple[int, int]
"""Places of an item in two lists: the recorded one and the asked one."""

_NOWHERE = -1


def align(ours: Sequence[Json], theirs: Sequence[Json]) -> Iterator[Pair]:
    """The items of two lists side by side: the same ones, then those between them by their roles."""
    for tag, start, end, other_start, other_end in _steps([*map(canonical_json, ours)], [*map(canonical_json, theirs)]):
        if tag == "equal":
            yield from zip(range(start, end), range(other_start, other_end), strict=True)
        else:
            yield from _by_role(ours, theirs, range(start, end), range(other_start, other_end))


def _by_role(ours: Sequence[Json], theirs: Sequence[Json], left: range, right: range) -> Iterator[Pair]:
    steps = _steps([_role(ours[at]) for at in left], [_role(theirs[at]) for at in right])
    for _, start, end, other_start, other_end in steps:
        yield from zip_longest(left[start:end], right[other_start:other_end], fillvalue=_NOWHERE)


def _steps(left: Sequence[object], right: Sequence[object]) -> list[tuple[str, int, int, int, int]]:
    return list(SequenceMatcher(None, left, right, autojunk=False).get_opcodes())


def _role(item: Json) -> str:
    role = item.get("role") if isinstance(item, dict) else None
    return role if isinstance(role, str) else ""


def _item(name: str, ours: list[Json], theirs: list[Json], pair: Pair) -> Part:
    left, right = pair
    if right == _NOWHERE:
        return Part(name, RECORDED_ONLY, left, _role(ours[left]))
    if left == _NOWHERE:
        return Part(name, ASKED_ONLY, right, _role(theirs[right]))
    same = canonical_json(ours[left]) == canonical_json(theirs[right])
    return Part(name, SAME if same else OTHER, right, _role(theirs[right]))


def _item_differences(name: str, ours: list[Json], theirs: list[Json], pair: Pair) -> Iterator[Difference]:
    left, right = pair
    if right == _NOWHERE:
        yield Difference(f"{name}[{left}]", ours[left], ABSENT)
    elif left == _NOWHERE:
        yield Difference(f"{name}[{right}]", ABSENT, theirs[right])
    else:
        yield from explain(ours[left], theirs[right], f"{name}[{right}]")
