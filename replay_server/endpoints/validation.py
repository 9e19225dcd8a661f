"""Refuses a request as the live API does: the first fault, in its order and its words.

The description's schemas say what is allowed, `live` corrects them, `refusals` has the words. Faults are looked for in
the order that the live API was measured to have: missing parameters, unknown ones, then field by field.

A null is taken for any parameter that may be left out. Unknown parameters are refused in the body itself and in objects
that are known to be closed; messages, for one, may carry more than the description has.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from replay_server.endpoints import refusals
from replay_server.endpoints.live import ASSUMED, IMPLIED, MAY_BE_EMPTY, SUPPORTED
from replay_server.endpoints.shapes import Shape, alternatives, expected
from replay_server.interaction import Json, JsonObject

_INDEX = re.compile(r"\[\d+\]")


def check(body: JsonObject, schema: JsonObject) -> None:
    """Raise the BadRequest that the live API answers `body` with, if `schema` does not allow it."""
    shape = _first_object(alternatives(schema))
    closed = {"additionalProperties": False, **shape}
    _check_object(cast("dict[str, Json]", body), closed, "")


def _first_object(shapes: Sequence[Shape]) -> Shape:
    return next(shape for shape in shapes if shape["type"] == "object")


def _check(value: Json, schema: Shape, path: str) -> None:
    shapes = alternatives(schema)
    fitting = [shape for shape in shapes if _fits(value, shape["type"])]
    if not fitting:
        raise refusals.wrong_type(path, expected(shapes), value)
    _check_as(value, fitting, path)


def _fits(value: Json, kind: str) -> bool:
    match value:
        case bool():  # first: Python's booleans are integers
            return kind in ("boolean", "any")
        case int():
            return kind in ("integer", "number", "any")
        case float():
            return kind in ("number", "any") or (kind == "integer" and value.is_integer())
        case str():
            return kind in ("string", "any")
        case list():
            return kind in ("array", "any")
        case dict():
            return kind in ("object", "any")
        case _:
            return kind in ("null", "any")


def _check_as(value: Json, shapes: list[Shape], path: str) -> None:
    """Check a value against those alternatives that its type fits."""
    match value:
        case dict():
            _check_object(value, _object_shape(value, shapes, path), path)
        case list():
            _check_array(value, _array_shape(value, shapes), path)
        case str():
            _check_string(value, shapes, path)
        case int() | float() if not isinstance(value, bool):
            _check_number(value, shapes[0], path)


# Objects -------------------------------------------------------------------------------------------------------------


def _object_shape(value: dict[str, Json], shapes: list[Shape], path: str) -> Shape:
    """The alternative that the object's `role` or `type` names."""
    if len(shapes) == 1:
        return shapes[0]
    field = _discriminator(shapes)
    if field is None:
        return shapes[0]
    by_name: dict[str, Shape] = {}
    for shape in shapes:
        for name in _names(shape["properties"][field]):
            by_name.setdefault(name, shape)
    return by_name[_name(value, field, tuple(by_name), _below(path, field))]


def _discriminator(shapes: list[Shape]) -> str | None:
    """The property that has names of its own, as a rule one, in each of the alternatives."""
    listed = [
        {name: len(names) for name, schema in _properties(shape) if (names := _names(schema))} for shape in shapes
    ]
    common = set(listed[0]).intersection(*listed[1:])
    fixed = [name for name in common if all(names[name] == 1 for names in listed)]
    return min(fixed or common, default=None)


def _properties(shape: Shape) -> Iterator[tuple[str, Shape]]:
    return iter(shape.get("properties", {}).items())


def _names(schema: Shape) -> tuple[str, ...]:
    """The values that a property can have, where these are listed."""
    return tuple(value for shape in alternatives(schema) for value in shape.get("enum", ()))


def _name(value: dict[str, Json], field: str, names: tuple[str, ...], path: str) -> str:
    given = value.get(field)
    if isinstance(given, str) and given in names:
        return given
    if given is None and (implied := IMPLIED.get(_template(path))) is not None:
        return implied
    if (assumed := ASSUMED.get(_template(path))) is not None:
        return assumed
    if field not in value:
        raise refusals.missing(path)
    supported = SUPPORTED.get(_template(path), names)
    if not isinstance(given, str):
        raise refusals.wrong_type(path, expected([{"type": "string", "enum": supported}]), given)
    raise refusals.unsupported(path, given, supported)


