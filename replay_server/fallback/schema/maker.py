"""Makes a value that is valid against a schema: through its branches, by backtracking, checked at the end.

A branch of `anyOf` or `oneOf` may turn out to have no value: then the next one is tried. Deep down, or when a value has
grown large, the maker turns lean: it leaves out what is optional and takes the branch that ends soonest, so that a
schema that refers to itself comes to an end.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from math import inf
from typing import Any, cast

from replay_server.fallback.draw import Draw
from replay_server.fallback.schema.arrays import make_array
from replay_server.fallback.schema.facts import EVERY_TYPE, Facts, all_of, read
from replay_server.fallback.schema.height import Heights
from replay_server.fallback.schema.meeting import meet
from replay_server.fallback.schema.named import usual_type
from replay_server.fallback.schema.numbers import make_number
from replay_server.fallback.schema.objects import make_object
from replay_server.fallback.schema.place import Place
from replay_server.fallback.schema.strings import make_string
from replay_server.fallback.topic import Topic
from replay_server.interaction import Json
from replay_server.schema import sound
from replay_server.schema.check import fits, is_type
from replay_server.schema.pointer import resolve
from replay_server.schema.problem import Schema, SchemaError, UnsatisfiableError

ROOT_TRIES = 8
BRANCH_TRIES = 7
MOST_BRANCHES = 40
MOST_STEPS = 10_000  # values made, those thrown away included
LARGE = 400  # values after which the maker turns lean
DEEP = 16
DEEP_IN_RECURSION = 2
APPLICATORS = ("$ref", "allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas", "contains", "propertyNames")


def require_sound(schema: Schema) -> None:
    """Raise SchemaError if this is no schema."""
    sound.require_sound(cast("Json", schema), schema)


def value(schema: Schema, draw: Draw, topic: Topic) -> Json:
    """A value valid against the schema, its texts about the topic. Raises SchemaError where there is none."""
    require_sound(schema)
    maker = Maker(schema, draw, topic)
    if maker.heights.of(schema) == inf:
        raise UnsatisfiableError("no value ends: the schema demands itself, or nothing is allowed.")
    for _ in range(ROOT_TRIES):
        made = maker.make(schema, Place())
        if fits(made, schema, schema):
            return made
    raise UnsatisfiableError("no value was found that is valid against the schema.")


class Maker:
    """One value in the making: what is drawn, what was used of the prompt, and how much has been made."""

    def __init__(self, root: Schema, draw: Draw, topic: Topic) -> None:
        self.root = root
        self.draw = draw
        self.topic = topic
        self.heights = Heights(root)
        self.numbers = list(topic.numbers)
        """Numbers of the prompt that no value has taken yet."""
        self._steps = 0
        self._deep = DEEP_IN_RECURSION if self.heights.recursive else DEEP

    def lean(self, place: Place) -> bool:
        """Whether it is time to come to an end."""
        return place.depth > self._deep or self._steps > LARGE

    def fits(self, value: Json, schema: Schema) -> bool:
        """Whether the value is valid against a schema that lies in the root."""
        return fits(value, schema, self.root)

    def make(self, schema: Schema, place: Place) -> Json:
        """A value for a schema that lies in the root. Raises UnsatisfiableError."""
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise SchemaError(f"no value of less than {MOST_STEPS} parts was found.", place.context)
        problem = UnsatisfiableError("no value is allowed here.", place.context)
        checked = isinstance(schema, Mapping) and any(keyword in schema for keyword in APPLICATORS)
        for facts in islice(self._branches(schema, place), MOST_BRANCHES):
            try:
                for attempt in range(BRANCH_TRIES if checked else 1):
                    made = self._plain(facts, schema, place, attempt)
                    if not checked or self.fits(made, schema):
                        return made
            except UnsatisfiableError as unsatisfiable:
                problem = unsatisfiable
        raise problem

    def _plain(self, facts: Facts, schema: Schema, place: Place, attempt: int) -> Json:
        if facts.enum is not None:
            return self._one_of(facts, schema, place)
        match self._type(facts, place, attempt):
            case "object":
                # Where the optional properties led to nothing (`not`, say), it may do without.
                return make_object(self, facts, place, bare=attempt > BRANCH_TRIES // 2)
            case "array":
                return make_array(self, facts, place)
            case "string":
                return make_string(self, facts, place)
            case "boolean":
                return self.draw.below(2) == 0
            case "null":
                return None
            case kind:
                return make_number(self, facts, place, whole=kind == "integer")

    def _one_of(self, facts: Facts, schema: Schema, place: Place) -> Json:
        allowed = [one for one in facts.enum or () if any(is_type(one, name) for name in facts.types)]
        allowed = [one for one in allowed if self.fits(one, schema)]
        if not allowed:
            raise UnsatisfiableError("none of the values listed is allowed.", place.context)
        text = self.topic.text.lower()
        named = [one for one in allowed if isinstance(one, str) and len(one) > 1 and one.lower() in text]
        return named[0] if named else self.draw.choice(allowed)

    def _type(self, facts: Facts, place: Place, attempt: int) -> str:
        """The type that is meant; when that led to nothing, the others in turn."""
        if not facts.types:
            raise UnsatisfiableError("the types that are demanded exclude each other.", place.context)
        if facts.types == EVERY_TYPE:
            meant = facts.looks_like or usual_type(place.name)
        elif "null" in facts.types and self.lean(place):
            meant = "null"
        else:
            meant = next((name for name in facts.types if name != "null"), "null")
        return [meant, *(name for name in facts.types if name != meant)][attempt % len(facts.types)]

    # Branches: each way through `$ref`, `allOf`, `anyOf`, `oneOf` and `if`, as plain facts ---------------------------

    def _branches(self, schema: Schema, place: Place, hops: int = 0) -> Iterator[Facts]:
        if isinstance(schema, bool):
            yield from [Facts()] if schema else []
        elif hops < DEEP:
            yield from self._met(read(schema), list(self._choices(schema, place)), place, hops)

    def _met(self, facts: Facts, choices: list[list[Schema]], place: Place, hops: int) -> Iterator[Facts]:
        if not choices:
            yield facts
            return
        for branch in choices[0]:
            for plain in self._branches(branch, place, hops + 1):
                yield from self._met(meet(facts, plain), choices[1:], place, hops)

    def _choices(self, schema: Mapping[str, Json], place: Place) -> Iterator[list[Schema]]:
        given = cast("Mapping[str, Any]", schema)
        if "$ref" in given:
            yield [resolve(self.root, str(given["$ref"]), place.context)]
        for part in given.get("allOf", ()):
            yield [part]
        for keyword in ("anyOf", "oneOf"):
            if keyword in given:
                yield self._ordered(given[keyword], place)
        if "if" in given:
            yield [all_of(given["if"], given.get("then", True)), given.get("else", True)]
        for part in given.get("dependentSchemas", {}).values():
            yield [part, True]

    def _ordered(self, branches: list[Schema], place: Place) -> list[Schema]:
        if self.lean(place):
            return sorted(branches, key=self.heights.of)
        return sorted(self.draw.shuffled(branches), key=_is_null)


def _is_null(schema: Schema) -> bool:
    return not isinstance(schema, bool) and schema.get("type") == "null"
