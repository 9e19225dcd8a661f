"""`replay-server refresh`."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from replay_server.commands.asking import INTERRUPTED, Stopped, asking_options, run_asking, show_plan
from replay_server.commands.options import directory_argument, wants_color
from replay_server.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replay_server.record.due import Due
    from replay_server.record.refresh import Options

_USUAL_VARIABLE = "OPENAI_API_KEY"


@click.command("refresh")
@directory_argument()
@click.option(
    "--only",
    multiple=True,
    metavar="GLOB",
    help="Only cassettes, or interactions (weather.yaml#3), with such a name; repeatable.",
)
@click.option("--older-than", metavar="AGE", help="Only what was recorded before: 90d, 2w, 6m, 1y, or a date.")
@click.option(
    "--upstream",
    "upstreams",
    multiple=True,
    envvar="REPLAY_SERVER_UPSTREAM",
    metavar="[MODEL=|/PATH=]URL",
    help="The real API; repeatable, for a glob of models or a path prefix.",
)
@click.option(
    "--api-key-env",
    "api_key_variables",
    multiple=True,
    envvar="REPLAY_SERVER_API_KEY_ENV",
    metavar="[MODEL=|/PATH=]VARIABLE",
    help=f"Variable that holds the upstream's key, {_USUAL_VARIABLE} where this is not given; '' for an upstream that"
    " needs none.",
)
@click.option("--write", is_flag=True, help="Take the answers that differ into the cassettes.")
@asking_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object in place of the report.")
def command(
    directory: Path,
    only: tuple[str, ...],
    older_than: str | None,
    upstreams: tuple[str, ...],
    api_key_variables: tuple[str, ...],
    write: bool,
    concurrency: int,
    timeout: float,
    attempts: int,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Ask again what is recorded, and show what is answered otherwise.

    DIRECTORY is cassettes, where it is not given. What is written by hand is not asked.

    \b
      replay-server refresh cassettes --older-than 90d --upstream https://api.openai.com/v1

    Exits with 1 if an answer differs and was not taken, or could not be had.
    """  # noqa: D301 - \b is click's own sign for a paragraph that is not to be wrapped
    from replay_server.cassettes.files import load_config
    from replay_server.record.due import Selection, find_due, plan, read_age
    from replay_server.record.refresh import Options
    from replay_server.record.upstream_url import read_upstreams

    if not upstreams and not dry_run:
        raise UsageError("refresh asks a real API: name it with --upstream URL")
    before = None if older_than is None else read_age(older_than, datetime.now(UTC).date())
    variables = () if dry_run else api_key_variables or _usual_variable(upstreams)
    options = Options(
        directory=directory,
        config=load_config(directory),
        upstreams=read_upstreams(upstreams, variables, os.environ),
        write=write,
        concurrency=concurrency,
        timeout=timeout,
        attempts=attempts,
    )
    due = find_due(directory, options.config, Selection(only=only, before=before), options.upstreams)
    if dry_run:
        show_plan(list(plan(due)), "interaction", as_json=as_json)
    else:
        raise SystemExit(_refresh(due, options, as_json=as_json))


def _usual_variable(upstreams: tuple[str, ...]) -> tuple[str, ...]:
    """The key of OpenAI goes to the upstream for all, as with `record`, and to no other."""
    from replay_server.record.upstream_url import is_for_all

    return (_USUAL_VARIABLE,) if any(map(is_for_all, upstreams)) else ()


def _refresh(due: "Sequence[Due]", options: "Options", *, as_json: bool) -> int:
    from replay_server.commands.refresh_report import Report
    from replay_server.record.refresh import refresh

    with Report(len(due), as_json=as_json, color=wants_color(), live=sys.stderr.isatty()) as report:
        try:
            run_asking(refresh(due, options, report.tell, note=report.note, tick=report.tick))
        except Stopped:
            report.close()
            done = "what was taken by then is written" if options.write else "nothing was written"
            click.echo(f"replay-server: stopped; {done}", err=True)
            return INTERRUPTED
    click.echo(report.end())
    return 0 if report.settled else 1
