"""A form with files as the body of a request: its fields by name, with the types that they have in JSON.

A file is `{filename, content_type, value | base64 | sha256, bytes}`: what is long is kept as its SHA-256, so that no
upload lies in a cassette, and each is known again.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import orjson

from replay_server.endpoints.base import BadField
from replay_server.endpoints.http_form import (
    LONGEST_KEPT,
    PART_FIELDS,
    bytes_of,
    check_kept,
    kept_fields,
    read_multipart,
)
from replay_server.endpoints.short_form import known
from replay_server.errors import BadRequest
from replay_server.interaction import Json, JsonObject
from replay_server.keys import normalise

FILE_FIELDS = ("filename", "content_type", "value", "base64", "sha256", "bytes", "seconds")
_MEMBER = re.compile(r"(?P<name>[^\[\]]+)\[(?P<member>[^\[\]]+)\]")
_WORDS: Mapping[str, Json] = {"true": True, "false": False}
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_BINARY = "application/octet-stream"

About = Callable[[bytes], JsonObject]
"""What else is to be known of a file, of which only the hash may be kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFields:
    """Which fields of a form are something other than one text."""

    files: frozenset[str]
    lists: frozenset[str] = frozenset()
    integers: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    booleans: frozenset[str] = frozenset()

    def read(self, name: str, text: str) -> Json:
        """The value that a text stands for; the text itself, where it stands for none."""
        if name in self.booleans:
            return _WORDS.get(text.lower(), text)
        if name in self.integers and _INTEGER.fullmatch(text):
            return int(text)
        if name in self.numbers and _NUMBER.fullmatch(text):
            return float(text)
        return text


# From the wire -------------------------------------------------------------------------------------------------------


def read_form(content_type: str, body: bytes, fields: FormFields, about: About) -> dict[str, Json]:
    """The body that a form is. Raises BadRequest."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise _unsupported(content_type)
    parts = read_multipart(content_type, body)
    if parts is None:
        raise BadRequest("Could not parse multipart form")
    found: dict[str, Json] = {}
    for part in parts:
        head, data = part.head(), bytes(part.data)
        name = str(head.pop("name", ""))
        value: Json = data.decode(errors="replace")
        if "filename" in head:
            value = {**head, **kept_fields(data), **about(data)}
        add(found, name, value, fields)
    return found


def _unsupported(content_type: str) -> BadRequest:
    given = content_type or _BINARY
    return BadRequest(
        f"Unsupported content type: '{given}'. This API method only accepts 'multipart/form-data' requests, but you"
        f" specified the header 'Content-Type: {given}'. Please try again with a supported content type.",
        code="unsupported_content_type",
    )


def add(found: dict[str, Json], name: str, value: Json, fields: FormFields) -> None:
    """Add a field: `name[]`, or the same name again, makes a list, and `name[member]` an object."""
    if member := _MEMBER.fullmatch(name):
        holder = found.setdefault(member["name"], {})
        if isinstance(holder, dict):
            holder[member["member"]] = fields.read(member["member"], value) if isinstance(value, str) else value
        return
    plain = name.removesuffix("[]")
    value = fields.read(plain, value) if isinstance(value, str) else value
    before = found.get(plain)
    if isinstance(before, list):
        before.append(value)
    elif plain in found:
        found[plain] = [before, value]
    else:
        found[plain] = [value] if name != plain or plain in fields.lists else value


# From a cassette -----------------------------------------------------------------------------------------------------


def form_of_parts(parts: Iterable[JsonObject], fields: FormFields) -> dict[str, Json]:
    """The body that the parts of a form are, as they were kept before anybody knew the endpoint."""
    found: dict[str, Json] = {}
    for part in parts:
        kept = {name: value for name, value in part.items() if name != "name"}
        value: Json = kept["value"] if kept.keys() <= {"value", "content_type"} else dict(kept)
        add(found, str(part.get("name", "")), value, fields)
    return found


def check_files(body: JsonObject, fields: FormFields) -> None:
    """Raise BadField for what stands for a file and is none."""
    for name in fields.files & body.keys():
        value = body[name]
        for at, file in enumerate(value if isinstance(value, list) else [value]):
            try:
                _check_file(file)
            except BadField as error:
                raise error.below(*((name, at) if isinstance(value, list) else (name,))) from None


def _check_file(file: Json) -> None:
    if isinstance(file, str):  # what a client sent in place of one
        return
    if not isinstance(file, dict):
        raise BadField((), f"must be a file: a mapping with value, base64 or sha256, not {file!r}")
    known(file, FILE_FIELDS)
    check_kept(file)


def parts_of(body: JsonObject) -> Iterator[dict[str, Json]]:
    """The parts of the form that a body is."""
    for name, value in body.items():
        several = isinstance(value, list)
        for item in value if isinstance(value, list) else [value]:
            yield _part(f"{name}[]" if several else name, item)


def _part(name: str, value: Json) -> dict[str, Json]:
    if isinstance(value, dict):
        return {"name": name, **{field: member for field, member in value.items() if field in PART_FIELDS}}
    return {"name": name, "value": value if isinstance(value, str) else orjson.dumps(value).decode()}


# For the key ---------------------------------------------------------------------------------------------------------


def content_key(value: Json) -> Json:
    """What of a field's value makes the key: of a file, and of a text that may have been kept so, its SHA-256."""
    if isinstance(value, list):
        keys = [content_key(item) for item in value]
        return keys[0] if len(keys) == 1 else keys
    if isinstance(value, dict) and "sha256" in value:
        return {"sha256": value["sha256"]}
    if isinstance(value, dict) and ("base64" in value or "value" in value):
        return {"sha256": hashlib.sha256(bytes_of(value.get("value", value))).hexdigest()}
    if isinstance(value, str) and len(value) * 4 > LONGEST_KEPT and len(data := value.encode()) > LONGEST_KEPT:
        return {"sha256": hashlib.sha256(data).hexdigest()}
    return normalise(value)


def is_file(value: Json) -> bool:
    """Whether a value is a file."""
    return isinstance(value, dict) and bool({"value", "base64", "sha256"} & value.keys())
