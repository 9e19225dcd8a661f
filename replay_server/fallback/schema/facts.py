"""One schema without `$ref`, `allOf` and its like, read into typed fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from replay_server.interaction import Json
from replay_server.schema.dialect import compiled
from replay_server.schema.problem import Schema

Number: TypeAlias = int | float
EVERY_TYPE = ("object", "string", "number", "integer", "boolean", "array", "null")
OBJECT_SIGNS = ("properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties")
SIGNS = (
    ("object", frozenset(OBJECT_SIGNS)),
    ("array", frozenset(("items", "prefixItems", "contains", "minItems", "maxItems", "uniqueItems"))),
    ("string", frozenset(("pattern", "format", "minLength", "maxLength"))),
    ("number", frozenset(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"))),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a value must be like. Every field's default allows everything."""

    types: tuple[str, ...] = EVERY_TYPE
    looks_like: str | None = None
    """The type that the keywords speak of: it is meant where all types are allowed."""
    enum: tuple[Json, ...] | None = None
    examples: tuple[Json, ...] = ()

    minimum: Number | None = None
    maximum: Number | None = None
    above: Number | None = None
    below: Number | None = None
    multiple_of: Number | None = None

    min_length: int = 0
    max_length: int | None = None
    patterns: tuple[str, ...] = ()
    format: str | None = None

    prefix_items: tuple[Schema, ...] = ()
    items: Schema = True
    contains: Schema | None = None
    min_contains: int = 1
    min_items: int = 0
    max_items: int | None = None
    unique_items: bool = False

    properties: Mapping[str, Schema] = field(default_factory=dict)
    pattern_properties: Mapping[str, Schema] = field(default_factory=dict)
    additional: Schema = True
    unevaluated: Schema = True
    """For names that no schema of all those met tells of."""
    property_names: Schema = True
    required: tuple[str, ...] = ()
    min_properties: int = 0
    max_properties: int | None = None
    dependent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def property(self, name: str) -> Schema:
        """The schema of a property, declared or not."""
        declared = [self.properties[name]] if name in self.properties else []
        declared += [inner for pattern, inner in self.pattern_properties.items() if compiled(pattern).search(name)]
        return all_of(*declared) if declared else self.additional

    def item(self, place: int) -> Schema:
        """The schema of the item at a place."""
        return self.prefix_items[place] if place < len(self.prefix_items) else self.items


def all_of(*schemas: Schema) -> Schema:
    """One schema that demands what all of them demand."""
    if any(schema is False for schema in schemas):
        return False
    demanding = [schema for schema in schemas if schema is not True]
    if len(demanding) < 2:
        return demanding[0] if demanding else True
    return {"allOf": cast("list[Json]", demanding)}


def read(schema: Mapping[str, Json]) -> Facts:
    """The facts of a sound schema's own keywords."""
    given = cast("Mapping[str, Any]", schema)  # sound: each keyword has the type that it must have
    get = given.get
    return Facts(
        types=_types(get("type")),
        looks_like=next((name for name, signs in SIGNS if not signs.isdisjoint(schema)), None),
        enum=(given["const"],) if "const" in given else tuple(given["enum"]) if "enum" in given else None,
        examples=tuple(get("examples", ())),
        minimum=get("minimum"),
        maximum=get("maximum"),
        above=get("exclusiveMinimum"),
        below=get("exclusiveMaximum"),
        multiple_of=get("multipleOf"),
        min_length=int(get("minLength", 0)),
        max_length=_size(get("maxLength")),
        patterns=(given["pattern"],) if "pattern" in given else (),
        format=get("format"),
        prefix_items=tuple(get("prefixItems", ())),
        items=get("items", get("unevaluatedItems", True)),
        contains=get("contains"),
        min_contains=int(get("minContains", 1)),
        min_items=int(get("minItems", 0)),
        max_items=_size(get("maxItems")),
        unique_items=get("uniqueItems", False),
        properties=get("properties", {}),
        pattern_properties=get("patternProperties", {}),
        additional=get("additionalProperties", True),
        unevaluated=get("unevaluatedProperties", True),
        property_names=get("propertyNames", True),
        required=tuple(get("required", ())),
        min_properties=int(get("minProperties", 0)),
        max_properties=_size(get("maxProperties")),
        dependent={name: tuple(others) for name, others in get("dependentRequired", {}).items()},
    )


def _types(names: str | list[str] | None) -> tuple[str, ...]:
    if names is None:
        return EVERY_TYPE
    return (names,) if isinstance(names, str) else tuple(names)


def _size(size: Number | None) -> int | None:
    return None if size is None else int(size)
