"""`replay-server serve`."""

import asyncio
import gc
from pathlib import Path
from typing import TYPE_CHECKING

import click

from replay_server import __version__
from replay_server.commands.options import cassettes_option
from replay_server.errors import UsageError
from replay_server.settings import DEFAULT_MAX_BODY, DEFAULT_PORT, Settings
from replay_server.terminal import counted

if TYPE_CHECKING:
    from replay_server.replay.decision import Replay
    from replay_server.server.run import RunningServer

_ON_MISS = {"generate": "a miss is generated", "error": "a miss is an error"}


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
    type=click.Choice(list(_ON_MISS)),
    envvar="REPLAY_SERVER_ON_MISS",
    help="What answers a request that no interaction matches: the generator (default), or a 404 that explains it.",
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
    "--save-misses",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="REPLAY_SERVER_SAVE_MISSES",
    metavar="FILE.jsonl",
    help="Append each distinct miss to FILE, for `replay-server record` to make cassettes of.",
)
@click.option(
    "--max-body",
    type=click.IntRange(min=1),
    default=DEFAULT_MAX_BODY,
    show_default=True,
    envvar="REPLAY_SERVER_MAX_BODY",
    metavar="BYTES",
    help="Longest request body that is read.",
)
def command(
    cassettes: Path,
    host: str,
    port: int,
    on_miss: str | None,
    strict: bool,
    api_keys: tuple[str, ...],
    save_misses: Path | None,
    max_body: int,
) -> None:
    """Answer the OpenAI API from cassettes.

    Each option can also be set by its variable: REPLAY_SERVER_PORT for --port, and so on.
    """
    if strict and on_miss == "generate":
        raise UsageError("--strict and --on-miss generate contradict each other: leave one out")
    settings = Settings(
        cassettes=cassettes,
        host=host,
        port=port,
        on_miss="error" if strict else on_miss,
        api_keys=api_keys,
        save_misses=save_misses,
        max_body=max_body,
    )
    gc.disable()  # until the cassettes are indexed: nothing of what a start makes is garbage, and looking takes a tenth
    from replay_server.server.run import serve as run

    asyncio.run(run(settings, _report))


def _report(server: "RunningServer", replay: "Replay") -> None:
    library = replay.library
    if not len(library):
        _warn_empty(library.directory, replay.on_miss, saves_misses=replay.saves_misses)
    click.echo(
        f"replay-server {__version__} on {server.url}/v1"
        f" - {counted(library.cassettes, 'cassette')}, {counted(len(library), 'interaction')}"
        f" - {_ON_MISS[replay.on_miss]}"
    )


def _warn_empty(directory: str, on_miss: str, *, saves_misses: bool) -> None:
    there = "holds no cassettes" if Path(directory).exists() else "does not exist"
    if on_miss == "error" and not saves_misses:
        raise UsageError(
            f"{directory} {there}, so in strict mode nothing could be answered: name another with --cassettes"
        )
    what = "a miss" if on_miss == "error" else "generated"
    click.echo(f"replay-server: warning: {directory} {there}: every answer will be {what}", err=True)
