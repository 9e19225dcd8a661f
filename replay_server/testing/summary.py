"""What a run says at its end of the answers that its tests got, and what it removes."""

import os
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from replay_server.errors import UsageError
from replay_server.replay.github import annotation, runs_there
from replay_server.terminal import counted
from replay_server.testing.usage import TestUse, Usage

_NOT_RUN = ("skipped", "xfailed", "xpassed", "rerun")
_LEAVE_FILES_OUT = ("lf", "ignore", "ignore_glob")
"""Options with which files of tests are not even collected."""


def summarise(
    reporter: pytest.TerminalReporter, tests: Iterable[Mapping[str, Any]], *, deselected: bool, passed: bool
) -> None:
    """Write the section of the summary, if there is anything to say. `tests` are `TestUse`s as JSON."""
    config = reporter.config
    by_name = config.args_source is pytest.Config.ArgsSource.ARGS
    whole = passed and not deselected and not any(config.getoption(option, None) for option in _LEAVE_FILES_OUT)
    usage = Usage([TestUse(**test) for test in tests], partial=by_name or not whole or _any(reporter, _NOT_RUN))
    lines = [*usage.lines()]
    if config.getoption("replay_prune") or config.getoption("replay_prune_write"):
        lines.append(_prune(config, usage, whole=whole))
    if runs_there(os.environ):
        lines += [_annotation(test.test, problem) for test in usage.tests for problem in test.problems]
    if lines:
        reporter.write_sep("=", "replay-server")
        for line in [usage.total(), *lines]:
            reporter.write_line(line)


def _annotation(test: str, problem: str) -> str:
    return annotation("error", problem, title="no answer for a test", file=test.partition("::")[0])


def _any(reporter: pytest.TerminalReporter, outcomes: Iterable[str]) -> bool:
    return any(reporter.stats.get(outcome) for outcome in outcomes)


def _prune(config: pytest.Config, usage: Usage, *, whole: bool) -> str:
    """Remove what was not used, if that is wanted and safe; what has become of it."""
    unused = usage.unused()
    what = counted(len(unused), "unused interaction")
    if not whole:
        return "nothing is pruned: there were tests that failed or did not run, and nobody knows what they use"
    if not unused:
        return "nothing is to be pruned"
    if not config.getoption("replay_prune_write"):
        return f"{what} would be removed: do it with --replay-prune-write"
    from replay_server.cassettes.prune import prune

    try:
        for directory, found in groupby(unused, key=lambda each: each[0]):
            prune(config.rootpath / Path(directory), [interaction for _, interaction in found])
    except UsageError as error:
        return f"not pruned: {error}"
    return f"{what} removed"
