"""The files of a cassette directory."""

import os
from collections.abc import Iterator
from pathlib import Path

from replay_server.cassettes.config import FILE_NAME, Config, read_config
from replay_server.errors import CassetteError, UsageError

_SUFFIXES = (".yaml", ".yml")


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
            if path.suffix in _SUFFIXES and not name.startswith(".") and relative != FILE_NAME:
                _check_name(relative)
                yield relative, path


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


def load_config(directory: Path) -> Config:
    """The `replay.yaml` of a directory; the defaults where there is none."""
    path = directory / FILE_NAME
    return read_config(str(path), read_file(str(path), path)) if path.exists() else Config()
