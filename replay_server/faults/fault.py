"""The nouns: a fault, what it does to an answer, and the calls that it hits."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from replay_server.faults.limits import Limit


class Spoil(StrEnum):
    """How the bytes of an answer are spoiled."""

    STALL = "stall"
    CUT = "cut"
    MID_CHUNK = "mid-chunk"
    RESET = "reset"
    MALFORMED = "malformed"
    NO_DONE = "no_done"
    ERROR_EVENT = "error_event"
    EMPTY = "empty"

    @property
    def needs_stream(self) -> bool:
        """Whether a plain answer has nothing that could be spoiled so."""
        return self in (Spoil.NO_DONE, Spoil.ERROR_EVENT)

    @property
    def breaks_off(self) -> bool:
        """Whether the client is left without the end of the answer."""
        return self in (Spoil.STALL, Spoil.CUT, Spoil.MID_CHUNK, Spoil.RESET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Which calls a fault hits, of those that it counts, from 1."""

    probability: float = 1.0
    calls: tuple[int, ...] = ()
    """Exactly these. None: every `every`-th."""
    every: int = 1
    times: int | None = None
    """Never more than so many."""

    @property
    def is_always(self) -> bool:
        """Whether nothing need be counted."""
        return self == _ALWAYS

    @property
    def first(self) -> int:
        """The earliest call that it can hit."""
        return min(self.calls, default=self.every)

    def hits(self, call: int, chance: Callable[[], float]) -> bool:
        """Whether it is the turn of this call; `chance` draws from [0, 1)."""
        if self.calls:
            return call in self.calls
        if self.probability < 1:
            return chance() < self.probability
        return call % self.every == 0 and (self.times is None or call // self.every <= self.times)


_ALWAYS = Schedule()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong with an answer. What is None, or 0, stays as it is."""

    text: str = field(compare=False)
    """As a header can say it: `status=429, times=2`."""
    status: int | None = None
    message: str | None = None
    type: str | None = None
    code: str | None = None
    retry_after: float | None = None
    """Seconds."""
    should_retry: bool | None = None
    limit: Limit | None = None
    delay: float = 0.0
    """Seconds before the answer."""
    slow: float = 0.0
    """Seconds before each byte of its body."""
    content_type: str | None = None
    spoil: Spoil | None = None
    after: int = 0
    """Events that come whole before it is spoiled."""
    schedule: Schedule = _ALWAYS

    @property
    def breaks_first(self) -> bool:
        """Whether not a byte of the answer comes: whatever it would be, it need not be made."""
        return self.spoil is not None and self.spoil.breaks_off and self.spoil is not Spoil.MID_CHUNK and not self.after

    @property
    def spoils(self) -> bool:
        """Whether what comes is not what was to come; else it is only late."""
        return self.spoil is not None or self.content_type is not None

    @property
    def needs_stream(self) -> bool:
        """Whether it leaves a plain answer alone."""
        return self.spoil is not None and self.spoil.needs_stream
