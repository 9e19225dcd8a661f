"""When each piece of an answer is due: bytes in, the same bytes with seconds out. No clock, no waiting.

What comes out are timed frames, so that whatever else spoils or delays an answer is a function from these to others.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from replay_server.cassettes.sse import each_frame, frame_data
from replay_server.endpoints.base import Resource
from replay_server.fallback.draw import Draw
from replay_server.interaction import Pace, Profile, RecordedPace, TimedFrame, WireResponse, WireStream

Others = Callable[[], int]
"""How many other answers are under way at this moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How one answer is timed. What a profile draws is seeded by the key and the place in the sequence."""

    pace: Pace
    resource: Resource
    key: str
    place: int = 0
    recorded: tuple[TimedFrame, ...] = ()
    """The frames as they came, where the answer is a recorded stream, or is collected from one."""

    def frames(self, wire: WireResponse | WireStream, others: Others) -> Iterator[TimedFrame]:
        """The bytes of an answer, each frame with the seconds that it comes after the one before it."""
        if isinstance(self.pace, RecordedPace):
            return _as_recorded(wire, self.recorded, self.pace.factor)
        waits = _Waits(self.pace, Draw(self.key, "pace", self.place), others)
        if isinstance(wire, WireStream):
            return _spoken(chain.from_iterable(map(each_frame, wire.frames)), waits, self.resource)
        tokens = self.resource.tokens_said(wire.body)
        return iter([TimedFrame(waits.first() + sum(waits.next() for _ in range(tokens - 1)), wire.body)])


def _as_recorded(
    wire: WireResponse | WireStream, recorded: tuple[TimedFrame, ...], factor: float
) -> Iterator[TimedFrame]:
    """The gaps of the recording. What is collected is there when the stream had ended."""
    if isinstance(wire, WireResponse):
        yield TimedFrame(factor * sum(frame.after for frame in recorded), wire.body)
        return
    for frame in recorded:
        yield TimedFrame(factor * frame.after, frame.data)


class _Waits:
    """The waits of a profile, drawn one after the other."""

    def __init__(self, profile: Profile, draw: Draw, others: Others) -> None:
        self._profile = profile
        self._draw = draw
        self._others = others

    def first(self) -> float:
        """The time to the first token."""
        return self._spread(self._profile.ttft)

    def next(self) -> float:
        """The time to one more."""
        return self._spread(self._profile.itl)

    def _spread(self, seconds: float) -> float:
        drawn = 1 + self._profile.jitter * (2 * self._draw.fraction() - 1)
        return seconds * drawn * (1 + self._profile.load * self._others())


def _spoken(frames: Iterable[bytes], waits: _Waits, resource: Resource) -> Iterator[TimedFrame]:
    """A wait before the first frame, and before each that says more; what ends a stream comes with the last of them."""
    after, has_spoken = waits.first(), False
    for frame in frames:
        data = frame_data(frame)
        speaks = data is not None and resource.carries_delta(data)
        if speaks and has_spoken:
            after = waits.next()
        has_spoken = has_spoken or speaks
        yield TimedFrame(after, frame)
        after = 0.0


def _nobody(_: float) -> None:
    """Hears how late a frame is, and does not care."""


async def write_stream(
    frames: Iterable[TimedFrame],
    send: Callable[[bytes], Awaitable[None]],
    clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
    late: Callable[[float], None] = _nobody,
) -> None:
    """Send each frame when it is due, counted from now; those that are due together go out together.

    `late` hears by how many seconds each that was waited for is later than that.

    Each sleep ends at a deadline, so that what one frame is late does not make the next one late: nothing drifts.
    """
    due, ready = clock(), bytearray()
    for frame in frames:
        due += frame.after
        if frame.after > 0:
            if due > clock():
                if ready:
                    await send(bytes(ready))
                    ready.clear()
                if (ahead := due - clock()) > 0:  # sending took its time too
                    await sleep(ahead)
            late(max(0.0, clock() - due))
        ready += frame.data
    if ready:
        await send(bytes(ready))
