"""What GitHub Actions shows of a run: annotations, and the summary of a step.

Source: docs.github.com, "Workflow commands for GitHub Actions".
"""

from collections.abc import Mapping
from pathlib import Path
from string import ascii_letters, digits

from replay_server.terminal import printable

_PLAIN = frozenset(f"{ascii_letters}{digits} ,;")


def runs_there(environment: Mapping[str, str]) -> bool:
    """Whether this is a run of GitHub Actions."""
    return environment.get("GITHUB_ACTIONS") == "true"


def annotation(level: str, message: str, *, title: str) -> str:
    """The workflow command that shows a message."""
    return f"::{level} title={_escaped(title)}::{_escaped(message)}"


def _escaped(text: str) -> str:
    for char, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), (":", "%3A"), (",", "%2C")):
        text = text.replace(char, code)
    return text


def add_to_summary(markdown: str, environment: Mapping[str, str]) -> None:
    """Append a section to the summary of the step, where there is one. Raises OSError."""
    path = environment.get("GITHUB_STEP_SUMMARY")
    if path:
        with Path(path).open("a", encoding="utf-8") as summary:
            summary.write(f"{markdown}\n")


def plain(text: str) -> str:
    """`text` as itself in Markdown: every mark that could mean something becomes its character reference."""
    return "".join(char if char in _PLAIN or not char.isascii() else f"&#{ord(char)};" for char in printable(text))
