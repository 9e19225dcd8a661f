"""A request as it came over HTTP, as a mapping that reads well in a cassette, and back.

`query` has what stands behind the `?`; the body is one of `body` (JSON), `form` (the parts of a form, in order) and
`raw` (text, or base64). A long part of a form, and a long body that is no JSON, is kept as its SHA-256: to know it
again is enough.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

import orjson

from replay_server.endpoints.base import BadField
from replay_server.endpoints.short_form import items, known, optional, required
from replay_server.interaction import Json, JsonObject
from replay_server.keys import too_deep

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

HTTP_FIELDS = ("query", "body", "form", "raw")
PART_FIELDS = ("name", "filename", "content_type", "value", "base64", "sha256", "bytes")
LONGEST_KEPT = 4096
"""Bytes of a part, or of a body that is not JSON, that are kept as they are."""

_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_BOUNDARY = "replay-server-e3b0c44298fc1c149afbf4c8996fb924"
_PARAMETER = re.compile(r';\s*(?P<name>[\w-]+)\s*=\s*(?:"(?P<quoted>(?:\\.|[^"\\])*)"|(?P<plain>[^\s;"]+))')


class NotKept(Exception):
    """A request that cannot be made again: only the hash of what it carried was kept."""


def http_fields(query: Iterable[tuple[str, str]], content_type: str, body: bytes) -> dict[str, Json]:
    """The fields of a request: `{query, body | form | raw}`, without what is empty."""
    fields: dict[str, Json] = {}
    if named := _by_name(query):
        fields["query"] = named
    return fields | _body_fields(content_type, body) if body else fields


def _by_name(query: Iterable[tuple[str, str]]) -> dict[str, Json]:
    """A text for a name that comes once, a list for one that comes again."""
    values: dict[str, list[Json]] = {}
    for name, value in query:
        values.setdefault(name, []).append(value)
    return {name: given[0] if len(given) == 1 else given for name, given in values.items()}


def _body_fields(content_type: str, body: bytes) -> dict[str, Json]:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == _MULTIPART and (parts := read_multipart(content_type, body)) is not None:
        return {"form": [part.fields() for part in parts]}
    if kind == _FORM and (pairs := _read_pairs(body)) is not None:
        return {"form": [{"name": name, "value": value} for name, value in pairs]}
    # Whatever it is called: clients that forget the content type are many, and no other text is an object.
    value = _read_json(body)
    return {"raw": _kept(body)} if value is None else {"body": value}


def _read_json(body: bytes) -> Json:
    try:
        value: Json = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return None if too_deep(value) else value


def _read_pairs(body: bytes) -> list[tuple[str, str]] | None:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        return None


def _kept(data: bytes) -> Json:
    """Bytes as text, as base64, or where they are many as their hash."""
    if len(data) > LONGEST_KEPT:
        return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


# Forms ---------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Part:
    """A part of a form."""

    headers: dict[str, str] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)
    header: tuple[bytearray, bytearray] = field(default_factory=lambda: (bytearray(), bytearray()))

    def end_header(self) -> None:
        name, value = self.header
        self.headers[name.decode("latin-1").lower()] = value.decode(errors="replace")
        self.header = (bytearray(), bytearray())

    def head(self) -> dict[str, Json]:
        """`{name, filename, content_type}`, without what it does not have."""
        named = parameters(self.headers.get("content-disposition", ""))
        found: dict[str, Json] = {name: named[name] for name in ("name", "filename") if name in named}
        if content_type := self.headers.get("content-type"):
            found["content_type"] = content_type
        return found

    def fields(self) -> dict[str, Json]:
        """`{name, filename, content_type, value | base64 | sha256, bytes}`, without what it does not have."""
        kept = _kept(bytes(self.data))
        return {**self.head(), **(kept if isinstance(kept, dict) else {"value": kept})}


def parameters(header: str) -> dict[str, str]:
    """The parameters of a header such as `form-data; name="file"`. Source: RFC 7578, section 4.2, as browsers do it."""
    found = {}
    for match in _PARAMETER.finditer(header):
        quoted = match["quoted"]
        found[match["name"].lower()] = match["plain"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    return found


def read_multipart(content_type: str, body: bytes) -> list[Part] | None:
    """The parts of a form, None where it is broken."""
    # A library, as framing has many corners; imported here, as few requests are forms.
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser

    parts: list[Part] = []
    ended: list[bool] = []
    callbacks: MultipartCallbacks = {
        "on_part_begin": lambda: parts.append(Part()),
        "on_header_field": lambda data, start, end: parts[-1].header[0].extend(data[start:end]),
        "on_header_value": lambda data, start, end: parts[-1].header[1].extend(data[start:end]),
        "on_header_end": lambda: parts[-1].end_header(),
        "on_part_data": lambda data, start, end: parts[-1].data.extend(data[start:end]),
        "on_end": lambda: ended.append(True),
    }
    try:
        parser = MultipartParser(parameters(content_type).get("boundary", ""), callbacks)
        parser.write(body)
        parser.finalize()
    except (FormParserError, UnicodeEncodeError):
        return None
    return parts if ended else None


# Back ----------------------------------------------------------------------------------------------------------------


def http_request(fields: JsonObject) -> tuple[tuple[tuple[str, str], ...], str, bytes]:
    """The query, the content type and the body of a request with these fields. Raises NotKept."""
    query = tuple(_pairs(optional(fields, "query", dict) or {}))
    if "form" in fields:
        return query, *_write_form(items(fields, "form", dict))
    if "raw" in fields:
        return query, "application/octet-stream", _bytes_of(fields["raw"])
    return query, "application/json", orjson.dumps(fields["body"]) if "body" in fields else b""


def _pairs(named: JsonObject) -> Iterable[tuple[str, str]]:
    for name, values in named.items():
        yield from ((name, str(value)) for value in (values if isinstance(values, list) else [values]))


def _write_form(parts: tuple[JsonObject, ...]) -> tuple[str, bytes]:
    if all(part.keys() <= {"name", "value"} for part in parts):
        return _FORM, urlencode([(str(part.get("name", "")), str(part["value"])) for part in parts]).encode()
    written = b"".join(b"--%b\r\n%b\r\n" % (_BOUNDARY.encode(), _write_part(part)) for part in parts)
    return f"{_MULTIPART}; boundary={_BOUNDARY}", written + b"--%b--\r\n" % _BOUNDARY.encode()


def _write_part(part: JsonObject) -> bytes:
    named = "".join(f'; {name}="{_quoted(str(part[name]))}"' for name in ("name", "filename") if name in part)
    head = f"content-disposition: form-data{named}\r\n"
    if "content_type" in part:
        head += f"content-type: {part['content_type']}\r\n"
    return head.encode() + b"\r\n" + _bytes_of(part.get("value", dict(part)))


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _bytes_of(kept: Json) -> bytes:
    if isinstance(kept, dict):
        if "base64" not in kept:
            raise NotKept("of what was uploaded only the hash was kept")
        return base64.b64decode(str(kept["base64"]))
    return str(kept).encode()


# Checked -------------------------------------------------------------------------------------------------------------


def check_http_fields(fields: JsonObject) -> None:
    """Raise BadField for fields that are none of a request."""
    known(fields, HTTP_FIELDS)
    bodies = [name for name in ("body", "form", "raw") if name in fields]
    if len(bodies) > 1:
        raise BadField((bodies[1],), f"stands beside {bodies[0]}, and a request has one body: remove one")
    for name, value in (optional(fields, "query", dict) or {}).items():
        if not isinstance(value, str) and not (
            isinstance(value, list) and all(isinstance(item, str) for item in value)
        ):
            raise BadField(("query", name), f"must be a text, or a list of texts, not {value!r}: put it in quotes")
    for at, part in enumerate(items(fields, "form", dict)):
        _check_part(part, at)
    if "raw" in fields:
        _check_raw(fields["raw"])


def _check_part(part: JsonObject, at: int) -> None:
    try:
        known(part, PART_FIELDS)
        _check_kept(part, ("value", "base64", "sha256"))
    except BadField as error:
        raise error.below("form", at) from None


def _check_raw(raw: Json) -> None:
    if isinstance(raw, str):
        return
    if not isinstance(raw, dict):
        raise BadField(("raw",), f"must be a text, or a mapping with base64 or sha256, not {raw!r}")
    try:
        known(raw, ("base64", "sha256", "bytes"))
        _check_kept(raw, ("base64", "sha256"))
    except BadField as error:
        raise error.below("raw") from None


def _check_kept(holder: JsonObject, names: tuple[str, ...]) -> None:
    """One of the names is there, and a text."""
    given = [name for name in names if name in holder]
    if len(given) != 1:
        raise BadField((), f"must have one of {', '.join(names)}")
    text = required(holder, given[0], str)
    if given == ["base64"]:
        try:
            base64.b64decode(text, validate=True)
        except ValueError as error:
            raise BadField(("base64",), f"is not base64: {error}") from None


def flattened(fields: Mapping[str, Json]) -> dict[str, Json]:
    """The members of a request in one mapping, so that each is a part of its own: `?limit`, `model`, `form[0]`."""
    query = optional(fields, "query", dict) or {}
    found: dict[str, Json] = {f"?{name}": query[name] for name in sorted(query)}
    body = fields.get("body")
    if isinstance(body, dict):
        return found | body
    return found | {name: fields[name] for name in ("body", "form", "raw") if name in fields}
