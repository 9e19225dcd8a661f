"""`replay-server serve`."""

import asyncio
import gc
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from replay_server import __version__
from replay_server.commands.options import cassettes_option, fail_on_option
from replay_server.errors import UsageError
from replay_server.server.options import ON_MISS, RECORD_MODES, read_settings
from replay_server.settings import (
    DEFAULT_MAX_BODY,
    DEFAULT_PORT,
    DEFAULT_SESSION_AGE,
    DEFAULT_UPSTREAM_TIMEOUT,
    Settings,
)
from replay_server.terminal import counted

if TYPE_CHECKING:
    from replay_server.replay.decision import Replay
    from replay_server.replay.report import FailOn
    from replay_server.server.run import RunningServer

_ON_MISS = {
    "generate": "a miss is generated",
    "error": "a miss is an error",
    "upstream": "a miss goes to the upstream",
}
_EMPTY = {
    "generate": "every answer will be generated",
    "error": "every answer will be a miss",
    "upstream": "every request goes to the upstream",
}


@click.command("serve")
@cassettes_option("Directory of the cassettes, with its replay.yaml.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, envvar="REPLAY_SERVER_HOST", help="Address to listen on."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    envvar="REPLAY_SERVER_PORT",
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--on-miss",
    type=click.Choice(ON_MISS),
    envvar="REPLAY_SERVER_ON_MISS",
    help="What answers a request that no interaction matches: the generator (default), a 404 that explains it, or the"
    " upstream (default where there is one).",
)
@click.option("--strict", is_flag=True, envvar="REPLAY_SERVER_STRICT", help="Short for --on-miss error.")
@click.option(
    "--api-key",
    "api_keys",
    multiple=True,
    envvar="REPLAY_SERVER_API_KEY",
    metavar="KEY",
    help="A key that is accepted; repeatable. Without one, any key or none is.",
)
@click.option(
    "--admin-key",
    "admin_keys",
    multiple=True,
    envvar="REPLAY_SERVER_ADMIN_KEY",
    metavar="KEY",
    help="A key of the control API under /__replay/; repeatable. Without one, it answers this machine only.",
)
@click.option(
    "--watch",
    is_flag=True,
    envvar="REPLAY_SERVER_WATCH",
    help="Take cassettes and replay.yaml as soon as they change; one that broke keeps its last good version.",
)
@click.option(
    "--session-age",
    type=click.FloatRange(min=0, min_open=True),
    default=DEFAULT_SESSION_AGE,
    show_default=True,
    envvar="REPLAY_SERVER_SESSION_AGE",
    metavar="SECONDS",
    help="A session that nobody has used for so long ends.",
)
@click.option(
    "--save-misses",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="REPLAY_SERVER_SAVE_MISSES",
    metavar="FILE.jsonl",
    help="Append each distinct miss to FILE, for `replay-server record` to make cassettes of.",
)
@click.option(
    "--report",
    "report_file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="REPLAY_SERVER_REPORT",
    metavar="FILE.json",
    help="Write what was used to FILE when the server stops, for `replay-server report` and `prune`.",
)
@fail_on_option("REPLAY_SERVER_FAIL_ON")
@click.option(
    "--max-body",
    type=click.IntRange(min=1),
    default=DEFAULT_MAX_BODY,
    show_default=True,
    envvar="REPLAY_SERVER_MAX_BODY",
    metavar="BYTES",
    help="Longest request body that is read.",
)
@click.option(
    "--upstream",
    "upstreams",
    multiple=True,
    envvar="REPLAY_SERVER_UPSTREAM",
    metavar="[MODEL=|/PATH=]URL",
    help="A real API to stand in front of; repeatable, for a glob of models or a path prefix.",
)
@click.option(
    "--api-key-env",
    "api_key_variables",
    multiple=True,
    envvar="REPLAY_SERVER_API_KEY_ENV",
    metavar="[MODEL=|/PATH=]VARIABLE",
    help="Variable that holds the upstream's key. Without it, the client's own key goes on.",
)
@click.option(
    "--record-mode",
    type=click.Choice(RECORD_MODES),
    default="none",
    show_default=True,
    envvar="REPLAY_SERVER_RECORD_MODE",
    help="What of the upstream's answers is recorded. none: nothing. once: into cassettes that are not there yet."
    " new_episodes: what is not there. all: everything anew.",
)
@click.option(
    "--record-errors",
    is_flag=True,
    envvar="REPLAY_SERVER_RECORD_ERRORS",
    help="Record 401, 408, 429, 5xx and answers that broke off, too.",
)
@click.option(
    "--upstream-timeout",
    type=click.FloatRange(min=0, min_open=True, max=86_400),
    default=DEFAULT_UPSTREAM_TIMEOUT,
    show_default=True,
    envvar="REPLAY_SERVER_UPSTREAM_TIMEOUT",
    metavar="SECONDS",
    help="Longest silence of the upstream.",
)
@click.option(
    "--validation",
    type=click.Choice(["exact", "lenient"]),
    envvar="REPLAY_SERVER_VALIDATION",
    help="Before an answer is made up: exact (default) refuses what the live API refuses; lenient answers whatever can"
    " be read, and any id.",
)
@click.option(
    "--openapi",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    envvar="REPLAY_SERVER_OPENAPI",
    metavar="FILE",
    help="The OpenAPI description (JSON or YAML) of another API to answer, below the path of its servers; repeatable.",
)
@click.option(
    "--pace",
    envvar="REPLAY_SERVER_PACE",
    metavar="PACE",
    help="When the pieces of an answer come: instant (default), recorded, recorded*2 (every gap twice as long), "
    "or a profile such as ttft=300ms,itl=20ms,jitter=0.2.",
)
def command(report_file: Path | None, fail_on: "tuple[FailOn, ...]", **options: Any) -> None:
    """Answer the OpenAI API from cassettes.

    Each option can also be set by its variable: REPLAY_SERVER_PORT for --port, and so on.

    SIGTERM or SIGINT stops it after the answers under way, a second one without them. Then it exits with 1 on what
    --fail-on names, else with 0; with 2 where it could not start or write its report.
    """
    settings = read_settings(**options)
    gc.disable()  # until the cassettes are indexed: nothing of what a start makes is garbage, and looking takes a tenth
    from replay_server.server.run import serve as run

    if report_file is not None:
        _prepare(report_file)
    problems = asyncio.run(run(settings, partial(_report, settings), partial(_conclude, report_file, fail_on)))
    for problem in problems:
        click.echo(f"replay-server: {problem}", err=True)
    if problems:
        raise SystemExit(1)


