"""`replay-server report`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from replay_server.commands.options import fail_on_option, reports_argument, wants_color
from replay_server.errors import UsageError

if TYPE_CHECKING:
    from replay_server.replay.report import FailOn, Report


@click.command("report")
@reports_argument()
@click.option("--json", "as_json", is_flag=True, help="The merged report, as a file that `report` and `prune` read.")
@click.option("--markdown", "as_markdown", is_flag=True, help="For a comment or a summary.")
@fail_on_option("REPLAY_SERVER_FAIL_ON")
def command(files: tuple[Path, ...], as_json: bool, as_markdown: bool, fail_on: "tuple[FailOn, ...]") -> None:
    """Say what runs really used.

    FILES are reports of `serve --report`, or folders of them. Those of several workers or CI jobs become one: what one
    of them used is used. In GitHub Actions it is added to the summary of the step, and misses are annotations.

    Exits with 1 on what --fail-on names, with 2 where a file is no report, else with 0.
    """
    if as_json and as_markdown:
        raise UsageError("--json and --markdown contradict each other: leave one out")
    from replay_server.replay.report import failures, merge
    from replay_server.replay.report_file import read_report, report_files

    report = merge(map(read_report, report_files(files)))
    problems = failures(report, fail_on)
    _show(report, problems, as_json=as_json, as_markdown=as_markdown)
    _tell_github(report, problems)
    for problem in problems:
        click.echo(f"replay-server: {problem}", err=True)
    raise SystemExit(1 if problems else 0)


def _show(report: "Report", problems: list[str], *, as_json: bool, as_markdown: bool) -> None:
    from replay_server.replay.github import disarmed, runs_there
    from replay_server.replay.report_file import report_text
    from replay_server.replay.report_text import lines, markdown

    there = runs_there(os.environ)
    if as_json:
        text = report_text(report).decode()
        # The same JSON, in which a runner finds no command.
        click.echo(text.replace("##[", r"##\u005b") if there else text, nl=False)
    elif as_markdown:
        click.echo(markdown(report, problems), nl=False)
    else:
        color = wants_color()
        text = "\n".join(lines(report, color=color is not False))
        click.echo(disarmed(text) if there else text, color=color)


def _tell_github(report: "Report", problems: list[str]) -> None:
    from replay_server.replay.github import add_to_summary, annotation, runs_there

    if not runs_there(os.environ):
        return
    from replay_server.replay.report_text import markdown, misses

    for explanation, _ in misses(report)[:_MOST_ANNOTATIONS]:
        # A runner reads commands there too, and what stands on stdout may be JSON.
        click.echo(annotation("error", explanation, title="replay-server: miss"), err=True)
    try:
        add_to_summary(markdown(report, problems), os.environ)
    except OSError as error:
        click.echo(f"replay-server: warning: the summary of the step cannot be written: {error.strerror}", err=True)


_MOST_ANNOTATIONS = 10
"""Of a kind, which is what GitHub shows of one step."""
