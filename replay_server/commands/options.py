"""Options and arguments that several commands share."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from replay_server.replay.report import FailOn

DEFAULT_DIRECTORY = Path("cassettes")
_VARIABLE = "REPLAY_SERVER_CASSETTES"

F = TypeVar("F", bound=Callable[..., object])


def cassettes_option(help_text: str, *, exists: bool = False) -> Callable[[F], F]:
    """`--cassettes DIRECTORY`."""
    return click.option(
        "--cassettes",
        type=click.Path(path_type=Path, exists=exists, file_okay=False),
        default=DEFAULT_DIRECTORY,
        show_default=True,
        envvar=_VARIABLE,
        help=help_text,
    )


def directory_argument() -> Callable[[F], F]:
    """The directory of cassettes as an argument."""
    return click.argument(
        "directory",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        default=DEFAULT_DIRECTORY,
        envvar=_VARIABLE,
    )


def reports_argument(*, as_option: bool = False) -> Callable[[F], F]:
    """The files of reports, or folders of them."""
    kind = click.Path(path_type=Path, exists=True)
    if as_option:
        about = "A report of `serve --report`, or a folder of them; repeatable: what one of them used is used."
        return click.option("--report", "files", type=kind, multiple=True, required=True, metavar="FILE", help=about)
    return click.argument("files", type=kind, nargs=-1, required=True)


def fail_on_option(variable: str) -> Callable[[F], F]:
    """`--fail-on WORD,WORD`."""
    return click.option(
        "--fail-on",
        default="",
        envvar=variable,
        metavar="WORD,WORD",
        callback=lambda _context, _parameter, text: _read_fail_on(text),
        help="Exit with 1 if there was any: miss, generated, unused, drift.",
    )


def _read_fail_on(text: str) -> "tuple[FailOn, ...]":
    if not text:
        return ()
    from replay_server.replay.report import parse_fail_on  # seldom asked for

    try:
        return parse_fail_on(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--fail-on") from None


def wants_color() -> bool | None:
    """Whether what is printed is coloured: None where that is for a terminal to say. See no-color.org."""
    if os.environ.get("NO_COLOR"):
        return False
    return True if os.environ.get("FORCE_COLOR") else None
