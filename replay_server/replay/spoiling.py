"""What a fault makes of the frames of an answer: timed frames in, timed frames out. No clock, no waiting.

How the answer ends is `Fault.spoil`: what breaks off ends without its last frames, and the server does the rest.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

import orjson

from replay_server.cassettes.sse import each_frame, frame_data
from replay_server.endpoints.base import Resource
from replay_server.faults.errors import error_of
from replay_server.faults.fault import Fault, Spoil
from replay_server.interaction import TimedFrame, WireResponse, WireStream

_ANOTHER_EVENT = (Spoil.MID_CHUNK, Spoil.MALFORMED, Spoil.ERROR_EVENT)


@dataclass(frozen=True, slots=True)
class Spoiling:
    """How one answer is spoiled."""

    fault: Fault
    resource: Resource
    model: str

    def is_seen(self, method: str) -> bool:
        """Whether more than a delay is seen of it: an answer without a body has none that could be spoiled."""
        return self.fault.breaks_first or (method != "HEAD" and (self.fault.spoils or self.fault.slow > 0))

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers of the answer."""
        wrong = self.fault.content_type
        return {**headers} if wrong is None else {**headers, "content-type": wrong}

    def frames(self, wire: WireResponse | WireStream, timed: Iterable[TimedFrame] | None) -> Iterator[TimedFrame]:
        """What is sent of an answer; `timed`: its frames, where they have a pace."""
        fault, spoil = self.fault, self.fault.spoil
        if timed is None:
            timed = (TimedFrame(0.0, frame) for frame in _frames(wire))
        if spoil is not None:
            kept = self._kept(spoil, iter(timed)) if isinstance(wire, WireStream) else _kept_of_plain(fault, timed)
        else:
            kept = iter(timed)
        return _byte_by_byte(kept, fault.slow) if fault.slow else kept

    def _kept(self, spoil: Spoil, frames: Iterator[TimedFrame]) -> Iterator[TimedFrame]:
        if spoil is Spoil.EMPTY:
            return iter(())
        if spoil is Spoil.NO_DONE:
            return _without_end(frames, self.resource)
        whole = _counted(frames, self.fault.after)
        return chain(whole, self._after(spoil, frames)) if spoil in _ANOTHER_EVENT else whole

    def _after(self, spoil: Spoil, frames: Iterator[TimedFrame]) -> Iterator[TimedFrame]:
        """Another event in place of the next one; what stands before it, and is none, stays."""
        for frame in frames:
            if frame_data(frame.data) is None:
                yield frame
                continue
            yield TimedFrame(frame.after, self._instead_of(spoil, frame.data))
            if spoil is Spoil.MALFORMED:
                yield from frames
            return

    def _instead_of(self, spoil: Spoil, frame: bytes) -> bytes:
        if spoil is Spoil.ERROR_EVENT:
            return self._error_event(frame)
        return _malformed(frame) if spoil is Spoil.MALFORMED else frame[: len(frame) // 2]

    def _error_event(self, instead_of: bytes) -> bytes:
        """The error in the form of the stream's other events: named ones carry it flat, in others it is an object."""
        error = error_of(self.fault, self.model)
        fields = {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
        if not instead_of.startswith(b"event:"):
            return b"data: %b\n\n" % orjson.dumps({"error": fields})
        flat = {**fields, "type": "error", "code": error.code or error.type, "sequence_number": self.fault.after}
        return b"event: error\ndata: %b\n\n" % orjson.dumps(flat)


def _frames(wire: WireResponse | WireStream) -> Iterable[bytes]:
    return [wire.body] if isinstance(wire, WireResponse) else chain.from_iterable(map(each_frame, wire.frames))


def _kept_of_plain(fault: Fault, frames: Iterable[TimedFrame]) -> Iterator[TimedFrame]:
    """A plain answer has no events: what comes is nothing, or half of it."""
    if fault.needs_stream:
        yield from frames
    elif fault.spoil is not Spoil.EMPTY and not fault.breaks_first:
        for frame in frames:
            yield TimedFrame(frame.after, frame.data[: len(frame.data) // 2])


def _counted(frames: Iterator[TimedFrame], events: int) -> Iterator[TimedFrame]:
    """So many events, and what stands between them: comments and blank lines are none."""
    while events > 0 and (frame := next(frames, None)) is not None:
        events -= frame_data(frame.data) is not None
        yield frame


def _malformed(frame: bytes) -> bytes:
    """A frame whose JSON breaks off in its middle, and which ends as a frame does."""
    return frame[: len(frame.rstrip()) // 2] + b"\n\n"


def _without_end(frames: Iterable[TimedFrame], resource: Resource) -> Iterator[TimedFrame]:
    """Without the frame that says the stream is whole; where none does, without the last one."""
    held: TimedFrame | None = None
    ended = False
    for frame in frames:
        if held is not None:
            yield held
        data = frame_data(frame.data)
        ends = data is not None and resource.ends_stream(data) is True
        ended, held = ended or ends, None if ends else frame
    if ended and held is not None:
        yield held


def _byte_by_byte(frames: Iterable[TimedFrame], wait: float) -> Iterator[TimedFrame]:
    for frame in frames:
        for at, byte in enumerate(frame.data):
            yield TimedFrame(wait + (0.0 if at else frame.after), bytes([byte]))
