"""Secrets in the files of a directory: whatever is text there, cassettes, `replay.yaml`, scripts and misses too."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from replay_server.cassettes.files import load_config, read_file
from replay_server.cassettes.redaction.leaks import ALLOWED, leaks
from replay_server.cassettes.redaction.placeholders import placeholder
from replay_server.cassettes.redaction.redactor import Redactor
from replay_server.errors import UsageError
from replay_server.interaction import Json
from replay_server.terminal import counted, printable


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret in a file: where, and the rule that found it. It does not tell the secret."""

    file: str
    line: int
    rule: str
    remedy: str

    def __str__(self) -> str:
        return printable(f"{self.file}:{self.line}: {self.rule}: {self.remedy}")

    def as_json(self) -> dict[str, Json]:
        """The finding for programs."""
        return {"file": self.file, "line": self.line, "rule": self.rule, "remedy": self.remedy}


@dataclass(frozen=True, slots=True)
class Report:
    """The findings, in the order of files and lines."""

    findings: tuple[Finding, ...]
    files: int

    @property
    def summary(self) -> str:
        """The last line."""
        found = counted(len(self.findings), "secret") if self.findings else "no secrets"
        return f"{counted(self.files, 'file')}: {found}"


def scan_directory(directory: Path) -> Report:
    """Search every text file of a directory, by the rules of its `replay.yaml`. Raises UsageError."""
    redactor = load_config(directory).redactor
    findings: list[Finding] = []
    files = 0
    for path in sorted(_walk(directory)):
        data = read_file(str(path), path)
        if b"\0" not in data:
            files += 1
            findings += _scan_name(path, directory, redactor)
            findings += _scan_file(path, data, redactor)
    return Report(tuple(findings), files)


def _walk(directory: Path) -> Iterator[Path]:
    """All files, but those whose name, or folder's name, starts with a dot."""
    for folder, folders, files in os.walk(directory, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (path for name in files if not name.startswith(".") and (path := Path(folder, name)).is_file())


def _refuse(error: OSError) -> None:
    raise UsageError(f"{error.filename}: {error.strerror}")


def _scan_file(path: Path, data: bytes, redactor: Redactor) -> Iterator[Finding]:
    shown = redactor.text(str(path))
    for leak in leaks(path.name, data, redactor):
        instead = f"write {placeholder(leak.rule, 1)} or record it again, and withdraw it"
        yield Finding(shown, leak.line, leak.rule, f"{instead}; if it is none, add the comment # {ALLOWED}")


def _scan_name(path: Path, directory: Path, redactor: Redactor) -> Iterator[Finding]:
    name = path.relative_to(directory).as_posix()
    for leak in leaks("", name.encode(errors="replace"), redactor):
        yield Finding(redactor.text(str(path)), 1, leak.rule, "the name of the file holds it: rename the file")
