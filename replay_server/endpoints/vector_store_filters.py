"""Filters on the attributes of files in a vector store."""

import operator
from collections.abc import Callable, Mapping

from replay_server.interaction import Json, JsonObject

_ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def passes(attributes: JsonObject, wanted: JsonObject) -> bool:
    """Whether a file with these attributes is wanted. One that has no such attribute is other than any value."""
    kind = str(wanted.get("type"))
    if kind in ("and", "or"):
        below = wanted.get("filters")
        each = (passes(attributes, member) for member in _list(below) if isinstance(member, dict))
        return all(each) if kind == "and" else any(each)
    given, value = attributes.get(str(wanted.get("key"))), wanted.get("value")
    if kind in _ORDERS:
        return _is_number(given) and _is_number(value) and _ORDERS[kind](_number(given), _number(value))
    values = _list(value) if kind in ("in", "nin") else [value]
    is_one = any(_same(given, each) for each in values)
    return is_one is (kind in ("eq", "in"))


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _same(one: Json, other: Json) -> bool:
    """Python takes True for 1."""
    return one == other and isinstance(one, bool) is isinstance(other, bool)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
