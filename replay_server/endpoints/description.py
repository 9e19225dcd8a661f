"""The facts of the OpenAI API's own description: its operations, and the schemas of what they take and give.

`openai.json` is made by `tools/openapi_facts.py`. It is read when it is first asked for: a replay never needs it.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import cast

import orjson

from replay_server.interaction import Json, JsonObject

SCHEMAS = "#/components/schemas/"


def operation(operation_id: str) -> JsonObject:
    """What the description says of an operation: method, path, parameters, request, status, response."""
    return cast("JsonObject", _section("operations")[operation_id])


def describes(operation_id: str) -> bool:
    """Whether there is such an operation."""
    return operation_id in _section("operations")


def schema(name: str) -> JsonObject:
    """A component schema; references to others stay references."""
    return cast("JsonObject", _section("schemas")[name])


def resolve(ref: str) -> JsonObject:
    """The schema that `#/components/schemas/X` names."""
    return schema(name_of(ref))


def name_of(ref: str) -> str:
    """X of `#/components/schemas/X`."""
    return ref.removeprefix(SCHEMAS)


def request_schema(operation_id: str, media: str = "application/json") -> JsonObject:
    """The schema of an operation's body of one media type, as a rule a reference."""
    contents = cast("JsonObject", operation(operation_id)["request"])
    return cast("JsonObject", contents[media])


@cache
def parameter_names(operation_id: str) -> frozenset[str]:
    """The names of the parameters in an operation's body, of whichever media type."""
    contents = cast("Mapping[str, JsonObject]", operation(operation_id).get("request", {}))
    return frozenset(name for schema in contents.values() for name in _property_names(schema))


def _property_names(schema: JsonObject) -> Iterator[str]:
    if "$ref" in schema:
        yield from _property_names(resolve(cast("str", schema["$ref"])))
    yield from cast("JsonObject", schema.get("properties", {}))
    for part in cast("list[JsonObject]", schema.get("allOf", [])):
        yield from _property_names(part)


def _section(name: str) -> dict[str, Json]:
    return cast("dict[str, Json]", _table()[name])


@cache
def _table() -> dict[str, Json]:
    table = files("replay_server.endpoints").joinpath("openai.json").read_bytes()
    return cast("dict[str, Json]", orjson.loads(table))
