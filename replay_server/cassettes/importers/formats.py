"""The formats that can be imported, and which one a file has."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from replay_server.cassettes.importers.har import read_har
from replay_server.cassettes.importers.items import Item, Unimportable
from replay_server.cassettes.importers.recordings import read_recordings
from replay_server.cassettes.importers.text import load_json
from replay_server.cassettes.importers.vcrpy import LISTS, read_vcrpy

Reader: TypeAlias = Callable[[bytes, Sequence[str]], Iterator[Item]]

AUTO, BATCH = "auto", "batch"
READERS: Mapping[str, Reader] = {"vcrpy": read_vcrpy, "recordings": read_recordings, "har": read_har}
NAMES = (AUTO, *READERS, BATCH)
SUFFIXES = (".yaml", ".yml", ".json", ".jsonl", ".ndjson", ".har", ".zhar")
"""The endings of files that are looked at in a folder; `.gz` may follow."""

_NONE = "is none of a cassette of vcrpy, a recording of OGX, a HAR file and a file of a batch"
_VCRPY_YAML = re.compile(rb"^(?:(?:http_)?interactions:|- *(?:request|response|recorded_at):)", re.MULTILINE)
_SPLIT_YAML = re.compile(rb"^requests:.*^responses:", re.MULTILINE | re.DOTALL)
_OWN_YAML = re.compile(rb"^(?:request|response):", re.MULTILINE)


def unpacked_name(name: str) -> str:
    """The name of a file without the ending of its compression."""
    return name[:-3] if name.lower().endswith(".gz") else name


def detect(data: bytes, name: str) -> str:
    """The format of a file. Raises Unimportable where it has none of them."""
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if name.endswith(".zhar"):
        return "har"
    if start in (b"{", b"["):
        return _detect_json(_json(data))
    if _VCRPY_YAML.search(data) or _SPLIT_YAML.search(data):
        return "vcrpy"
    if _OWN_YAML.search(data):
        raise Unimportable("is a cassette of this server already: copy it, there is nothing to import")
    raise Unimportable(_NONE)


def _json(data: bytes) -> object:
    try:
        return load_json(data)
    except Unimportable as error:
        raise Unimportable(f"{_NONE}: it {error}") from None


def _detect_json(value: object) -> str:
    if isinstance(value, list) and any(isinstance(item, dict) and "request" in item for item in value):
        return "vcrpy"
    if isinstance(value, dict):
        if isinstance(log := value.get("log"), dict) and "entries" in log:
            return "har"
        if any(name in value for name in LISTS):
            return "vcrpy"
        if "request" in value and "response" in value:
            return "recordings"
    raise Unimportable(_NONE)
