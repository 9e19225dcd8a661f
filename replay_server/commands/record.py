"""`replay-server record`."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click
import orjson

from replay_server.commands.asking import INTERRUPTED, Stopped, asking_options, run_asking, show_plan
from replay_server.commands.options import cassettes_option
from replay_server.errors import UsageError

if TYPE_CHECKING:
    from replay_server.record.run import Options
    from replay_server.record.script import Script

_MODES = ("none", "once", "new_episodes", "all")


@click.command("record")
@click.argument("scripts", nargs=-1, required=True, type=click.File("rb"), metavar="SCRIPT...")
@cassettes_option("Directory that the cassettes are written to.")
@click.option("--cassette", metavar="NAME", help="Name of the cassette, in place of the script's own.")
@click.option("--upstream", envvar="REPLAY_SERVER_UPSTREAM", metavar="URL", help="The real API, for what is recorded.")
@click.option(
    "--api-key-env",
    default="OPENAI_API_KEY",
    show_default=True,
    metavar="VARIABLE",
    help="Variable that holds the upstream's key; '' for an upstream that needs none.",
)
@click.option("--offline", is_flag=True, help="Make the answers up, with no network at all.")
@click.option(
    "--record-mode",
    type=click.Choice(_MODES),
    default="new_episodes",
    show_default=True,
    envvar="REPLAY_SERVER_RECORD_MODE",
    help="none: only check that all is there. once: only a cassette that is not there yet. new_episodes: what is not"
    " there. all: everything anew.",
)
@asking_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object in place of the table.")
def command(
    scripts: Sequence[BinaryIO],
    cassettes: Path,
    cassette: str | None,
    upstream: str | None,
    api_key_env: str,
    offline: bool,
    record_mode: str,
    concurrency: int,
    timeout: float,
    attempts: int,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make cassettes from scripts.

    A SCRIPT is YAML (see docs/recording.md), or JSONL in OpenAI's Batch form; - is standard input. Each becomes the
    cassette of its name:

    \b
      replay-server record scripts/*.yaml --upstream https://api.openai.com/v1
      replay-server record scripts/*.yaml --offline

    Exits with 1 if a request failed or, with --record-mode none, is missing.
    """  # noqa: D301 - \b is click's own sign for a paragraph that is not to be wrapped
    from replay_server.record.modes import RecordMode
    from replay_server.record.run import Options, plan
    from replay_server.record.script import read_script
    from replay_server.record.upstream_url import read_key, upstream_url

    if cassette is not None and len(scripts) > 1:
        raise UsageError("--cassette names one cassette, and there are several scripts: give one script")
    read = [read_script(_name(script), script.read(), cassette) for script in scripts]
    if offline and _from_environment("upstream"):
        upstream = None
    url = upstream_url(upstream) if upstream else None
    asks = url is not None and not dry_run and not offline and record_mode != "none"
    options = Options(
        cassettes=cassettes,
        mode=RecordMode(record_mode),
        upstream=url,
        api_key=read_key(api_key_env, url, os.environ) if asks and url else None,
        offline=offline,
        concurrency=concurrency,
        timeout=timeout,
        attempts=attempts,
    )
    if dry_run:
        show_plan(plan(read, options), "entry", as_json=as_json)
    else:
        raise SystemExit(_record(read, options, as_json=as_json))


def _name(script: BinaryIO) -> str:
    return "-" if script.name == "<stdin>" else script.name


def _from_environment(parameter: str) -> bool:
    source = click.get_current_context().get_parameter_source(parameter)
    return source is click.core.ParameterSource.ENVIRONMENT


def _record(scripts: "Sequence[Script]", options: "Options", *, as_json: bool) -> int:
    from replay_server.commands.record_progress import Progress
    from replay_server.record.run import record as run

    entries = sum(len(script.entries) for script in scripts)
    with Progress(entries, quiet=as_json, live=sys.stderr.isatty()) as progress:
        try:
            run_asking(run(scripts, options, progress.tell, progress.note))
        except Stopped:
            progress.close()
            click.echo(
                "replay-server: stopped; what was done is written, and the next run goes on from there", err=True
            )
            return INTERRUPTED
    click.echo(orjson.dumps(progress.as_json()).decode() if as_json else progress.table())
    return 1 if progress.unfinished else 0
