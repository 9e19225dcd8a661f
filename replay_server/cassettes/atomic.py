"""Writing a file so that it is whole at any moment, wherever its writer is killed.

Where the system has files without a name (Linux), what is written has none until it is whole: nothing is left of it if
its writer dies. Elsewhere, and for the moment in which one file takes the place of another, there is a name that begins
with a dot and ends with `.tmp`: no cassette, and swept away by the next recorder.
"""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from replay_server.errors import UsageError

_TEMPORARY = ".tmp"
_NAMELESS: int | None = getattr(os, "O_TMPFILE", None)
_NOT_HERE = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT)
"""What file systems say that have no nameless files, or a machine without /proc."""


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file, or replace it, in one step. Raises UsageError."""
    try:
        if not _write_nameless(path, data):
            with _temporary(path) as temporary:
                with temporary.open("xb") as file:
                    _write_through(file.fileno(), data)
                temporary.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}; what was there is untouched") from None


def is_temporary(name: str) -> bool:
    """Whether a file is one that `write_atomically` may have left behind."""
    return name.startswith(".") and name.endswith(_TEMPORARY)


def _write_nameless(path: Path, data: bytes) -> bool:
    """Write the file without a name, then give it its name. False where that cannot be done here."""
    if _NAMELESS is None or not path.parent.is_dir():
        return False
    try:
        descriptor = os.open(path.parent, _NAMELESS | os.O_WRONLY, 0o666)
    except OSError as error:
        if error.errno in _NOT_HERE:
            return False
        raise
    try:
        _write_through(descriptor, data)
        return _name(descriptor, path)
    finally:
        os.close(descriptor)


def _name(descriptor: int, path: Path) -> bool:
    with suppress(FileExistsError):
        return _link(descriptor, path)
    with _temporary(path) as temporary:
        if not _link(descriptor, temporary):
            return False
        temporary.replace(path)
    return True


def _link(descriptor: int, path: Path) -> bool:
    # The folder as a descriptor makes Python call linkat, which alone follows /proc's link to the file.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.link(f"/proc/self/fd/{descriptor}", path.name, dst_dir_fd=folder, follow_symlinks=True)
    except FileNotFoundError:
        return False
    finally:
        os.close(folder)
    return True


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """A name beside a file, for a moment."""
    # Not all of a long name: there is no room for more in it.
    temporary = path.with_name(f".{path.name[:50]}.{secrets.token_hex(8)}{_TEMPORARY}")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _write_through(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
    os.fsync(descriptor)
