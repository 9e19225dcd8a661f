"""A cassette as a file that is written: whole, atomically, and byte for byte the same where nothing changed."""

import codecs
import os
import re
import secrets
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from replay_server.cassettes.atomic import is_temporary, write_atomically
from replay_server.cassettes.config import Config
from replay_server.cassettes.matching import Keyed
from replay_server.cassettes.reader import read_cassette
from replay_server.cassettes.yaml import documents
from replay_server.cassettes.yaml_writer import dump
from replay_server.endpoints.base import Resource
from replay_server.endpoints.table import implied_endpoint, resource_named
from replay_server.errors import CassetteError, UsageError
from replay_server.interaction import Interaction, Json, JsonObject, Request
from replay_server.keys import canonical_json

if sys.platform != "win32":
    import fcntl

_SEPARATOR = re.compile(rb"^---(?:[ \t][^\r\n]*)?(?:\r?\n|\Z)", re.MULTILINE)
_BARE_SEPARATOR = re.compile(rb"\A---\r?\n")
"""In front of a file it says nothing."""
Identity = bytes
"""What makes two requests the same to a recorder."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An interaction in a file, with its text there (comments too) and its fields."""

    text: str
    fields: JsonObject
    interaction: Interaction
    at: int
    """Where its text begins in the file, in bytes."""


class CassetteFile:
    """The documents of one cassette, by what they request."""

    def __init__(self, directory: Path, name: str, config: Config) -> None:
        self.name = name
        self.path = directory / name
        self.config = config
        self._before = _read_bytes(self.path)
        self.existed = self._before is not None
        self._parse()

    def _parse(self) -> None:
        self.documents = self._read(self._before or b"")
        self._by_identity: dict[Identity, Stored] = {}
        for identity, stored in self.documents:
            self._by_identity.setdefault(identity, stored)

    def find(self, identity: Identity) -> Stored | None:
        """The document for a request."""
        return self._by_identity.get(identity)

    def identity(self, resource: Resource, request: Request) -> Identity:
        """What a request has in common with all that are the same."""
        return Keyed(resource, request, self.config).identity

    def _read(self, data: bytes) -> list[tuple[Identity, Stored]]:
        interactions = list(read_cassette(self.name, data, str(self.path)))
        values = [(at, text, document.value) for at, text in _texts(data) if (document := next(documents(text), None))]
        if len(values) != len(interactions):
            raise CassetteError(str(self.path), 1, "cannot be added to: put a line of --- between its documents")
        return [
            (
                self._identity_of(interaction),
                Stored(text.decode(), value if isinstance(value, dict) else {}, interaction, at),
            )
            for interaction, (at, text, value) in zip(interactions, values, strict=True)
        ]

    def _identity_of(self, interaction: Interaction) -> Identity:
        if interaction.conditions is not None:  # no request is the same as a matcher: it stays where it is
            return canonical_json(["matcher", interaction.place])
        resource = resource_named(interaction.endpoint)
        return self.identity(resource, resource.from_cassette(interaction.request))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else who asks for the lock writes meanwhile; what others have written by now is in `documents`."""
        with locked_directory(self.path.parent):
            now = _read_bytes(self.path)
            if now != self._before:
                self._before = now
                self._parse()
            yield

    def replace(self, texts: Mapping[int, str]) -> None:
        """Put texts in the place of documents, by their place in the file. All else stays, byte for byte.

        Raises UsageError.
        """
        data = self._before or b""
        for place in sorted(texts, reverse=True):  # from the end, so that what lies before stays where it is
            stored = self.documents[place][1]
            end = stored.at + len(stored.text.encode())
            data = data[: stored.at] + texts[place].encode() + data[end:]
        self._replace(data)
        self._parse()

    def write(self, texts: Iterable[str]) -> None:
        """Replace the file, if that changes it. Raises UsageError."""
        self._replace("---\n".join(texts).encode())

    def remove(self, places: Collection[int]) -> None:
        """Take out the documents at these places (from 1); all else stays byte for byte. Raises UsageError.

        A file that would hold no document any more goes altogether.
        """
        kept, place, left = [], 0, 0
        for part in _parts(self._before or b""):
            is_document = next(documents(part), None) is not None
            place += is_document
            if not (is_document and place in places):
                kept.append(part)
                left += is_document
        if left:
            self._replace(_BARE_SEPARATOR.sub(b"", b"".join(kept), count=1))
        else:
            _delete(self.path)

    def _replace(self, data: bytes) -> None:
        if data != (self._before or b""):
            write_atomically(self.path, data)
            self._before = data


def _parts(data: bytes) -> Iterator[bytes]:
    """The bytes of a file, cut before each separator: a document with the comments in front of it, or these alone."""
    starts = [0, *(found.start() for found in _SEPARATOR.finditer(data) if found.start()), len(data)]
    return (data[start:end] for start, end in pairwise(starts))


def _delete(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise UsageError(f"{path}: cannot be removed: {error.strerror}") from None


def _texts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The texts of the documents, with the places where they begin."""
    text = data.removeprefix(codecs.BOM_UTF8)
    start, mark = 0, len(data) - len(text)
    for separator in _SEPARATOR.finditer(text):
        yield mark + start, text[start : separator.start()]
        start = separator.end()
    yield mark + start, text[start:]


def _read_bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


@contextmanager
def locked_directory(directory: Path) -> Iterator[None]:
    """Other processes that record into the directory wait. The lock goes with the process, and leaves no file.

    The directory is made where there is none. Raises UsageError.
    """
    try:
        descriptor = _open_directory(directory)
    except OSError as error:
        raise _not_writable(directory, error) from None
    try:
        yield
    finally:
        os.close(descriptor)


def _open_directory(directory: Path) -> int:
    """The directory as a descriptor with the lock."""
    directory.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":  # it has no such lock, and opens no directories
        return os.open(os.devnull, os.O_RDONLY)
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def make_directory(directory: Path) -> None:
    """Make a directory that can be written to. Raises UsageError."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / f".{secrets.token_hex(8)}.tmp"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise _not_writable(directory, error) from None


def _not_writable(directory: Path, error: OSError) -> UsageError:
    return UsageError(f"{directory}: cannot be written to: {error.strerror}")


def sweep(directory: Path) -> None:
    """Remove what writers that were killed have left behind, here and below."""
    for folder, _, files in os.walk(directory):
        left = [name for name in files if is_temporary(name)]
        if left:
            _remove(Path(folder), left)


def _remove(folder: Path, names: Iterable[str]) -> None:
    # Where the lock is ours nobody is writing: what has such a name still, nobody will finish.
    with suppress(UsageError, OSError), locked_directory(folder):  # suppressed: a folder of somebody else's
        for name in names:
            (folder / name).unlink(missing_ok=True)


def document_text(
    request: JsonObject,
    resource: Resource,
    responses: Sequence[JsonObject],
    first: JsonObject,
    last: JsonObject,
) -> str:
    """The text of a document, with the fields that stand before request and after response."""
    fields: dict[str, Json] = dict(first)
    if implied_endpoint(dict(request)) != resource.name:
        fields["endpoint"] = resource.name
    fields["request"] = dict(request)
    fields["response"] = dict(responses[0]) if len(responses) == 1 else [dict(response) for response in responses]
    return dump({**fields, **last})
