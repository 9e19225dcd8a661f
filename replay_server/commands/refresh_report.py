"""How a refresh is shown: a line for each interaction with its differences below it, or one JSON object."""

import time
from collections import Counter
from collections.abc import Iterator
from types import TracebackType
from typing import Self, cast

import click
import orjson

from replay_server.commands.progress_bar import ProgressBar
from replay_server.interaction import Json
from replay_server.keys import ABSENT, Difference, canonical_json
from replay_server.record.refresh import Outcome, Status
from replay_server.replay.words import Kind, Piece, compare, written
from replay_server.terminal import GREEN, MAGENTA, RED, YELLOW, coloured, counted, printable

_COLOURS = {Status.SAME: GREEN, Status.DIFFERS: YELLOW, Status.FAILED: RED, Status.SKIPPED: MAGENTA}
_CHANGES_SHOWN = 20
_LONGEST_VALUE = 200
_LEAST_ALIKE = 0.4
"""An answer that has a smaller share in common with the recorded one reads better as a whole."""


class Report:
    """Shows each outcome, and adds them up. `color`: None where that is for a terminal to say; `live`: with a bar."""

    def __init__(self, length: int, *, as_json: bool, color: bool | None, live: bool) -> None:
        self._as_json = as_json
        self._color = color
        self._bar = ProgressBar(length, "asking", shown=live and not as_json)
        self._outcomes: list[Outcome] = []
        self._shown = 0
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Leave the bar's line, and show what it hid."""
        self._bar.close()
        self._show()

    def tick(self) -> None:
        """An interaction is done; those before it may not be."""
        self._bar.advance()

    def tell(self, outcome: Outcome) -> None:
        """Show what became of the next interaction."""
        self._outcomes.append(outcome)
        if not self._bar.shown:
            self._show()

    def note(self, text: str) -> None:
        """Say what a run waits for. A bar stays where it is meanwhile."""
        if not self._bar.shown and not self._as_json:
            click.echo(printable(text), err=True)

    def _show(self) -> None:
        for outcome in self._outcomes[self._shown :]:
            for line in [] if self._as_json else _lines(outcome, color=self._color is not False):
                click.echo(line, color=self._color)
        self._shown = len(self._outcomes)

    @property
    def settled(self) -> bool:
        """Whether every recording is true by now."""
        return all(outcome.settled for outcome in self._outcomes)

    def end(self) -> str:
        """The last line, or the object for programs."""
        counts = Counter(outcome.status for outcome in self._outcomes)
        figures = {status.value: counts[status] for status in Status}
        figures["written"] = sum(outcome.written for outcome in self._outcomes)
        if not self._as_json:
            said = ", ".join(f"{value} {name}" for name, value in figures.items())
            take = "; --write takes what differs" if counts[Status.DIFFERS] > figures["written"] else ""
            return f"{counted(len(self._outcomes), 'interaction')}: {said} ({self._seconds():.1f} s){take}"
        listed: list[Json] = [_as_json(outcome) for outcome in self._outcomes]
        return orjson.dumps({**figures, "seconds": round(self._seconds(), 3), "interactions": listed}).decode()

    def _seconds(self) -> float:
        return time.monotonic() - self._started


def _as_json(outcome: Outcome) -> dict[str, Json]:
    interaction = outcome.due.interaction
    return {
        "interaction": interaction.id,
        "name": interaction.name,
        "status": outcome.status.value,
        "reason": outcome.reason,
        "written": outcome.written,
        "changes": [_change_json(change) for change in outcome.changes],
    }


def _change_json(change: Difference) -> dict[str, Json]:
    """`recorded` or `answered` is left out where there is nothing at the path."""
    sides = {"recorded": change.left, "answered": change.right}
    return {"path": change.path, **{name: cast("Json", value) for name, value in sides.items() if value is not ABSENT}}


# For people ----------------------------------------------------------------------------------------------------------


def _lines(outcome: Outcome, *, color: bool) -> Iterator[str]:
    interaction = outcome.due.interaction
    label = " ".join(filter(None, (interaction.id, interaction.name)))
    reason = f": {' '.join(outcome.reason.split())}" if outcome.reason else ""
    taken = " (written)" if outcome.written else ""
    status = coloured(f"{outcome.status.value:<7}", _COLOURS[outcome.status], color)
    yield f"{status}  {printable(label + reason)}{taken}"
    for change in outcome.changes[:_CHANGES_SHOWN]:
        yield f"  {printable(change.path)}: {_change(change, color)}"
    if len(outcome.changes) > _CHANGES_SHOWN:
        yield f"  … and {len(outcome.changes) - _CHANGES_SHOWN} more; --json lists all"


def _change(change: Difference, color: bool) -> str:
    if isinstance(change.left, str) and isinstance(change.right, str):
        return written(compare(change.left, change.right, least_alike=_LEAST_ALIKE), color=color)
    kind = "new " if change.left is ABSENT else "gone " if change.right is ABSENT else ""
    sides = ((Kind.RECORDED, change.left), (Kind.NEW, change.right))
    return kind + written([Piece(side, _value(value)) for side, value in sides if value is not ABSENT], color=color)


def _value(value: object) -> str:
    text = value if isinstance(value, str) else canonical_json(value).decode()
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
