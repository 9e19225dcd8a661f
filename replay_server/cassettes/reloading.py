"""Files that changed while their library is in use: read beside it, taken in one step, the last good kept."""

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from replay_server.cassettes.config import FILE_NAME, Config
from replay_server.cassettes.files import Signature, cassette_files, is_cassette, load_config, read_file, signature
from replay_server.cassettes.library import Library, Prepared
from replay_server.cassettes.reader import read_cassette
from replay_server.errors import CassetteError
from replay_server.terminal import printable

log = logging.getLogger("replay_server")


@dataclass(frozen=True, slots=True)
class Changed:
    """What a file holds now: `found` is what a cassette holds, the rules of `replay.yaml`, or what is wrong with it.

    The signature of a file that is gone is None.
    """

    name: str
    signature: Signature | None
    found: Prepared | Config | CassetteError


class Reloader:
    """Keeps a library as its directory is. What a `read` finds is given to `take`; a thread can do the first."""

    def __init__(self, directory: Path, library: Library) -> None:
        self._directory = directory
        self._library = library

    def read(self, names: Collection[str] | None = None) -> list[Changed]:
        """The files that are not as the library knows them, of these names or of all. Raises UsageError."""
        wanted = set(self._all_names() if names is None else names)
        return [changed for name in sorted(wanted) for changed in self._read(name)]

    def _all_names(self) -> Iterator[str]:
        yield FILE_NAME
        yield from self._library.signatures
        if self._directory.exists():
            yield from (name for name, _ in cassette_files(self._directory))

    def _read(self, name: str) -> Iterator[Changed]:
        if name != FILE_NAME and not is_cassette(name):
            return
        path = self._directory / name
        seen = signature(path)  # before the file is read: what changes meanwhile is read again
        if seen != self._library.signatures.get(name):
            yield Changed(name, seen, self._found(name, path, gone=seen is None))

    def _found(self, name: str, path: Path, *, gone: bool) -> Prepared | Config | CassetteError:
        try:
            if name == FILE_NAME:
                return load_config(self._directory)
            now = self._library.prepared([] if gone else read_cassette(name, read_file(str(path), path), str(path)))
            if not (gone or now.interactions):  # as a file looks that is being written just now
                raise CassetteError(str(path), 1, "holds no interaction: add one, or remove the file")
            return now
        except CassetteError as error:
            return error

    def take(self, changes: list[Changed]) -> Config | None:
        """Take what is new of the cassettes; what is broken is told. The new rules, if there are any, are not taken."""
        config = None
        for changed in changes:
            if isinstance(changed.found, CassetteError):
                self._keep(changed, changed.found)
                continue
            if self._library.stale.pop(changed.name, None):
                log.warning("%s: mended", printable(changed.name))
            if isinstance(changed.found, Config):
                config = changed.found
                self._library.signatures |= {changed.name: changed.signature} if changed.signature else {}
            else:
                self._replace(changed, changed.found)
        return config if config != self._library.config else None

    def _keep(self, changed: Changed, error: CassetteError) -> None:
        log.error("%s; its last good version goes on answering", printable(str(error)))
        self._library.stale[changed.name] = str(error)
        if changed.signature is not None:
            self._library.signatures[changed.name] = changed.signature

    def _replace(self, changed: Changed, now: Prepared) -> None:
        if self._library.held(changed.name) == now.interactions and changed.signature is not None:
            self._library.signatures[changed.name] = changed.signature  # written by us, or written anew: nothing to do
        else:
            self._library.replace(changed.name, now, changed.signature)
            log.info("%s: taken", printable(changed.name))


def sign(directory: Path) -> dict[str, Signature]:
    """The signatures of all files of a directory, for a library that is loaded right after. Raises UsageError."""
    names = [FILE_NAME, *(name for name, _ in cassette_files(directory))] if directory.exists() else []
    found = ((name, signature(directory / name)) for name in names)
    return {name: seen for name, seen in found if seen is not None}