def _check_object(value: dict[str, Json], shape: Shape, path: str) -> None:
    properties: Mapping[str, Any] = shape.get("properties", {})
    required = shape.get("required", ())
    for name in required:
        if name not in value:
            raise refusals.missing(_below(path, name))
    _check_names(value, shape, path)
    for name in dict.fromkeys((*shape.get("x-order", ()), *properties, *value)):
        schema = properties.get(name, shape.get("additionalProperties"))
        if name in value and isinstance(schema, Mapping) and _is_checked(value[name], name, shape):
            _check(value[name], schema, _below(path, name))


def _is_checked(value: Json, name: str, shape: Shape) -> bool:
    """Null stands for what is left out, where the description has the field and lets it be left out."""
    return value is not None or name in shape.get("required", ()) or name not in shape.get("properties", {})


def _check_names(value: dict[str, Json], shape: Shape, path: str) -> None:
    properties: Mapping[str, Any] = shape.get("properties", {})
    if shape.get("additionalProperties") is False:
        for name in value:
            if name not in properties:
                near = () if path else tuple(_slips(name, properties, value))
                raise refusals.unknown(_below(path, name), near)
    if len(value) > shape.get("maxProperties", len(value)):
        raise refusals.too_many_properties(path, shape["maxProperties"], len(value))
    longest = shape.get("propertyNames", {}).get("maxLength")
    for name in value:
        if longest is not None and len(name) > longest:
            raise refusals.long_property_name(path, name, longest)


def _slips(name: str, properties: Mapping[str, Any], body: Mapping[str, Json]) -> Iterator[str]:
    """The parameters one letter away from `name` that the body does not have yet. Short names are near everything."""
    return (
        known for known in sorted(properties) if len(name) > 3 and known not in body and _one_letter_away(name, known)
    )


def _one_letter_away(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    start = next((at for at, letter in enumerate(shorter) if letter != longer[at]), len(shorter))
    rest = longer[start + 1 :]
    return rest == (shorter[start + 1 :] if len(longer) == len(shorter) else shorter[start:])


# Arrays, strings, numbers --------------------------------------------------------------------------------------------


def _array_shape(value: list[Json], shapes: list[Shape]) -> Shape:
    """The alternative that takes the first item: all the others should be like it."""
    if value:
        for shape in shapes:
            if any(_fits(value[0], item["type"]) for item in alternatives(shape.get("items", {}))):
                return shape
    return shapes[0]


def _check_array(value: list[Json], shape: Shape, path: str) -> None:
    least, most = shape.get("minItems", 0), shape.get("maxItems", len(value))
    if not value and least and _template(path) not in MAY_BE_EMPTY:
        raise refusals.empty(path, "array", least)
    if value and len(value) < least:
        raise refusals.wrong_length(path, "array", "below", least, len(value))
    if len(value) > most:
        raise refusals.wrong_length(path, "array", "above", most, len(value))
    items = shape.get("items")
    if items is not None:
        for index, item in enumerate(value):
            _check(item, items, f"{path}[{index}]")


def _check_string(value: str, shapes: list[Shape], path: str) -> None:
    free = next((shape for shape in shapes if "enum" not in shape), None)
    supported = [name for shape in shapes for name in shape.get("enum", ())]
    if free is not None:
        _check_text(value, free, path)
    elif value not in supported:
        raise refusals.unsupported(path, value, SUPPORTED.get(_template(path), supported))


def _check_text(value: str, shape: Shape, path: str) -> None:
    least, most = shape.get("minLength", 0), shape.get("maxLength", len(value))
    if not value and least:
        raise refusals.empty(path, "string", least)
    if len(value) < least:
        raise refusals.wrong_length(path, "string", "below", least, len(value))
    if len(value) > most:
        raise refusals.wrong_length(path, "string", "above", most, len(value))
    pattern = shape.get("pattern")
    if pattern is not None and re.search(pattern, value) is None:
        raise refusals.no_match(path, pattern)


def _check_number(value: float, shape: Shape, path: str) -> None:
    kind = "integer" if shape["type"] == "integer" else "decimal"
    lower, upper, above = shape.get("minimum"), shape.get("maximum"), shape.get("exclusiveMinimum")
    if lower is not None and value < lower:
        raise refusals.out_of_bounds(path, kind, "below", f">= {refusals.number(lower)}", value)
    if above is not None and value <= above:
        raise refusals.out_of_bounds(path, kind, "below", f"> {refusals.number(above)}", value)
    if upper is not None and value > upper:
        raise refusals.out_of_bounds(path, kind, "above", f"<= {refusals.number(upper)}", value)


# Paths ---------------------------------------------------------------------------------------------------------------


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _template(path: str) -> str:
    """`messages[].role` for the role of any message."""
    return _INDEX.sub("[]", path)
