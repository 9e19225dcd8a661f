"""A schema of the description taken apart: the alternatives that a value may be, each a plain schema with one type."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from replay_server.endpoints import description
from replay_server.endpoints.live import CORRECTIONS
from replay_server.endpoints.refusals import any_of, joined

Shape = Mapping[str, Any]
"""A plain schema: no `$ref`, `anyOf`, `oneOf` or `allOf` of its own, and at most one `type`."""

NULL: Shape = {"type": "null"}

_NOUNS = {"string": "string", "integer": "integer", "number": "decimal", "boolean": "boolean", "object": "object"}


class Reference(dict[str, Any]):
    """A `$ref` into another description than that of `description`: it knows itself what it leads to."""

    def __init__(self, name: str, shapes: "Callable[[Reference], list[Shape]]") -> None:
        super().__init__({"$ref": f"#/$defs/{name}"})
        self.name = name
        self._shapes = shapes

    def alternatives(self) -> list[Shape]:
        """What a value may be."""
        return self._shapes(self)


def alternatives(schema: Shape) -> list[Shape]:
    """What a value of this schema may be, as the live API has it."""
    found = _alternatives(schema)
    return [*found, NULL] if schema.get("nullable") else found


def _alternatives(schema: Shape) -> list[Shape]:
    if isinstance(schema, Reference):
        return schema.alternatives()
    if "$ref" in schema:
        return _referred(schema["$ref"])
    if "allOf" in schema:
        return [_merged(schema)]
    branches = schema.get("oneOf") or schema.get("anyOf")
    if branches and "properties" not in schema:
        return [shape for branch in branches for shape in alternatives(branch)]
    kind = schema.get("type", _implied_type(schema))
    return [{**schema, "type": each} for each in (kind if isinstance(kind, list) else [kind])]


@cache
def _referred(ref: str) -> list[Shape]:
    correction = CORRECTIONS.get(description.name_of(ref), {})
    return [corrected(shape, correction) for shape in alternatives(description.resolve(ref))]


def corrected(shape: Shape, correction: Shape) -> Shape:
    """`shape` with the facts of `correction` in place of its own, property by property."""
    if not correction or shape["type"] == "null":
        return shape
    changed = {**shape, **correction}
    if "properties" in correction:
        own = shape["properties"]
        new = {name: _patched(own[name], facts) for name, facts in correction["properties"].items()}
        changed["properties"] = {**own, **new}
    return changed


def _patched(schema: Shape, facts: Shape) -> Shape:
    first, *others = alternatives(schema)
    patched = corrected(first, facts)
    return {**patched, "nullable": True} if others else patched


def _merged(schema: Shape) -> Shape:
    """An object that is all of its parts at once."""
    parts = [shape for part in schema["allOf"] for shape in alternatives(part)[:1]]
    merged: dict[str, Any] = {"type": "object"} | {key: value for part in parts for key, value in part.items()}
    merged["properties"] = {name: value for part in parts for name, value in part.get("properties", {}).items()}
    merged["required"] = [name for part in parts for name in part.get("required", ())]
    return merged


def _implied_type(schema: Shape) -> str:
    if "properties" in schema:
        return "object"
    return "string" if "enum" in schema else "any"


def expected(shapes: list[Shape]) -> str:
    """What a refusal says the API had expected: `an integer`, `one of a string or array of objects`."""
    nouns = list(dict.fromkeys(_noun(shape) for shape in _without_superfluous_enums(shapes) if shape["type"] != "null"))
    first, *others = nouns or ["null"]
    if not others:
        return _with_article(first)
    return f"one of {joined([_with_article(first), *others], 'or')}"


def _without_superfluous_enums(shapes: list[Shape]) -> list[Shape]:
    """Where any string will do, the strings that are listed beside it say nothing."""
    if any(shape["type"] == "string" and "enum" not in shape for shape in shapes):
        return [shape for shape in shapes if "enum" not in shape]
    return shapes


def _noun(shape: Shape) -> str:
    kind: str = shape["type"]
    if "x-noun" in shape:
        return str(shape["x-noun"])
    if kind == "string" and "enum" in shape:
        return f"one of {any_of(shape['enum'])}" if len(shape["enum"]) > 1 else any_of(shape["enum"])
    if kind == "array":
        return f"array of {_plural(shape)}" if "items" in shape else "array"
    return _NOUNS.get(kind, kind)


def _plural(array: Shape) -> str:
    shapes = alternatives(array["items"])
    if shapes[0]["type"] == "array":
        return f"{alternatives(shapes[0]['items'])[0]['type']} arrays"
    return f"{shapes[0].get('x-noun', _NOUNS.get(shapes[0]['type'], 'value'))}s"


def _with_article(noun: str) -> str:
    if noun.startswith(("one of", "'", "null")):
        return noun
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"
