"""Schemas of OpenAPI 3.0 and 3.1 as JSON Schemas that stand alone: what only 3.0 has is said as 3.1 does.

What is no keyword of a schema is left out, and so is a keyword whose argument makes no sense: descriptions that people
use have such slips, and a schema that demands less is better than no answer.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from replay_server.schema.dialect import compiled, pythonic
from replay_server.schema.regex import parse

Node: TypeAlias = Any
"""JSON of any kind."""
Refer: TypeAlias = Callable[[str], Mapping[str, Any]]
"""From a `$ref` to the reference that stands in its place."""

_ONE = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
_NAMED = ("properties", "patternProperties", "dependentSchemas")
_LISTED = ("allOf", "anyOf", "oneOf", "prefixItems")
_SIZES = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_TYPES = ("string", "number", "integer", "object", "array", "boolean", "null")


def modern(schema: Node, refer: Refer, itself: str = "#") -> Node:
    """The schema with its references as `refer` gives them; `itself` is the `$ref` of the component that it is in."""
    if not isinstance(schema, dict):
        return {"not": {}} if schema is False else {}
    if isinstance(reference := schema.get("$ref") or _recursive(schema, itself), str):
        return _or_null(refer(reference), schema)
    found: dict[str, Node] = {}
    for keyword, argument in schema.items():
        if keyword in _ONE and isinstance(argument, dict | bool):
            closes = keyword == "additionalProperties" and isinstance(argument, bool)
            found[keyword] = argument if closes else modern(argument, refer, itself)
        elif keyword in _NAMED and isinstance(argument, dict):
            found[keyword] = {name: modern(inner, refer, itself) for name, inner in argument.items()}
        elif keyword in _LISTED and isinstance(argument, list) and argument:
            found[keyword] = [modern(inner, refer, itself) for inner in argument]
        else:
            found |= _plain(keyword, argument)
    return _or_null(_bounded(found, schema), schema)


def _recursive(schema: Mapping[str, Node], itself: str) -> str | None:
    return itself if schema.get("$recursiveRef") == "#" else None


def _plain(keyword: str, argument: Node) -> dict[str, Node]:
    """A keyword that holds no schema; nothing where it is none, or makes no sense."""
    match keyword:
        case "type":
            names = argument if isinstance(argument, list) else [argument]
            return {"type": argument} if names and all(name in _TYPES for name in names) else {}
        case "enum":
            return {"enum": argument} if isinstance(argument, list) and argument else {}
        case "const":
            return {"enum": [argument]}
        case "default":
            return {} if argument is None else {"default": argument}
        case "example":
            return {"examples": [argument]}
        case "examples":
            return {"examples": argument} if isinstance(argument, list) else {}
        case "required":
            right = isinstance(argument, list) and all(isinstance(name, str) for name in argument)
            return {"required": argument} if right else {}
        case "pattern":
            return {"pattern": argument} if isinstance(argument, str) and _is_pattern(argument) else {}
        case "format":
            return {"format": argument} if isinstance(argument, str) else {}
        case "uniqueItems":
            return {"uniqueItems": argument} if isinstance(argument, bool) else {}
        case "multipleOf":
            return {"multipleOf": argument} if _is_number(argument) and argument > 0 else {}
    if keyword in _SIZES:
        return {keyword: argument} if _is_number(argument) and argument >= 0 else {}
    return {keyword: argument} if keyword in _BOUNDS and _is_number(argument) else {}


def _is_number(argument: Node) -> bool:
    return isinstance(argument, int | float) and not isinstance(argument, bool)


def _is_pattern(text: str) -> bool:
    """Whether we can read it: other dialects know more than ours."""
    try:
        compiled(text)
        parse(pythonic(text))
    except (re.error, OverflowError, RecursionError, IndexError, ValueError):
        return False
    return True


def _bounded(found: dict[str, Node], schema: Mapping[str, Node]) -> dict[str, Node]:
    """In 3.0 `exclusiveMinimum: true` says how `minimum` is meant."""
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if schema.get(exclusive) is True and bound in found:
            found[exclusive] = found.pop(bound)
    return found


def _or_null(found: Node, schema: Mapping[str, Node]) -> Node:
    """In 3.0 null is allowed by `nullable`."""
    if schema.get("nullable") is not True:
        return found
    if isinstance(found.get("type"), str) and "enum" not in found and not {"anyOf", "oneOf"} & found.keys():
        return {**found, "type": [found["type"], "null"]}
    return {"anyOf": [found, {"type": "null"}]}
