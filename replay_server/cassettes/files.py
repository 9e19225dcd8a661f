"""The files of a cassette directory."""

import os
from collections.abc import Iterator
from pathlib import Path

from replay_server.cassettes.config import FILE_NAME, Config, read_config
from replay_server.errors import CassetteError, UsageError

_SUFFIXES = (".yaml", ".yml")

Signature = tuple[int, int, int]
"""Time of the last change, size and number of a file: while they are the same, so are its bytes."""


def cassette_files(directory: Path) -> Iterator[tuple[str, Path]]:
    """The cassettes below a directory, with their names in it (`tools/weather.yaml`), in the order of the names.

    Files and folders whose name starts with a dot are not cassettes.
    """
    return iter(sorted(_walk(directory), key=lambda found: found[0]))


def _walk(directory: Path) -> Iterator[tuple[str, Path]]:
    for folder, folders, files in os.walk(directory, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = Path(folder, name)
            relative = path.relative_to(directory).as_posix()
            if is_cassette(relative):
                _check_name(relative)
                yield relative, path


def is_cassette(name: str) -> bool:
    """Whether a file of this name below the directory would be a cassette."""
    hidden = any(part.startswith(".") for part in name.split("/"))
    return name.endswith(_SUFFIXES) and not hidden and name != FILE_NAME


def _check_name(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{name!a}: the name of the file is not UTF-8: rename it") from None


def _refuse(error: OSError) -> None:
    raise UsageError(f"{error.filename}: {error.strerror}")


def read_file(name: str, path: Path) -> bytes:
    """The bytes of a cassette. Raises CassetteError where it cannot be read."""
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise CassetteError(name, 1, "is no regular file: remove it")
    try:
        return path.read_bytes()
    except OSError as error:
        raise CassetteError(name, 1, f"cannot be read: {error.strerror}") from None


def signature(path: Path) -> Signature | None:
    """What a file looks like from outside; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def load_config(directory: Path) -> Config:
    """The `replay.yaml` of a directory; the defaults where there is none."""
    path = directory / FILE_NAME
    return read_config(str(path), read_file(str(path), path)) if path.exists() else Config()
