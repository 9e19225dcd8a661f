"""Refuses what the description does not allow, in the words of the live API."""

from collections.abc import Mapping
from typing import Any, cast

from replay_server.endpoints import refusals
from replay_server.endpoints.described.api import Api, Described
from replay_server.endpoints.described.request import Asked, by_name, of, typed
from replay_server.endpoints.shapes import Reference, Shape, alternatives
from replay_server.endpoints.validation import check
from replay_server.errors import BadRequest
from replay_server.interaction import Json, JsonObject, RawRequest
from replay_server.schema.check import fits


def check_request(api: Api, described: Described, raw: RawRequest, parameters: Mapping[str, str], asked: Asked) -> None:
    """Raise BadRequest for the first fault: of the path, the query, the headers, the body."""
    _check_parameters(api, described, "path", typed(parameters.items(), by_name(described, "path")))
    _check_parameters(api, described, "query", asked.query)
    for parameter in of(described, "header"):
        if parameter.required and parameter.name.lower() not in raw.headers:
            raise refusals.missing(parameter.name)
    if asked.schema is not None and (raw.body or described.body_required):
        _check_body(api, asked.body, asked.schema)


def _check_parameters(api: Api, described: Described, place: str, given: JsonObject) -> None:
    required = [each.name.removesuffix("[]") for each in of(described, place) if each.required]
    shape: Shape = {"type": "object", "properties": by_name(described, place), "required": required}
    if not api.closed:
        shape = {**shape, "additionalProperties": True}
    check(given, shape)


def _check_body(api: Api, body: JsonObject, schema: Shape) -> None:
    """The words are for the alternative that is meant most likely: one that takes the body is never refused."""
    shapes = [shape for shape in alternatives(schema) if shape["type"] in ("object", "any")]
    if not shapes:
        return
    named = {name for shape in shapes for name in shape.get("properties", {})}
    allowed = [shape.get("additionalProperties", not api.closed) for shape in shapes]
    open_ended = any(each is not False for each in allowed) or not named
    rest: dict[str, Any] = {"additionalProperties": True} if open_ended or len(shapes) > 1 else {}
    try:
        check(body, {**_likeliest(shapes, body), "type": "object", **rest})
    except BadRequest:
        if not _accepts(api, body, shapes, named if not open_ended else set(body)):
            raise
    if not open_ended:
        for name in body:
            if name not in named:
                raise refusals.unknown(name)


def _likeliest(shapes: list[Shape], body: JsonObject) -> Shape:
    """The alternative that has most of the body's names, of those that demand least."""

    def likeness(shape: Shape) -> tuple[int, int]:
        known = sum(name in shape.get("properties", {}) for name in body)
        return known, -len([name for name in shape.get("required", ()) if name not in body])

    return max(shapes, key=likeness)


def _accepts(api: Api, body: JsonObject, shapes: list[Shape], named: set[str]) -> bool:
    if not named.issuperset(body):
        return False
    schema: Shape = {"anyOf": [_sound(shape) for shape in shapes]}
    root = corrected_schema(api, schema)
    return any(fits(each, root, root) for each in (dict(body), _without_nulls(dict(body))))


def corrected_schema(api: Api, schema: Shape) -> JsonObject:
    """The schema standing alone, its components with what is known of the live API."""
    rooted = cast("Any", api.rooted(schema))
    components = rooted.get("$defs", {})
    known = {name: {"anyOf": [*map(_sound, api.shapes(api.reference(name)))]} for name in components}
    return {**rooted, "$defs": known}


def _sound(shape: Shape) -> Shape:
    """A shape as a schema: `any` is no type."""
    if isinstance(shape, Reference):
        return shape
    return {key: value for key, value in shape.items() if (key, value) != ("type", "any")}


def _without_nulls(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value
