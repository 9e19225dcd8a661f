"""How long answers take: histograms, each observation a place found and a count. Nobody need ask for them."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate

ANSWERS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds."""
LATENESS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
"""Seconds."""


class Histogram:
    """How often a value was at most each of the bounds, or above them all."""

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: Sequence[float] = ANSWERS) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count a value. One below zero is that of a clock which was set back."""
        self._counts[bisect_left(self._bounds, value)] += 1
        if value > 0:
            self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """How many values were at most each bound: all of them at most `+Inf`."""
        names = [*map(str, self._bounds), "+Inf"]
        return list(zip(names, map(float, accumulate(self._counts)), strict=True))


class Measures:
    """What is measured of one server."""

    def __init__(self) -> None:
        self.begun: dict[str, Histogram] = defaultdict(Histogram)
        """Seconds from a request to the first byte of its answer, by source."""
        self.streams_begun: dict[str, Histogram] = defaultdict(Histogram)
        """The same, of streams alone: to their first event."""
        self.lateness = Histogram(LATENESS)
        """Seconds that a paced event is later than it is due."""
        self.open_streams = 0

    def observe(self, source: str, seconds: float, *, stream: bool) -> None:
        """Note that an answer has begun."""
        self.begun[source].observe(seconds)
        if stream:
            self.streams_begun[source].observe(seconds)

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """Count a stream as open."""
        self.open_streams += 1
        try:
            yield
        finally:
            self.open_streams -= 1
