"""How a recording run is shown: a bar on a terminal, plain lines elsewhere, a table at the end."""

import time
from collections import Counter
from types import TracebackType
from typing import Self

import click

from replay_server.commands.progress_bar import ProgressBar
from replay_server.interaction import Json
from replay_server.record.steps import Status, Step
from replay_server.terminal import printable


class Progress:
    """Shows each step, and adds up what became of them."""

    def __init__(self, entries: int, *, quiet: bool, live: bool) -> None:
        self._quiet = quiet
        self._bar = ProgressBar(entries, "recording", shown=live and not quiet)
        self._steps: list[Step] = []
        self._started = time.monotonic()
        self._entries: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Leave the bar's line."""
        self._bar.close()

    def tell(self, step: Step) -> None:
        """Show a step that is done."""
        self._steps.append(step)
        if self._bar.shown:
            self._advance(step)
        elif not self._quiet and step.status in (Status.RECORDED, Status.KEPT):
            click.echo(_line(step), err=True)

    def _advance(self, step: Step) -> None:
        if id(step.entry) not in self._entries:
            self._entries.add(id(step.entry))
            self._bar.advance()

    def note(self, text: str) -> None:
        """Say what a run waits for. A bar stays where it is meanwhile."""
        if not self._bar.shown and not self._quiet:
            click.echo(printable(text), err=True)

    @property
    def unfinished(self) -> list[Step]:
        """The steps that failed, or are missing."""
        return [step for step in self._steps if step.status in (Status.FAILED, Status.MISSING)]

    def as_json(self) -> dict[str, Json]:
        """The figures for programs."""
        return {
            **self._figures(),
            "seconds": round(time.monotonic() - self._started, 3),
            "unfinished": [
                {"entry": step.label, "status": step.status.value, "reason": step.reason} for step in self.unfinished
            ],
        }

    def table(self) -> str:
        """The figures for people; on a terminal, with the steps that the bar did not show."""
        lines = [_line(step) for step in self.unfinished]  # where there is no bar, they stand here and nowhere else
        figures = {**self._figures(), "time": f"{time.monotonic() - self._started:.1f} s"}
        lines += [f"{name:<9} {value}" for name, value in figures.items()]
        return "\n".join(lines)

    def _figures(self) -> dict[str, Json]:
        counts = Counter(step.status for step in self._steps)
        return {
            "recorded": counts[Status.RECORDED],
            "kept": counts[Status.KEPT],
            "failed": counts[Status.FAILED],
            "missing": counts[Status.MISSING],
            "tokens": sum(step.tokens for step in self._steps),
        }


def _line(step: Step) -> str:
    reason = f": {' '.join(step.reason.split())}" if step.reason else ""
    took = f" ({step.seconds:.1f} s, {step.tokens} tokens)" if step.status is Status.RECORDED else ""
    return printable(f"{step.status:<8}  {step.label}{took}{reason}")
