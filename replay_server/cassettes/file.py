"""A cassette as a file that is written: whole, atomically, and byte for byte the same where nothing changed."""

import os
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from replay_server.cassettes.config import Config
from replay_server.cassettes.matching import Keyed
from replay_server.cassettes.reader import read_cassette
from replay_server.cassettes.yaml import documents
from replay_server.cassettes.yaml_writer import dump
from replay_server.endpoints.base import Resource
from replay_server.endpoints.table import implied_endpoint, resource_named
from replay_server.errors import UsageError
from replay_server.interaction import Interaction, Json, JsonObject, Request
from replay_server.keys import canonical_json

_SEPARATOR = re.compile(rb"^---(?:[ \t][^\n]*)?(?:\n|\Z)", re.MULTILINE)
Identity = bytes
"""What makes two requests the same to a recorder."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An interaction in a file, with its text there (comments too) and its fields."""

    text: str
    fields: JsonObject
    interaction: Interaction


class CassetteFile:
    """The documents of one cassette, by what they request."""

    def __init__(self, directory: Path, name: str, config: Config) -> None:
        self.name = name
        self.path = directory / name
        self.config = config
        self.existed = self.path.exists()
        self._before = self.path.read_bytes() if self.existed else b""
        self.documents = self._read()
        self._by_identity: dict[Identity, Stored] = {}
        for identity, stored in self.documents:
            self._by_identity.setdefault(identity, stored)

    def find(self, identity: Identity) -> Stored | None:
        """The document for a request."""
        return self._by_identity.get(identity)

    def _read(self) -> list[tuple[Identity, Stored]]:
        interactions = list(read_cassette(self.name, self._before, str(self.path)))
        texts = [text for text in _SEPARATOR.split(self._before) if text.strip()]
        found = []
        documented = [text for text in texts if next(documents(text), None) is not None]
        for interaction, text in zip(interactions, documented, strict=True):
            value = next(documents(text)).value
            fields = value if isinstance(value, dict) else {}
            resource = resource_named(interaction.endpoint)
            identity = self.identity(resource, resource.from_cassette(interaction.request))
            found.append((identity, Stored(text.decode(), fields, interaction)))
        return found

    def identity(self, resource: Resource, request: Request) -> Identity:
        """What a request has in common with all that are the same: key, shape, other parameters, and mode."""
        keyed = Keyed(resource, request, self.config)
        return canonical_json([keyed.key, keyed.shape, keyed.drifting, request.stream])

    def write(self, texts: Iterable[str]) -> bool:
        """Replace the file, if that changes it; whether it did. Raises UsageError."""
        data = "---\n".join(texts).encode()
        if data == self._before:
            return False
        write_atomically(self.path, data)
        self._before = data
        return True


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


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it is whole at any moment: under another name first, then in one step. Raises UsageError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_through(temporary, data)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}; what was there is untouched") from None


def _write_through(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
