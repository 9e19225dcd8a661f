"""Equality as JSON Schema means it: 1 equals 1.0, and neither equals true."""

from replay_server.interaction import Json


def same(one: Json, other: Json) -> bool:
    """Whether two JSON values are equal."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return one == other


def all_different(values: list[Json]) -> bool:
    """Whether no two of the values are equal."""
    return not any(same(value, other) for place, value in enumerate(values) for other in values[:place])
