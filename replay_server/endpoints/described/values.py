"""Values of a schema that say what is known already, wherever names and types agree."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from replay_server.endpoints.described.api import Api
from replay_server.endpoints.described.collections import properties
from replay_server.endpoints.shapes import Shape
from replay_server.errors import ApiError
from replay_server.interaction import Json, JsonObject
from replay_server.schema.check import fits

Generate: TypeAlias = Callable[[JsonObject], Json]
"""A value of a schema that stands alone."""
Valid: TypeAlias = Callable[[Any], bool]


def made(api: Api, schema: Shape, known: Mapping[str, Json], generate: Generate) -> Json:
    """A value of the schema, with what is known of it. Nothing is said that the schema does not allow."""
    root = api.rooted(schema)
    base = _like(root, known, generate)
    if not isinstance(base, dict):
        return base
    names = [name for name in properties(schema) if name in known]
    return _told(base, {name: known[name] for name in names}, lambda value: fits(value, root, root))


def _like(root: JsonObject, known: Mapping[str, Json], generate: Generate) -> Json:
    """A value of the types that are known: what is called `type` tells which of several alternatives is meant."""
    meant = _types(known)
    if not meant:
        return generate(root)
    own: Json = {name: value for name, value in root.items() if name != "$defs"}
    try:
        return generate({"allOf": [own, {"properties": meant}], "$defs": root.get("$defs", {})})
    except ApiError:  # the answer has other types than the request
        return generate(root)


def _types(known: Mapping[str, Json]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, value in known.items():
        if name == "type" and isinstance(value, str):
            found[name] = {"enum": [value]}
        elif isinstance(value, dict) and (inner := _types(value)):
            found[name] = {"properties": inner}
    return found


def _told(base: dict[str, Json], known: Mapping[str, Json], valid: Valid) -> dict[str, Json]:
    """`base` with all that is known; what does not fit is left as it was, or told member by member."""
    whole = {**base, **known}
    if valid(whole):
        return whole
    for name, value in known.items():
        base = next((each for each in _tries(base, name, value, valid) if valid(each)), base)
    return base


def _tries(base: dict[str, Json], name: str, value: Json, valid: Valid) -> Iterator[dict[str, Json]]:
    """Ways to say one thing, best first."""
    yield {**base, name: value}
    if isinstance(value, str) and value.isdecimal():  # an id out of a path
        yield {**base, name: int(value[:18])}
    if value is None:
        yield {other: each for other, each in base.items() if other != name}
    inner = base.get(name)
    if isinstance(value, dict) and isinstance(inner, dict):

        def valid_inside(changed: Json) -> bool:
            return valid({**base, name: changed})

        yield {**base, name: _told(inner, {key: value[key] for key in inner if key in value}, valid_inside)}
