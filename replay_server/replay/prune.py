"""Taking out of the cassettes what no run had need of: whole documents, and only those that a report knows as they are.

A report of other files than there are would have the wrong documents taken out. So everything that it knows must be
there and say the same; documents that it does not know were not there when it was made, and stay.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from replay_server.cassettes.digest import digest
from replay_server.cassettes.file import CassetteFile
from replay_server.cassettes.files import load_config
from replay_server.cassettes.prune import prune
from replay_server.errors import UsageError
from replay_server.replay.report import Kind, Report, Row
from replay_server.terminal import printable


@dataclass(frozen=True, slots=True)
class Pruning:
    """What is to go of one cassette. `known` is all that the report has of it."""

    directory: Path
    file: CassetteFile
    known: tuple[Row, ...]
    unused: tuple[Row, ...]

    def lines(self) -> Iterator[str]:
        """`file:line: what`, for each document, and for the file if none is left."""
        for row in self.unused:
            yield printable(f"{self.file.path}:{row.line}: {row.interaction} was never used ({row.kind})")
        if len(self.unused) == len(self.file.documents):
            yield printable(f"{self.file.path}: the file goes too, for nothing else is in it")

    def carry_out(self) -> None:
        """Take it out of the file. Raises UsageError where somebody has changed it meanwhile."""
        prune(self.directory, [row.interaction for row in self.unused], partial(_check, self.known))


def plan(directory: Path, report: Report, *, recorded_only: bool = False) -> list[Pruning]:
    """What is to go, by cassette. Raises UsageError where the report cannot say."""
    _check_report(report)
    config = load_config(directory)
    known: dict[str, list[Row]] = defaultdict(list)
    for row in report.kept:
        known[row.cassette].append(row)
    prunings = [
        Pruning(directory, CassetteFile(directory, name, config), tuple(rows), tuple(_unused(rows, recorded_only)))
        for name, rows in known.items()
    ]
    for pruning in prunings:  # before anything goes
        _check(pruning.known, pruning.file)
    return [pruning for pruning in prunings if pruning.unused]


def _unused(rows: Sequence[Row], recorded_only: bool) -> Iterable[Row]:
    return (row for row in rows if not row.used and (row.kind is Kind.RECORDED or not recorded_only))


def _check_report(report: Report) -> None:
    if not report.complete:
        raise UsageError("the report is not complete: what was used may seem unused, so nothing can be taken out by it")
    if not report.requests:
        raise UsageError("the report counts no request, so all would go: name that of a run that made some")


def _check(known: Iterable[Row], file: CassetteFile) -> None:
    there = {stored.interaction.place: stored.interaction for _, stored in file.documents}
    for row in known:
        interaction = there.get(_place(row))
        if interaction is None:
            raise UsageError(f"{file.path}: there is no {row.interaction} any more: {_ANEW}")
        if digest(interaction) != row.digest:
            raise UsageError(f"{file.path}:{interaction.line}: {row.interaction} is not what it was: {_ANEW}")


_ANEW = "the report is of other cassettes, so make it anew"


def _place(row: Row) -> int:
    return int(row.interaction.rpartition("#")[2])
