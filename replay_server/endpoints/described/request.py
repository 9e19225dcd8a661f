"""A request as its description reads it: the query and the form have types, JSON has its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from replay_server.endpoints.described.api import Described, Parameter
from replay_server.endpoints.http_form import MULTIPART, read_multipart, read_pairs
from replay_server.endpoints.openai import parse_object
from replay_server.endpoints.shapes import Shape, alternatives
from replay_server.errors import BadRequest
from replay_server.interaction import Json, JsonObject, RawRequest
from replay_server.keys import too_deep

_FORM = "application/x-www-form-urlencoded"
_EVERYWHERE = frozenset({"api-version", "beta"})
"""Names in a query that every path takes: Azure's version, and the one by which SDKs ask for what is new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request says. `schema` is that of its body, None where the description has none for it."""

    query: JsonObject
    body: JsonObject
    schema: Shape | None
    files: Mapping[str, bytes] = field(default_factory=dict)
    """The bytes of what is uploaded, by the names of its parts."""

    @property
    def streams(self) -> bool:
        """Whether a stream is asked for."""
        return self.body.get("stream") is True


def read(described: Described, raw: RawRequest, *, lenient: bool = False) -> Asked:
    """Read a request. Raises BadRequest for a body that cannot be read; leniently, any JSON will do."""
    query = typed(_query_of(described, raw.query), by_name(described, "query"))
    kind = raw.headers.get("content-type", "").partition(";")[0].strip().lower()
    schema = described.requests.get(kind) or next(iter(described.requests.values()), None)
    if not raw.body or schema is None:
        return Asked(query=query, body={}, schema=schema if described.requests else None)
    if kind == MULTIPART:
        return _read_multipart(raw, query, schema)
    # What curl calls a form is JSON, unless the description has forms.
    if kind == _FORM and kind in described.requests and (pairs := read_pairs(raw.body)) is not None:
        return Asked(query=query, body=typed(pairs, _properties(schema)), schema=schema)
    if kind in described.requests and not is_json(kind):
        return Asked(query=query, body={}, schema=None)  # SDP, bytes: there is nothing to look at
    try:
        return Asked(query=query, body=parse_object(raw.body), schema=schema)
    except BadRequest as error:
        if lenient and error.code is not None:  # it is JSON, and no object
            return Asked(query=query, body={}, schema=schema)
        raise


def is_json(media: str) -> bool:
    """Whether a media type is JSON: `application/problem+json` is."""
    return media.partition(";")[0].endswith(("/json", "+json"))


def by_name(described: Described, place: str) -> dict[str, Shape]:
    """The schemas of the parameters in one place."""
    return {_bare(each.name): each.schema for each in of(described, place)}


def of(described: Described, place: str) -> Iterable[Parameter]:
    """The parameters in one place."""
    return (each for each in described.parameters if each.place == place)


def _query_of(described: Described, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The query without what tells one operation of its path from another, and what every path takes."""
    known = by_name(described, "query")
    return [(n, v) for n, v in pairs if (n, v) not in described.query and (n in known or n not in _EVERYWHERE)]


def _read_multipart(raw: RawRequest, query: JsonObject, schema: Shape) -> Asked:
    parts = read_multipart(raw.headers["content-type"], raw.body)
    if parts is None:
        raise BadRequest("Could not parse the multipart form of your request: it is cut short, or has no boundary.")
    pairs, files = [], {}
    for part in parts:
        head = part.head()
        name, data = str(head.get("name", "")), bytes(part.data)
        if "filename" in head:
            files[_bare(name)] = data
        pairs.append((name, data.decode(errors="replace") if "filename" not in head else str(head["filename"])))
    return Asked(query=query, body=typed(pairs, _properties(schema)), schema=schema, files=files)


def _properties(schema: Shape) -> dict[str, Shape]:
    return {name: each for shape in alternatives(schema) for name, each in shape.get("properties", {}).items()}


# Text to types -------------------------------------------------------------------------------------------------------


def typed(pairs: Iterable[tuple[str, str]], schemas: Mapping[str, Shape]) -> dict[str, Json]:
    """Names and texts as JSON: `limit=2`, `include[]=a`, `metadata[k]=v`. A text that is no number stays one."""
    found: dict[str, Any] = {}
    for name, text in pairs:
        _put(found, name.replace("]", "").split("["), text, schemas)
    return found


def _put(found: dict[str, Any], keys: list[str], text: str, schemas: Mapping[str, Shape]) -> None:
    """Put a text where its name says. What contradicts an earlier one is left out."""
    first, *rest = keys
    schema = schemas.get(first, {})
    if rest == [""] or (not rest and _is_list(schema)):
        items = found.setdefault(first, [])
        if isinstance(items, list):
            items += _items(text, _item(schema), one=bool(rest))
    elif rest:
        inner = found.setdefault(first, {})
        if isinstance(inner, dict):
            _put(inner, rest, text, _properties(schema))
    else:
        found[first] = _value(text, schema)


def _items(text: str, schema: Shape, *, one: bool) -> list[Json]:
    """`a,b` is two items, and `["a","b"]` too, where the name does not say that it is one of a list."""
    if not one and text.startswith("[") and isinstance(found := _json(text), list):
        return found
    return [_value(each, schema) for each in ([text] if one else text.split(","))]


def _bare(name: str) -> str:
    return name.removesuffix("[]")


def _is_list(schema: Shape) -> bool:
    kinds = [shape["type"] for shape in alternatives(schema)]
    return "array" in kinds and "string" not in kinds


def _item(schema: Shape) -> Shape:
    arrays = (shape for shape in alternatives(schema) if shape["type"] == "array")
    found: Shape = next(arrays, {}).get("items", {})
    return found


def _value(text: str, schema: Shape) -> Json:
    """The text as the first type of the schema that can be read from it."""
    shapes = alternatives(schema)
    if text.startswith("{") and any(shape["type"] == "object" for shape in shapes):
        return _json(text)
    for shape in shapes:
        match shape["type"]:
            case "boolean" if text in ("true", "false"):
                return text == "true"
            case "integer" if text.lstrip("-").isdecimal():
                return int(text[:20])
            case "number" if _is_number(text):
                return float(text)
            case "string" | "any":
                return text
    return text


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdecimal() and len(text) < 40


def _json(text: str) -> Json:
    """The JSON of a text, which is the text itself where it is none."""
    try:
        value: Json = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return text if too_deep(value) else value
