"""`replay-server prune`."""

from pathlib import Path

import click

from replay_server.commands.options import directory_argument, reports_argument
from replay_server.terminal import counted


@click.command("prune")
@directory_argument()
@reports_argument(as_option=True)
@click.option("--write", is_flag=True, help="Do it. Without it, it is only shown.")
@click.option("--recorded-only", is_flag=True, help="Leave what was written by hand, matchers too.")
def command(directory: Path, files: tuple[Path, ...], write: bool, recorded_only: bool) -> None:
    """Take out of cassettes what no run used.

    DIRECTORY is cassettes, where it is not given.

    Whole documents go, and files and folders of which nothing is left; what stays keeps its text and its comments.
    Nothing goes by a report of other cassettes than these.

    Prints `file:line: what` for each document. Exits with 1 if there is something to take out and --write is not
    given, with 2 where the reports cannot be used, else with 0.
    """
    from replay_server.replay.prune import plan
    from replay_server.replay.report import merge
    from replay_server.replay.report_file import read_report, report_files

    report = merge(map(read_report, report_files(files)))
    prunings = plan(directory, report, recorded_only=recorded_only)
    for pruning in prunings:
        for line in pruning.lines():
            click.echo(line)
        if write:
            pruning.carry_out()
    count = sum(len(pruning.unused) for pruning in prunings)
    what = counted(count, "unused interaction")
    click.echo(f"{what} taken out" if write else what + (": take out with --write" if count else ""))
    raise SystemExit(1 if count and not write else 0)
