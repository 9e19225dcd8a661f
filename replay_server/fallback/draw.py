"""Chance that is the same everywhere: seeded from text, and built on the one method of `random` that never changes.

Python promises the sequence of `Random(int).random()` for all versions. It does not promise `choice`, `shuffle` or
`randrange`, so these are made here. Nothing reads a clock, the global random or a hash.
"""

from collections.abc import Sequence
from hashlib import sha256
from random import Random
from typing import TypeVar

T = TypeVar("T")

FINEST = 2**53  # as many different values as `random()` has


class Draw:
    """A source of chance. The same seeds give the same draws."""

    __slots__ = ("fraction",)

    def __init__(self, *seeds: str | int | None) -> None:
        digest = sha256("/".join(map(str, seeds)).encode()).digest()
        self.fraction = Random(int.from_bytes(digest[:16])).random  # noqa: S311  # no secret is made of it
        """A float in [0, 1)."""

    def below(self, count: int) -> int:
        """A whole number from 0 up to, but not, `count`."""
        return int(self.fraction() * min(count, FINEST))

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def choice(self, options: Sequence[T]) -> T:
        """One of the options, of which there must be some."""
        return options[int(self.fraction() * len(options))]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """The options in another order."""
        rest = list(options)
        for last in range(len(rest) - 1, 0, -1):
            place = self.below(last + 1)
            rest[last], rest[place] = rest[place], rest[last]
        return rest
