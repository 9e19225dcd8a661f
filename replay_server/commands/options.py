"""Options and arguments that several commands share."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

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


def wants_color() -> bool | None:
    """Whether what is printed is coloured: None where that is for a terminal to say. See no-color.org."""
    if os.environ.get("NO_COLOR"):
        return False
    return True if os.environ.get("FORCE_COLOR") else None
