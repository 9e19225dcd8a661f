"""How long answers take: histograms that are kept whether anybody asks for them or not, so they must cost little."""

from bisect import bisect_left, bisect_right
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

    def observe_all(self, values: Sequence[float]) -> None:
        """Count many values: in order, so that a place is found for each bound, not for each value."""
        ordered, before = sorted(values), 0
        if ordered and ordered[0] < 0:
            ordered = [max(value, 0.0) for value in ordered]
        for at, bound in enumerate(self._bounds):
            until = bisect_right(ordered, bound, before)
            self._counts[at] += until - before
            before = until
            if before == len(ordered):
                break
        self._counts[-1] += len(ordered) - before
        self.total += sum(ordered)

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

    def observe(self, source: str, seconds: Sequence[float], *, stream: bool) -> None:
        """Note how long it took until answers began."""
        self.begun[source].observe_all(seconds)
        if stream:
            self.streams_begun[source].observe_all(seconds)

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """Count a stream as open."""
        self.open_streams += 1
        try:
            yield
        finally:
            self.open_streams -= 1
