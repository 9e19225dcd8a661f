"""Numbers: one of the prompt's if it fits, else one from the range that a property of that name usually has."""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil, floor, isfinite

from replay_server.fallback.draw import Draw
from replay_server.fallback.schema.facts import Facts, Number
from replay_server.fallback.schema.named import Range, number_range
from replay_server.fallback.schema.place import Making, Place
from replay_server.schema.check import is_multiple
from replay_server.schema.problem import UnsatisfiableError

USUAL = (1, 100)
UNIX_TIMES = (1_700_000_000, 1_731_535_999)
"""Seconds since 1970: those of the year from 14 November 2023, as all that we make."""
SPAN = 100
MULTIPLES_TRIED = 40
HUGE = 10**12
SCALES = (100, 10_000, 10**9)
"""Steps per unit for floats: two decimals, and more where the range is too small for them."""


def make_number(maker: Making, facts: Facts, place: Place, whole: bool) -> Number:
    """A number within the bounds. Raises UnsatisfiableError where there is none."""
    usual = UNIX_TIMES if facts.format == "unixtime" else number_range(place.name)
    for number in maker.numbers:
        mentioned = int(number) if number.is_integer() else number
        if (usual is None or usual[0] <= number <= usual[1]) and _allowed(facts, mentioned, whole):
            maker.numbers.remove(number)
            return mentioned
    for low, high in _ranges(facts, usual or USUAL):
        for candidate in _candidates(maker.draw, low, high, facts.multiple_of, whole):
            if _allowed(facts, candidate, whole):
                return candidate
    raise UnsatisfiableError(f"no {'integer' if whole else 'number'} lies within the bounds.", place.context)


def _allowed(facts: Facts, number: Number, whole: bool) -> bool:
    return (
        isfinite(number)
        and (isinstance(number, int) or not whole)
        and (facts.minimum is None or number >= facts.minimum)
        and (facts.above is None or number > facts.above)
        and (facts.maximum is None or number <= facts.maximum)
        and (facts.below is None or number < facts.below)
        and (facts.multiple_of is None or is_multiple(number, facts.multiple_of))
    )


def _ranges(facts: Facts, usual: Range) -> Iterator[tuple[Number, Number]]:
    """The part of the usual range that is allowed, then all that is allowed."""
    low = max((bound for bound in (facts.minimum, facts.above) if bound is not None), default=None)
    high = min((bound for bound in (facts.maximum, facts.below) if bound is not None), default=None)
    first, last = max(usual[0], usual[0] if low is None else low), min(usual[1], usual[1] if high is None else high)
    if first <= last:
        yield first, last
    span = max(SPAN, 10 * (facts.multiple_of or 0))
    start = low if low is not None else (high if high is not None else span) - span
    yield start, high if high is not None else start + span


def _candidates(draw: Draw, low: Number, high: Number, step: Number | None, whole: bool) -> Iterator[Number]:
    if step is not None:
        yield from _multiples(draw, Fraction(low), Fraction(high), Fraction(str(step)), whole)
    elif whole:
        yield draw.between(ceil(low), max(ceil(low), floor(high)))
        yield from (ceil(low), floor(high), ceil(low) + 1, floor(high) - 1)
    else:
        yield from (_rounded(draw, low, high, scale) for scale in SCALES if max(abs(low), abs(high)) < HUGE)
        yield from (low, high, low / 2 + high / 2)


def _rounded(draw: Draw, low: Number, high: Number, scale: int) -> float:
    first, last = ceil(low * scale), floor(high * scale)
    return draw.between(first, max(first, last)) / scale


def _multiples(draw: Draw, low: Fraction, high: Fraction, step: Fraction, whole: bool) -> Iterator[Number]:
    step = Fraction(step.numerator) if whole else step  # the smallest multiple that is whole
    first, last = ceil(low / step), floor(high / step)
    if first > last:
        return
    drawn = [draw.between(first, last) for _ in range(MULTIPLES_TRIED)]
    for place in (*drawn, *range(first, min(last, first + MULTIPLES_TRIED) + 1), last):
        multiple = place * step
        yield int(multiple) if multiple.denominator == 1 else float(multiple)
