"""Arrays: of one to three items, or as many as the schema demands."""

from replay_server.fallback.schema.facts import Facts, all_of
from replay_server.fallback.schema.place import Making, Place
from replay_server.interaction import Json
from replay_server.schema.equality import same
from replay_server.schema.problem import Schema, UnsatisfiableError

TRIES_TO_DIFFER = 60
TRIES_FOR_VARIETY = 2


def make_array(maker: Making, facts: Facts, place: Place) -> list[Json]:
    """An array; shorter than wished for where no more items are possible."""
    needed = max(facts.min_items, _contained(facts).stop)
    made: list[Json] = []
    for index in range(_length(maker, facts, place, needed)):
        try:
            made.append(_item(maker, facts, place.item(), made, _schema_for(facts, index)))
        except UnsatisfiableError:
            if len(made) >= needed:
                break
            raise
    return made


def _contained(facts: Facts) -> range:
    """Where the items stand that `contains` demands: behind the fixed ones, if there is room."""
    if facts.contains is None or facts.min_contains == 0:
        return range(0)
    first = len(facts.prefix_items)
    has_room = facts.max_items is None or facts.max_items >= first + facts.min_contains
    start = first if has_room and facts.items is not False else 0
    return range(start, start + facts.min_contains)


def _length(maker: Making, facts: Facts, place: Place, needed: int) -> int:
    if facts.max_items is not None and needed > facts.max_items:
        raise UnsatisfiableError(f"{needed} items are required but {facts.max_items} allowed.", place.context)
    wished = needed if maker.lean(place) else max(needed, len(facts.prefix_items) or maker.draw.between(1, 3))
    return wished if facts.max_items is None else min(wished, facts.max_items)


def _schema_for(facts: Facts, index: int) -> Schema:
    schema = facts.item(index)
    return all_of(schema, facts.contains) if facts.contains is not None and index in _contained(facts) else schema


def _item(maker: Making, facts: Facts, place: Place, made: list[Json], schema: Schema) -> Json:
    for _ in range(TRIES_TO_DIFFER if facts.unique_items else 1 + TRIES_FOR_VARIETY):
        item = maker.make(schema, place)
        if not any(same(item, other) for other in made):
            return item
    if not facts.unique_items:
        return _again(facts, place, made, item)
    rest = [one for one in _listed(schema) if not any(same(one, other) for other in made) and maker.fits(one, schema)]
    if not rest:
        raise UnsatisfiableError("there are not enough different items.", place.context)
    return rest[0]


def _again(facts: Facts, place: Place, made: list[Json], item: Json) -> Json:
    """The same item again, where one is needed: otherwise the list reads better without."""
    if len(made) < max(facts.min_items, len(facts.prefix_items), _contained(facts).stop):
        return item
    raise UnsatisfiableError("no item differs from the others.", place.context)


def _listed(schema: Schema) -> list[Json]:
    options = schema.get("enum", [True, False, None]) if not isinstance(schema, bool) else []
    return options if isinstance(options, list) else []
