"""What GitHub Actions shows of a run: annotations, and the summary of a step.

Source: docs.github.com, "Workflow commands for GitHub Actions". A runner takes any line of output that begins with
`::name` for a command, and `##[name]` anywhere in it; so text from elsewhere is disarmed before it is printed there.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from replay_server.replay.explanation import Explanation

Level = Literal["error", "warning", "notice"]

MOST_SUMMARY = 1024 * 1024
"""Bytes that a runner takes as the summary of one step."""

_COMMAND = re.compile(r"^([^\S\n]*):(?=:)|##(?=\[)", re.MULTILINE)
_LEFT_OUT = b"\n\nMore is left out: the summary of a step has no more room.\n"


def runs_there(environment: Mapping[str, str]) -> bool:
    """Whether this is a run of GitHub Actions."""
    return environment.get("GITHUB_ACTIONS") == "true"


def annotation(level: Level, message: str, *, title: str = "", file: str = "", line: int = 0) -> str:
    """The workflow command that shows a message at a line of a file."""
    given = {"file": file, "line": str(line) if line and file else "", "title": title}
    properties = ",".join(f"{name}={_property(value)}" for name, value in given.items() if value)
    return f"::{level}{' ' if properties else ''}{properties}::{_data(message)}"


def explanation_annotation(explanation: Explanation, level: Level = "error") -> str:
    """The annotation of a miss: at the interaction that is nearest, where there is one."""
    if not explanation.near:
        return annotation(level, explanation.short(), title=explanation.title)
    interaction = explanation.near[0].interaction
    file = f"{explanation.directory}/{interaction.cassette}"
    return annotation(level, explanation.short(), title=explanation.title, file=file, line=interaction.line)


def disarmed(text: str) -> str:
    """`text` without anything that a runner would take for a command."""
    return _COMMAND.sub(lambda found: f"{found[1] or ''}: " if found[0].endswith(":") else "# #", text)


def add_to_summary(markdown: str, environment: Mapping[str, str]) -> None:
    """Append a section to the summary of the step, where there is one. Raises OSError."""
    path = environment.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    file = Path(path)
    there = file.read_bytes() if file.exists() else b""
    if there.endswith(_LEFT_OUT):
        return
    section = f"{markdown}\n".encode()
    fits = len(there) + len(section) + len(_LEFT_OUT) <= MOST_SUMMARY
    with file.open("ab") as summary:
        summary.write(section if fits else _LEFT_OUT)


def _data(text: str) -> str:
    return disarmed(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
