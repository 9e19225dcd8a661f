"""What two schemas allow together: how `allOf`, and the siblings of a `$ref`, become one."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import chain
from math import gcd, lcm

from replay_server.fallback.schema.facts import Facts, Number, all_of
from replay_server.interaction import Json
from replay_server.schema.equality import same
from replay_server.schema.problem import Schema


def meet(one: Facts, other: Facts) -> Facts:
    """What both allow. Where that cannot be told in one schema it is a little more: the result is checked anyway."""
    return Facts(
        types=tuple(dict.fromkeys(_common_types(one.types, other.types))),
        looks_like=one.looks_like or other.looks_like,
        enum=_common_values(one.enum, other.enum),
        examples=one.examples + other.examples,
        minimum=_highest(one.minimum, other.minimum),
        maximum=_lowest(one.maximum, other.maximum),
        above=_highest(one.above, other.above),
        below=_lowest(one.below, other.below),
        multiple_of=_common_multiple(one.multiple_of, other.multiple_of),
        min_length=max(one.min_length, other.min_length),
        max_length=_shortest(one.max_length, other.max_length),
        patterns=tuple(dict.fromkeys(one.patterns + other.patterns)),
        format=one.format or other.format,
        prefix_items=tuple(_common_prefix(one, other)),
        items=all_of(one.items, other.items),
        contains=_both_contained(one.contains, other.contains),
        min_contains=max(one.min_contains, other.min_contains),
        min_items=max(one.min_items, other.min_items),
        max_items=_shortest(one.max_items, other.max_items),
        unique_items=one.unique_items or other.unique_items,
        properties=_common_properties(one, other),
        pattern_properties=_common_patterns(one, other),
        additional=all_of(one.additional, other.additional),
        unevaluated=all_of(one.unevaluated, other.unevaluated),
        property_names=all_of(one.property_names, other.property_names),
        required=tuple(dict.fromkeys(one.required + other.required)),
        min_properties=max(one.min_properties, other.min_properties),
        max_properties=_shortest(one.max_properties, other.max_properties),
        dependent=_united(one.dependent, other.dependent),
    )


def _common_types(ours: tuple[str, ...], theirs: tuple[str, ...]) -> Iterator[str]:
    for name in ours:
        if name in theirs or (name == "integer" and "number" in theirs):
            yield name
    if "number" in ours and "integer" in theirs:
        yield "integer"


def _common_values(ours: tuple[Json, ...] | None, theirs: tuple[Json, ...] | None) -> tuple[Json, ...] | None:
    if ours is None or theirs is None:
        return theirs if ours is None else ours
    return tuple(value for value in ours if any(same(value, other) for other in theirs))


def _highest(one: Number | None, other: Number | None) -> Number | None:
    return max((bound for bound in (one, other) if bound is not None), default=None)


def _lowest(one: Number | None, other: Number | None) -> Number | None:
    return min((bound for bound in (one, other) if bound is not None), default=None)


def _shortest(one: int | None, other: int | None) -> int | None:
    return min((bound for bound in (one, other) if bound is not None), default=None)


def _common_multiple(one: Number | None, other: Number | None) -> Number | None:
    if one is None or other is None:
        return other if one is None else one
    first, second = Fraction(str(one)), Fraction(str(other))
    common = Fraction(lcm(first.numerator, second.numerator), gcd(first.denominator, second.denominator))
    return int(common) if common.denominator == 1 else float(common)


def _both_contained(one: Schema | None, other: Schema | None) -> Schema | None:
    if one is None or other is None:
        return other if one is None else one
    return all_of(one, other)


def _common_prefix(one: Facts, other: Facts) -> Iterator[Schema]:
    for place in range(max(len(one.prefix_items), len(other.prefix_items))):
        yield all_of(one.item(place), other.item(place))


def _common_properties(one: Facts, other: Facts) -> Mapping[str, Schema]:
    names = dict.fromkeys(chain(one.properties, other.properties))
    return {name: all_of(one.property(name), other.property(name)) for name in names}


def _common_patterns(one: Facts, other: Facts) -> Mapping[str, Schema]:
    patterns = dict.fromkeys(chain(one.pattern_properties, other.pattern_properties))
    return {
        pattern: all_of(
            one.pattern_properties.get(pattern, one.additional), other.pattern_properties.get(pattern, other.additional)
        )
        for pattern in patterns
    }


def _united(
    ours: Mapping[str, tuple[str, ...]], theirs: Mapping[str, tuple[str, ...]]
) -> Mapping[str, tuple[str, ...]]:
    names = dict.fromkeys(chain(ours, theirs))
    return {name: ours.get(name, ()) + theirs.get(name, ()) for name in names}
