"""Sums of pseudo-random vectors, one for each feature of a text: dense, quick, and the same everywhere.

A vector is one big whole number, with a byte (a lane) for each dimension, so that two are added in a fifth of a
microsecond. The lanes come from a hash that can be read as far as one likes: a vector of fewer dimensions is the
beginning of a longer one. All sums are whole numbers, so that no machine rounds them otherwise.
"""

import sys
from array import array
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import shake_128
from math import sqrt
from operator import mul

Feature = tuple[str, tuple[str, ...]]
"""What a vector stands for, and its parts, each of which adds a little."""

_OWN, _PART = 0x3F, 0x0F
"""What of a byte counts: the parts of a feature, up to `MOST_PARTS`, have together a third of its length."""
MOST_PARTS = (0xFF - _OWN) // _PART

_MOST_WEIGHT = 0xFFFF // 0xFF
"""So much can be added in two bytes a lane."""
_REMEMBERED = 4096  # features, each of as many bytes as there are dimensions


def unit_vector(features: Mapping[Feature, int], dimensions: int) -> "array[float]":
    """The sum of the features' vectors by their weights, of length 1, as 32-bit floats."""
    lanes = _sums(features, dimensions)
    centre = sum(weight * (_OWN + len(parts) * _PART) for (_, parts), weight in features.items())
    # The mean of a lane is `centre / 2`: twice the lanes less the centre are whole, and about zero.
    energy = 4 * (sum(map(mul, lanes, lanes)) - centre * sum(lanes)) + dimensions * centre * centre
    if not energy:  # a handful of dimensions may cancel out
        return array("f", [1.0] + [0.0] * (dimensions - 1))
    length = sqrt(energy)
    scale, shift = 2 / length, centre / length
    return array("f", [lane * scale - shift for lane in lanes])


def _sums(features: Mapping[Feature, int], dimensions: int) -> list[int]:
    """The lanes added up: in two bytes each while these last, which is all the way for most texts."""
    batches = list(_batches(features, dimensions))
    return batches[0] if len(batches) == 1 else list(map(sum, zip(*batches, strict=True)))


def _batches(features: Mapping[Feature, int], dimensions: int) -> Iterator[list[int]]:
    low = _repeated(b"\xff\x00", (dimensions + 1) // 2)  # every second byte
    even = odd = weights = 0
    for (name, parts), weight in features.items():
        if weights + weight > _MOST_WEIGHT:
            yield _joined(even, odd, dimensions)
            even = odd = weights = 0
        packed = _packed(name, parts, dimensions)
        even, odd = even + weight * (packed & low), odd + weight * (packed >> 8 & low)
        weights += weight
    yield _joined(even, odd, dimensions)


@lru_cache(maxsize=16)
def _repeated(pattern: bytes, times: int) -> int:
    """A mask."""
    return int.from_bytes(pattern * times, "little")


def _joined(even: int, odd: int, dimensions: int) -> list[int]:
    pairs = (dimensions + 1) // 2
    joined = array("H", bytes(4 * pairs))
    joined[::2], joined[1::2] = _shorts(even, pairs), _shorts(odd, pairs)
    return joined[:dimensions].tolist()  # looked through several times, which a list bears best


def _shorts(number: int, count: int) -> "array[int]":
    shorts = array("H", number.to_bytes(2 * count, "little"))
    if sys.byteorder == "big":
        shorts.byteswap()
    return shorts


@lru_cache(maxsize=_REMEMBERED)  # the same words come again and again
def _packed(name: str, parts: tuple[str, ...], dimensions: int) -> int:
    packed = _bytes(name, dimensions) & _repeated(bytes((_OWN,)), dimensions)
    if parts:
        mask = _repeated(bytes((_PART,)), dimensions)
        packed += sum(_bytes(each, dimensions) & mask for each in parts)
    return packed


def _bytes(name: str, dimensions: int) -> int:
    return int.from_bytes(shake_128(name.encode()).digest(dimensions), "little")
