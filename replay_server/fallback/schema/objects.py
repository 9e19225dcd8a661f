"""Objects: their properties in the order of the schema, then the names that it demands without naming them."""

from collections.abc import Iterator
from itertools import count
from math import inf

from replay_server.fallback.schema.facts import Facts, all_of
from replay_server.fallback.schema.pattern import write
from replay_server.fallback.schema.place import Making, Place
from replay_server.interaction import Json
from replay_server.schema.problem import Schema, UnsatisfiableError

NAMES_TRIED = 50


def make_object(maker: Making, facts: Facts, place: Place, *, bare: bool = False) -> dict[str, Json]:
    """An object with all required properties, and unless it is to be bare or the maker is lean, the optional ones."""
    made = _declared(maker, facts, place, bare=bare)
    for name in _invented_names(maker, facts, place, made):
        made |= _optional(maker, facts, name, place, made)
    if len(made) < facts.min_properties:
        raise UnsatisfiableError(f"no {facts.min_properties} properties are possible.", place.context)
    if facts.max_properties is not None and len(made) > facts.max_properties:
        raise UnsatisfiableError(f"more than {facts.max_properties} properties are required.", place.context)
    order = dict.fromkeys([*facts.properties, *made])
    return {name: made[name] for name in order if name in made}


def _declared(maker: Making, facts: Facts, place: Place, *, bare: bool) -> dict[str, Json]:
    made: dict[str, Json] = {}
    required = list(facts.required)
    for name in required:  # it grows: a property may require others
        if name not in made:
            made[name] = maker.make(_schema_for(facts, name), place.property(name))
            required += facts.dependent.get(name, ())
    for name in facts.properties if not bare and not maker.lean(place) else ():
        if name not in made and _room(facts, made) and _is_possible(maker, facts, name):
            made |= _optional(maker, facts, name, place, made)
    return made


def _optional(maker: Making, facts: Facts, name: str, place: Place, made: dict[str, Json]) -> dict[str, Json]:
    """The property with all that it requires; nothing where one of them is impossible."""
    found: dict[str, Json] = {}
    wanted = [name]
    try:
        for one in wanted:
            if one not in made and one not in found:
                found[one] = maker.make(_schema_for(facts, one), place.property(one))
                wanted += facts.dependent.get(one, ())
    except UnsatisfiableError:
        return {}
    return found if _room(facts, made, len(found)) else {}


def _invented_names(maker: Making, facts: Facts, place: Place, made: dict[str, Json]) -> Iterator[str]:
    """Names to reach `minProperties`; and of a map, which declares none, one or two for show."""
    wanted = facts.min_properties
    is_map = not facts.properties and (not isinstance(facts.additional, bool) or facts.pattern_properties)
    if is_map and not maker.lean(place):
        wanted = max(wanted, maker.draw.between(1, 2))
    for tries, name in enumerate(_candidates(maker, facts)):
        if len(made) >= wanted or not _room(facts, made) or tries > NAMES_TRIED + wanted:
            return
        if name not in made and _is_possible(maker, facts, name):
            yield name


def _candidates(maker: Making, facts: Facts) -> Iterator[str]:
    yield from facts.properties
    if not isinstance(facts.property_names, bool):
        for _ in range(NAMES_TRIED):
            name = maker.make(all_of({"type": "string"}, facts.property_names), Place(("propertyNames",), "key"))
            yield str(name)
    for pattern in facts.pattern_properties:
        for _ in range(min(NAMES_TRIED, facts.min_properties + 2)):
            if (name := write(pattern, maker.draw)) is not None:
                yield name + maker.draw.choice(maker.topic.words or ("key",))
                yield name
    yield from maker.topic.words
    yield from (f"key{number}" for number in count(1))


def _schema_for(facts: Facts, name: str) -> Schema:
    schema = facts.property(name)
    return all_of(schema, facts.unevaluated) if name not in facts.properties else schema


def _is_possible(maker: Making, facts: Facts, name: str) -> bool:
    schema = _schema_for(facts, name)
    return maker.heights.of(schema) < inf and (facts.property_names is True or maker.fits(name, facts.property_names))


def _room(facts: Facts, made: dict[str, Json], more: int = 1) -> bool:
    return facts.max_properties is None or len(made) + more <= facts.max_properties
