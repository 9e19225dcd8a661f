"""What the commands that ask an upstream share: running until they are stopped, showing what would be asked."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click
import orjson

from replay_server.terminal import counted, printable

if TYPE_CHECKING:
    from replay_server.record.run import Planned

INTERRUPTED = 130
F = TypeVar("F", bound=Callable[..., object])

_OPTIONS = (
    click.option(
        "--concurrency", type=click.IntRange(min=1), default=4, show_default=True, help="Requests at one time."
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True, max=86_400),
        default=120.0,
        show_default=True,
        metavar="SECONDS",
        help="Longest silence of the upstream.",
    ),
    click.option(
        "--attempts", type=click.IntRange(min=1), default=5, show_default=True, help="Times a request is tried."
    ),
    click.option("--dry-run", is_flag=True, help="List what would be asked, with an estimate of its tokens."),
)


def asking_options(command: F) -> F:
    """How an upstream is asked, in the order in which `--help` lists it."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


class Stopped(Exception):
    """Ctrl-C or SIGTERM has come."""


def run_asking(run: Coroutine[Any, Any, object]) -> None:
    """Run to the end. Raises Stopped, or the error that ended it."""
    try:
        asyncio.run(_until_stopped(run))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise Stopped from None
    except ExceptionGroup as group:
        raise _first(group) from None


async def _until_stopped(run: Coroutine[Any, Any, object]) -> None:
    """Run until it is done or SIGTERM comes: a CI that cancels loses no more than Ctrl-C does."""
    task = asyncio.ensure_future(run)
    if sys.platform != "win32":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await task


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """The error that ended the run: tasks that fail together fail for one reason."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first


def show_plan(planned: "Sequence[Planned]", kind: str, *, as_json: bool) -> None:
    """List what would be asked; `kind` is what JSON calls it that a request is of."""
    if as_json:
        requests = [{kind: request.label, "prompt_tokens": request.tokens} for request in planned]
        click.echo(orjson.dumps({"requests": requests}).decode())
        return
    for request in planned:
        click.echo(printable(f"{request.label}: about {request.tokens} prompt tokens {request.note}".rstrip()))
    total = sum(request.tokens for request in planned)
    click.echo(f"{counted(len(planned), 'request')} would be asked, about {total} prompt tokens; nothing was")
