"""How an import is shown: a bar on a terminal, a line for each thing that was left out, a table at the end."""

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from types import TracebackType
from typing import Self

from replay_server.cassettes.importers.items import Refused
from replay_server.cassettes.importers.run import Options, Outcome, State
from replay_server.cassettes.importers.sources import Found
from replay_server.commands.progress_bar import ProgressBar
from replay_server.interaction import Json
from replay_server.terminal import printable

_FEW = 20
"""Files whose import takes a moment: a bar would only flicker."""


class Report:
    """Shows each file that is done, and adds up what became of all."""

    def __init__(self, found: Found, options: Options, *, quiet: bool, live: bool) -> None:
        self._found = found
        self._options = options
        self._quiet = quiet
        files = len(found.sources)
        self._bar = ProgressBar(files, "importing", shown=live and not quiet and files > _FEW)
        self._outcomes: list[Outcome] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Leave the bar's line."""
        self._bar.close()

    def tell(self, outcome: Outcome) -> None:
        """Take a file that is done."""
        self._outcomes.append(outcome)
        self._bar.advance()

    @property
    def failed(self) -> bool:
        """Whether something was not imported."""
        return any(outcome.failed for outcome in self._outcomes)

    def as_json(self) -> dict[str, Json]:
        """The figures for programs, and each file."""
        return {
            **self._figures(),
            "files": [_outcome_json(outcome) for outcome in self._outcomes],
            "other_files": list(self._found.others),
        }

    def table(self) -> str:
        """What was left out, and the figures."""
        lines = [line for outcome in self._outcomes for line in self._lines(outcome)]
        figures = {name.replace("_", " "): str(number) for name, number in self._figures().items()}
        if self._found.others:
            figures["other files"] = _endings(self._found.others)
        width = max(map(len, figures))
        lines += [f"{name:<{width}}  {value}" for name, value in figures.items()]
        return "\n".join([*lines, *(["nothing was written"] if self._options.dry_run else [])])

    def _lines(self, outcome: Outcome) -> Iterator[str]:
        """One for each thing that should have been imported, one for all that were skipped for one reason."""
        for refused in outcome.refused:
            if not refused.skipped:
                yield printable(f"not imported  {_where(outcome, refused)}: {refused.reason}")
        reasons: dict[str, list[Refused]] = {}
        for refused in outcome.refused:
            if refused.skipped:
                reasons.setdefault(refused.reason, []).append(refused)
        for reason, alike in reasons.items():
            more = f" and {len(alike) - 1} more" if len(alike) > 1 else ""
            yield printable(f"skipped       {_where(outcome, alike[0])}{more}: {reason}")
        if outcome.state is State.NOT_REPLACED:
            path = self._options.cassettes / outcome.cassette
            yield printable(f"not imported  {outcome.source}: {path} says something else: --force replaces it")

    def _figures(self) -> dict[str, Json]:
        states = Counter(outcome.state for outcome in self._outcomes)
        imported = [outcome for outcome in self._outcomes if outcome.state in (State.IMPORTED, State.UNCHANGED)]
        refused = [refused for outcome in self._outcomes for refused in outcome.refused]
        skipped = sum(refused.skipped for refused in refused)
        return {
            "imported": sum(outcome.exchanges for outcome in imported),
            "cassettes": states[State.IMPORTED],
            "unchanged": states[State.UNCHANGED],
            "not_replaced": states[State.NOT_REPLACED],
            "not_imported": len(refused) - skipped,
            "skipped": skipped,
        }


def _where(outcome: Outcome, refused: Refused) -> str:
    return f"{outcome.source} {refused.place}".rstrip()


def _endings(names: list[str]) -> str:
    endings = Counter(PurePosixPath(name).suffix or "no ending" for name in names)
    shown = ", ".join(f"{ending} {number}" for ending, number in sorted(endings.items()))
    return f"{len(names)} not looked at ({shown})"


def _outcome_json(outcome: Outcome) -> dict[str, Json]:
    return {
        "file": outcome.source,
        "cassette": outcome.cassette,
        "format": outcome.form,
        "state": outcome.state.value,
        "interactions": outcome.documents,
        "imported": outcome.exchanges,
        "refused": [
            {"place": refused.place, "reason": refused.reason, "skipped": refused.skipped}
            for refused in outcome.refused
        ],
    }
