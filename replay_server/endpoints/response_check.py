"""Whether an answer has the shape that the API's description gives it.

What is missing, of another type or no member of an enum is a fault. What the description does not know is none: servers
that speak the API add fields of their own.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from replay_server.endpoints.description import operation
from replay_server.endpoints.shapes import Shape, alternatives, expected
from replay_server.interaction import Json

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def response_faults(operation_id: str, body: Json) -> Iterator[str]:
    """What is wrong with the JSON answer of an operation: `choices[0].finish_reason: …`."""
    response = cast("Mapping[str, Shape]", operation(operation_id)["response"])
    return _faults(body, response["application/json"], "")


def _faults(value: Json, schema: Shape, path: str) -> Iterator[str]:
    shapes = alternatives(schema)
    fitting = [shape for shape in shapes if _fits(value, shape)]
    if not fitting:
        yield f"{path or 'the answer'}: must be {expected(shapes)}"
        return
    allowed = [word for shape in fitting for word in shape.get("enum", ())]
    if allowed and all("enum" in shape for shape in fitting) and value not in allowed:
        yield f"{path}: {value!r} is none of {', '.join(map(str, allowed))}"
    if isinstance(value, dict) and len(fitting) == 1:  # with a choice of objects, any may be meant
        yield from _object_faults(value, fitting[0], path)
    elif isinstance(value, list) and "items" in fitting[0]:
        for index, item in enumerate(value):
            yield from _faults(item, fitting[0]["items"], f"{path}[{index}]")


def _fits(value: Json, shape: Shape) -> bool:
    kind = str(shape["type"])
    if isinstance(value, bool):
        return kind in ("boolean", "any")
    return kind == "any" or isinstance(value, _TYPES[kind])


def _object_faults(value: dict[str, Json], shape: Shape, path: str) -> Iterator[str]:
    prefix = f"{path}." if path else ""
    properties: Mapping[str, Any] = shape.get("properties", {})
    for name in shape.get("required", ()):
        if name not in value:
            yield f"{prefix}{name}: is missing"
    for name, member in value.items():
        if name in properties:
            yield from _faults(member, properties[name], prefix + name)
