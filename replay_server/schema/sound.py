"""Whether a schema is one: the types of its keywords, its patterns and its references. A small metaschema."""

import re
from collections.abc import Callable, Iterator
from math import isfinite
from typing import cast

from replay_server.interaction import Json
from replay_server.schema.dialect import compiled, pythonic
from replay_server.schema.pointer import resolve
from replay_server.schema.problem import Context, Schema, SchemaError
from replay_server.schema.regex import parse

DEEPEST = 32
TYPES = ("string", "number", "integer", "object", "array", "boolean", "null")


def require_sound(schema: Json, root: Schema, context: Context = ()) -> None:
    """Raise SchemaError for the first thing in a schema, or below it, that makes no sense."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise SchemaError(f"{schema!r} is not of type 'object', 'boolean'.", context)
    if len(context) > 2 * DEEPEST:
        raise SchemaError(f"the schema is nested more than {DEEPEST} levels deep.", context[:4])
    for keyword, argument in schema.items():
        if (rule := RULES.get(keyword)) and not rule[0](argument):
            raise SchemaError(f"{argument!r} is not {rule[1]} ('{keyword}').", context)
        for step, inner in _subschemas(keyword, argument):
            require_sound(inner, root, (*context, keyword, *step))
    _require_known(schema, root, context)


def _subschemas(keyword: str, argument: Json) -> Iterator[tuple[Context, Json]]:
    if keyword in ONE_SCHEMA:
        yield (), argument
    elif keyword in NAMED_SCHEMAS:
        yield from (((name,), inner) for name, inner in cast("dict[str, Json]", argument).items())
    elif keyword in LISTED_SCHEMAS:
        yield from (((str(place),), inner) for place, inner in enumerate(cast("list[Json]", argument)))


def _require_known(schema: dict[str, Json], root: Schema, context: Context) -> None:
    if isinstance(reference := schema.get("$ref"), str):
        resolve(root, reference, context)
    patterns = [schema["pattern"]] if "pattern" in schema else []
    for pattern in cast("list[str]", [*patterns, *cast("dict[str, Json]", schema.get("patternProperties", {}))]):
        try:
            compiled(pattern)
            parse(pythonic(pattern))
        except (re.error, OverflowError, RecursionError) as error:
            raise SchemaError(f"'{pattern}' is not a valid regular expression: {error}.", context) from None


def _is_number(argument: Json) -> bool:
    return isinstance(argument, int | float) and not isinstance(argument, bool) and isfinite(argument)


def _is_size(argument: Json) -> bool:
    return _is_number(argument) and cast("float", argument) >= 0 and float(cast("float", argument)).is_integer()


def _is_type(argument: Json) -> bool:
    names = argument if isinstance(argument, list) else [argument]
    return bool(names) and all(name in TYPES for name in names)


def _are_names(argument: Json) -> bool:
    return isinstance(argument, list) and all(isinstance(name, str) for name in argument)


def _are_named_lists(argument: Json) -> bool:
    return isinstance(argument, dict) and all(map(_are_names, argument.values()))


def _is_text(argument: Json) -> bool:
    return isinstance(argument, str)


def _is_object(argument: Json) -> bool:
    return isinstance(argument, dict)


def _is_filled_list(argument: Json) -> bool:
    return isinstance(argument, list) and bool(argument)


ONE_SCHEMA = (
    *("additionalProperties", "propertyNames", "items", "contains", "not", "if", "then", "else"),
    *("unevaluatedItems", "unevaluatedProperties"),
)
NAMED_SCHEMAS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
LISTED_SCHEMAS = ("prefixItems", "allOf", "anyOf", "oneOf")

RULES: dict[str, tuple[Callable[[Json], bool], str]] = {
    "type": (_is_type, "valid under any of the given schemas"),
    "enum": (_is_filled_list, "a non-empty array"),
    "required": (_are_names, "an array of strings"),
    "dependentRequired": (_are_named_lists, "an object of arrays of strings"),
    "uniqueItems": (lambda argument: isinstance(argument, bool), "of type 'boolean'"),
    "multipleOf": (lambda argument: _is_number(argument) and cast("float", argument) > 0, "a number above 0"),
    **dict.fromkeys(("$ref", "pattern", "format"), (_is_text, "of type 'string'")),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), (_is_number, "of type 'number'")),
    **dict.fromkeys(
        (
            *("minLength", "maxLength", "minItems", "maxItems", "minContains", "maxContains"),
            *("minProperties", "maxProperties"),
        ),
        (_is_size, "a non-negative integer"),
    ),
    **dict.fromkeys(NAMED_SCHEMAS, (_is_object, "of type 'object'")),
    **dict.fromkeys(LISTED_SCHEMAS, (_is_filled_list, "a non-empty array")),
}
