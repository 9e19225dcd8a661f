"""Whether a value is valid against a schema. `format` is an annotation and is not looked at; nor is `unevaluated…`."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias, cast

from replay_server.interaction import Json
from replay_server.schema.dialect import compiled
from replay_server.schema.equality import all_different, same
from replay_server.schema.pointer import resolve
from replay_server.schema.problem import Schema

Fits: TypeAlias = Callable[[Json, Schema], bool]
"""Whether a value fits a schema that lies below or beside the one at hand."""
Rule: TypeAlias = Callable[[Fits, Any, Any, Mapping[str, Any]], bool]
"""From `fits`, the value, the keyword's argument and the whole schema to whether the value obeys the keyword."""

MOST_HOPS = 64  # bounds the stack; also, a schema that refers to itself without a step into the value means nothing


def fits(value: Json, schema: Schema, root: Schema, hops: int = 0) -> bool:
    """Whether the value is valid against a sound schema."""
    if isinstance(schema, bool):
        return schema
    if hops > MOST_HOPS:
        return False

    def inner(value: Json, schema: Schema) -> bool:
        return fits(value, schema, root, hops + 1)

    if "$ref" in schema and not inner(value, resolve(root, cast("str", schema["$ref"]))):
        return False
    rules = [*RULES_FOR_ALL, *RULES_FOR.get(type(value), ())]
    return all(rule(inner, value, schema[keyword], schema) for keyword, rule in rules if keyword in schema)


def is_type(value: Json, name: str) -> bool:
    """Whether a value is of a type of JSON Schema: `1.0` is an integer, and true is no number."""
    if name == "integer":
        return (isinstance(value, int) and not isinstance(value, bool)) or (
            isinstance(value, float) and value.is_integer()
        )
    if name == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, PYTHON_TYPES[name])


def is_multiple(value: int | float, step: int | float) -> bool:
    """Whether a number is a multiple, for a validator that counts in decimals and for one that divides floats."""
    if isinstance(value, int) and isinstance(step, int):
        return value % step == 0
    return (value / step).is_integer() and Fraction(str(value)) % Fraction(str(step)) == 0


def _has_type(fits: Fits, value: Json, names: str | list[str], _: Mapping[str, Any]) -> bool:
    return any(is_type(value, name) for name in ([names] if isinstance(names, str) else names))


def _if(fits: Fits, value: Json, condition: Schema, schema: Mapping[str, Any]) -> bool:
    return fits(value, schema.get("then" if fits(value, condition) else "else", True))


def _items(fits: Fits, value: list[Json], items: Schema, schema: Mapping[str, Any]) -> bool:
    return all(fits(item, items) for item in value[len(schema.get("prefixItems", ())) :])


def _contains(fits: Fits, value: list[Json], contained: Schema, schema: Mapping[str, Any]) -> bool:
    found = sum(fits(item, contained) for item in value)
    most: int = schema.get("maxContains", len(value))
    return cast("int", schema.get("minContains", 1)) <= found <= most


def _additional(fits: Fits, value: dict[str, Json], additional: Schema, schema: Mapping[str, Any]) -> bool:
    patterns = [compiled(pattern) for pattern in schema.get("patternProperties", ())]
    others = (name for name in value if name not in schema.get("properties", ()))
    return all(fits(value[name], additional) for name in others if not any(one.search(name) for one in patterns))


def _pattern_properties(
    fits: Fits, value: dict[str, Json], schemas: Mapping[str, Schema], _: Mapping[str, Any]
) -> bool:
    pairs = ((compiled(pattern), schema) for pattern, schema in schemas.items())
    return all(fits(inner, schema) for one, schema in pairs for name, inner in value.items() if one.search(name))


def _has_all(names: Sequence[str], value: dict[str, Json]) -> bool:
    return all(name in value for name in names)


PYTHON_TYPES: Mapping[str, type] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
}

RULES_FOR_ALL: tuple[tuple[str, Rule], ...] = (
    ("type", _has_type),
    ("enum", lambda fits, value, options, _: any(same(value, option) for option in options)),
    ("const", lambda fits, value, constant, _: same(value, constant)),
    ("allOf", lambda fits, value, schemas, _: all(fits(value, schema) for schema in schemas)),
    ("anyOf", lambda fits, value, schemas, _: any(fits(value, schema) for schema in schemas)),
    ("oneOf", lambda fits, value, schemas, _: sum(fits(value, schema) for schema in schemas) == 1),
    ("not", lambda fits, value, schema, _: not fits(value, schema)),
    ("if", _if),
)
NUMBER_RULES: tuple[tuple[str, Rule], ...] = (
    ("minimum", lambda fits, value, bound, _: value >= bound),
    ("maximum", lambda fits, value, bound, _: value <= bound),
    ("exclusiveMinimum", lambda fits, value, bound, _: value > bound),
    ("exclusiveMaximum", lambda fits, value, bound, _: value < bound),
    ("multipleOf", lambda fits, value, step, _: is_multiple(value, step)),
)
STRING_RULES: tuple[tuple[str, Rule], ...] = (
    ("minLength", lambda fits, value, size, _: len(value) >= size),
    ("maxLength", lambda fits, value, size, _: len(value) <= size),
    ("pattern", lambda fits, value, pattern, _: compiled(pattern).search(value) is not None),
)
ARRAY_RULES: tuple[tuple[str, Rule], ...] = (
    ("minItems", lambda fits, value, size, _: len(value) >= size),
    ("maxItems", lambda fits, value, size, _: len(value) <= size),
    ("uniqueItems", lambda fits, value, wanted, _: not wanted or all_different(value)),
    ("prefixItems", lambda fits, value, schemas, _: all(map(fits, value, schemas))),
    ("items", _items),
    ("contains", _contains),
)
OBJECT_RULES: tuple[tuple[str, Rule], ...] = (
    ("required", lambda fits, value, names, _: _has_all(names, value)),
    ("minProperties", lambda fits, value, size, _: len(value) >= size),
    ("maxProperties", lambda fits, value, size, _: len(value) <= size),
    ("properties", lambda fits, value, schemas, _: all(fits(value[n], s) for n, s in schemas.items() if n in value)),
    ("patternProperties", _pattern_properties),
    ("additionalProperties", _additional),
    ("propertyNames", lambda fits, value, schema, _: all(fits(name, schema) for name in value)),
    (
        "dependentRequired",
        lambda fits, value, names, _: all(_has_all(ns, value) for n, ns in names.items() if n in value),
    ),
    ("dependentSchemas", lambda fits, value, schemas, _: all(fits(value, s) for n, s in schemas.items() if n in value)),
)
RULES_FOR: Mapping[type, tuple[tuple[str, Rule], ...]] = {
    int: NUMBER_RULES,
    float: NUMBER_RULES,
    str: STRING_RULES,
    list: ARRAY_RULES,
    dict: OBJECT_RULES,
}