def _prepare(report_file: Path) -> None:
    """See to it that the report can be written: the run is lost if that comes out at its end."""
    from replay_server.cassettes.file import make_directory

    make_directory(report_file.parent)


def _conclude(report_file: Path | None, fail_on: "tuple[FailOn, ...]", replay: "Replay") -> list[str]:
    """Write the report; what the run fails on."""
    if report_file is None and not fail_on:
        return []
    from replay_server.cassettes.atomic import write_atomically
    from replay_server.replay.report import failures
    from replay_server.replay.report_file import report_text

    report = replay.tally.report(replay.library)
    if report_file is not None:
        write_atomically(report_file, report_text(report))
    return failures(report, fail_on)


def _report(settings: Settings, server: "RunningServer", replay: "Replay") -> None:
    library = replay.library
    if not len(library) and settings.record_mode == "none":
        _warn_empty(library.directory, replay.on_miss, may_fill=replay.saves_misses or settings.watch)
    recording = f" - recording ({settings.record_mode})" if settings.record_mode != "none" else ""
    click.echo(
        f"replay-server {__version__} on {server.url}/v1"
        f" - {counted(library.cassettes, 'cassette')}, {counted(len(library), 'interaction')}"
        f" - {_ON_MISS[replay.on_miss]}{recording}{' - watching' if settings.watch else ''}"
    )


def _warn_empty(directory: str, on_miss: str, *, may_fill: bool) -> None:
    there = "holds no cassettes" if Path(directory).exists() else "does not exist"
    if on_miss == "error" and not may_fill:
        raise UsageError(
            f"{directory} {there}, so in strict mode nothing could be answered: name another with --cassettes"
        )
    click.echo(f"replay-server: warning: {directory} {there}: {_EMPTY[on_miss]}", err=True)
