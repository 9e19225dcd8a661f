"""Rate limits as the live API keeps them: a bucket that is used up and fills again evenly, and the headers it shows.

Counted in whole nanoseconds times the limit, so that what a client may do never depends on how a fraction is rounded.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

MAX_BUCKETS = 10_000
"""Buckets that a session keeps; the one used longest ago is forgotten first, which fills it."""

_BILLION = 1_000_000_000
_SECOND_WORDS = {60: ("min", "M"), 3600: ("hour", "H"), 86400: ("day", "D")}


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in a period of so many seconds."""

    count: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a client may ask for: requests, tokens, or both."""

    requests: Rate | None = None
    tokens: Rate | None = None


class Bucket:
    """What is left of a rate: full at first, and again after its period. `now` is in nanoseconds."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._period = round(rate.seconds * _BILLION)
        self._full_at = 0
        """When it is full again, in nanoseconds times the count of `rate`."""

    def remaining(self, now: int) -> int:
        """How many can be taken."""
        return max(0, self.rate.count - _ceil(self._missing(now), self._period))

    def reset(self, now: int) -> int:
        """Nanoseconds until it is full."""
        return _ceil(self._missing(now), self.rate.count)

    def wait(self, amount: int, now: int) -> int:
        """Nanoseconds until so many can be taken, 0 where they can be now."""
        return max(0, _ceil(self._missing(now) + (amount - self.rate.count) * self._period, self.rate.count))

    def take(self, amount: int, now: int) -> None:
        """Take so many, which must be there."""
        self._full_at = max(self._full_at, now * self.rate.count) + amount * self._period

    def _missing(self, now: int) -> int:
        return max(0, self._full_at - now * self.rate.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What there is not enough of: `kind` is `requests` or `tokens`. `wait` is in nanoseconds, None for never."""

    kind: str
    limit: int
    used: int
    asked: int
    period: float
    wait: int | None

    def message(self, model: str) -> str:
        """The API's text."""
        unit, letter = _SECOND_WORDS.get(round(self.period), (f"{self.period:g}s", ""))
        short = f" ({self.kind[0].upper()}P{letter})" if letter else ""
        what = f"for {model} on {self.kind} per {unit}{short}: Limit {self.limit}"
        if self.wait is None:
            return f"Request too large {what}, Requested {self.asked}."
        again = f"Please try again in {duration(self.wait)}."
        return f"Rate limit reached {what}, Used {self.used}, Requested {self.asked}. {again}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a limit says to a request: the headers of its answer, and why it gets no other one."""

    headers: Mapping[str, str]
    refusal: Refusal | None = None


class Limits:
    """The buckets of the clients of one session. `clock` is in seconds and never goes back."""

    def __init__(self, clock: Callable[[], float], max_buckets: int = MAX_BUCKETS) -> None:
        self._clock = clock
        self._max_buckets = max_buckets
        self._buckets: OrderedDict[tuple[object, ...], Bucket] = OrderedDict()

    def ask(self, client: tuple[str, ...], limit: Limit, tokens: int) -> Verdict:
        """One request with so many tokens: they are taken, unless there is not enough of one."""
        now = round(self._clock() * _BILLION)
        asked = [(kind, self._bucket(client, kind, rate), amount) for kind, rate, amount in _asked(limit, tokens)]
        refusal = next(filter(None, (_refused(kind, bucket, amount, now) for kind, bucket, amount in asked)), None)
        headers: dict[str, str] = {}
        for kind, bucket, amount in asked:
            if refusal is None:
                bucket.take(amount, now)
            headers |= _headers(kind, bucket, now)
        return Verdict(headers, refusal)

    def _bucket(self, client: tuple[str, ...], kind: str, rate: Rate) -> Bucket:
        key = (*client, kind, rate)
        bucket = self._buckets.setdefault(key, Bucket(rate))
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._max_buckets:
            self._buckets.popitem(last=False)
        return bucket


def _asked(limit: Limit, tokens: int) -> Iterator[tuple[str, Rate, int]]:
    if limit.requests is not None:
        yield "requests", limit.requests, 1
    if limit.tokens is not None:
        yield "tokens", limit.tokens, tokens


def _refused(kind: str, bucket: Bucket, amount: int, now: int) -> Refusal | None:
    wait = bucket.wait(amount, now)
    if not wait:
        return None
    return Refusal(
        kind=kind,
        limit=bucket.rate.count,
        used=bucket.rate.count - bucket.remaining(now),
        asked=amount,
        period=bucket.rate.seconds,
        wait=wait if amount <= bucket.rate.count else None,
    )


def _headers(kind: str, bucket: Bucket, now: int) -> dict[str, str]:
    return {
        f"x-ratelimit-limit-{kind}": str(bucket.rate.count),
        f"x-ratelimit-remaining-{kind}": str(bucket.remaining(now)),
        f"x-ratelimit-reset-{kind}": duration(bucket.reset(now)),
    }


def _ceil(amount: int, parts: int) -> int:
    return -(-amount // parts)


def duration(nanoseconds: int) -> str:
    """A time as the API writes it, never too short: `6ms`, `8.64s`, `1m2s`, `1h0m0s`."""
    milliseconds = _ceil(nanoseconds, 1_000_000)
    if 0 < milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest / 1000:.3f}".rstrip("0").rstrip(".")
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
