"""JSON paths of own rules: `messages[*].metadata.ssn`, `tools[0].name`, `..password` (at any depth)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_STEP = re.compile(r"(?P<deep>\.\.)?\.?(?:(?P<name>[^.\[\]*\s]+)|(?P<any>\*))|\[(?:(?P<index>\d{1,6})|(?P<item>\*))\]")

Place = tuple[str | int, ...]
"""Where a value stands in a document: names and positions, from the root."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path. `name` is None for any member or item; `deep`: any number of steps may come before."""

    name: str | int | None
    deep: bool = False


@dataclass(frozen=True, slots=True)
class PathRule:
    """What stands at a path, or anywhere below it, is a secret."""

    name: str
    steps: tuple[Step, ...]

    @property
    def anchors(self) -> tuple[str, ...]:
        """The last name of the path: a document that does not hold it need not be looked at."""
        names = [step.name for step in self.steps if isinstance(step.name, str)]
        return tuple(names[-1:])

    def covers(self, place: Place) -> bool:
        """Whether a place is at the path or below it."""
        return _covers(self.steps, place)


def _covers(steps: Sequence[Step], place: Place) -> bool:
    """Each place may be where a prefix of the steps ends: all of them at once, so that the time is steps x places."""
    reached = {0}
    for at in place:
        if len(steps) in reached:
            return True
        reached = {after for step in reached for after in _after(steps, step, at)}
    return len(steps) in reached


def _after(steps: Sequence[Step], reached: int, at: str | int) -> list[int]:
    step = steps[reached]
    taken = [reached + 1] if step.name is None or step.name == at else []
    return [*taken, reached] if step.deep else taken


def read_path(text: str) -> tuple[Step, ...]:
    """Read a path. Raises ValueError for what is none."""
    text = text.removeprefix("$")
    steps, at = [], 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None or (at == 0 and match[0].startswith(".") and not match["deep"] and text[:1] != "."):
            raise ValueError(f"is no path at {text[at:]!r}: write it as messages[*].metadata.ssn or ..ssn")
        steps.append(_step(match))
        at = match.end()
    if not any(isinstance(step.name, str) for step in steps):
        raise ValueError("names no member: write it as messages[*].metadata.ssn or ..ssn")
    return tuple(steps)


def _step(match: re.Match[str]) -> Step:
    name = int(match["index"]) if match["index"] else match["name"]
    return Step(name, bool(match["deep"]))
