"""An answer while it arrives: decoded, cut into frames with their times, and judged at its end. No I/O, no clock."""

from collections.abc import Mapping

import orjson

from replay_server.cassettes.decoding import DecodingError, decoder
from replay_server.cassettes.sse import FrameSplitter, frame_data
from replay_server.endpoints.base import Resource
from replay_server.interaction import Answered, Json, TimedFrame
from replay_server.terminal import counted

_WORDS_SHOWN = 300


class NotWhole(Exception):
    """The answer did not come whole, or tells of an error. `retried`: asking again may help."""

    def __init__(self, message: str, *, retried: bool = True) -> None:
        super().__init__(message)
        self.retried = retried


class FrameCutter:
    """Cuts what arrives into frames, each with the seconds since the one before it."""

    def __init__(self, started: float) -> None:
        self.frames: list[TimedFrame] = []
        self._before = started
        self._splitter = FrameSplitter()

    def take(self, data: bytes, now: float) -> None:
        """More of the stream. Frames that arrive together have no gap between them."""
        for frame in self._splitter.feed(data):
            self._add(frame, now)

    def end(self, now: float) -> None:
        """There is no more: what is left is the last frame."""
        for frame in self._splitter.rest():
            self._add(frame, now)

    def _add(self, frame: bytes, now: float) -> None:
        self.frames.append(TimedFrame(now - self._before, frame))
        self._before = now


class Capture:
    """Takes an answer as it arrives. `largest` is how many bytes are kept at most, decoded."""

    def __init__(self, status: int, headers: Mapping[str, str], *, started: float, largest: int) -> None:
        self._status = status
        self._headers = headers
        self._largest = largest
        self._body = bytearray()
        self._cutter = FrameCutter(started) if status == 200 and is_event_stream(headers) else None
        self._failure: str | None = None
        try:
            self._decoder = decoder(headers.get("content-encoding", ""))
        except DecodingError as error:
            self._give_up(str(error))

    def take(self, data: bytes, now: float) -> None:
        """More of the body, as it came over the wire."""
        if self._failure is not None:
            return
        try:
            decoded = self._decoder.feed(data)
        except DecodingError as error:
            self._give_up(str(error))
            return
        if len(self._body) + len(decoded) > self._largest:
            self._give_up(f"the answer has more than {self._largest} bytes (--max-body)")
            return
        self._body += decoded
        if self._cutter:
            self._cutter.take(decoded, now)

    def _give_up(self, why: str) -> None:
        self._failure = why
        self._body.clear()
        self._cutter = None

    def has_ended(self, resource: Resource) -> bool:
        """Whether a stream's last event has come."""
        frames = self._cutter.frames if self._cutter and self._failure is None else []
        data = frame_data(frames[-1].data) if frames else None
        return data is not None and resource.ends_stream(data) is True

    def so_far(self, resource: Resource) -> Answered:
        """The frames that have come whole, as an answer. Raises NotWhole."""
        frames = tuple(self._cutter.frames) if self._cutter else ()
        check_stream(frames, resource)
        return Answered(self._status, self._headers, b"".join(frame.data for frame in frames), frames)

    def answered(self, resource: Resource, now: float, *, even_broken: bool = False) -> Answered:
        """The answer, once there is no more. Raises NotWhole, unless one that is `even_broken` is wanted."""
        if self._failure is None and not even_broken:
            self._failure = self._end_of_coding()
        if self._failure is not None:
            raise NotWhole(self._failure, retried=False)
        frames: tuple[TimedFrame, ...] = ()
        if self._cutter:
            self._cutter.end(now)
            frames = tuple(self._cutter.frames)
        answered = Answered(self._status, self._headers, bytes(self._body), frames)
        if not even_broken:
            self._check(answered, resource)
        return answered

    def _end_of_coding(self) -> str | None:
        try:
            self._decoder.end()
        except DecodingError as error:
            return str(error)
        return None

    def _check(self, answered: Answered, resource: Resource) -> None:
        if self._cutter:
            check_stream(answered.frames, resource)
        elif is_json(self._headers) and not _parses(answered.body):
            raise NotWhole(f"the upstream answered what is not JSON: {words(answered.body)}")


def is_event_stream(headers: Mapping[str, str]) -> bool:
    """Whether an answer is a stream of events."""
    return _kind(headers) == "text/event-stream"


def is_json(headers: Mapping[str, str]) -> bool:
    """Whether an answer says that it is JSON."""
    kind = _kind(headers)
    return kind == "application/json" or kind.endswith("+json")


def _kind(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _parses(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return not body
    return True


def check_stream(frames: tuple[TimedFrame, ...], resource: Resource) -> None:
    """Raise NotWhole for a stream that tells of an error or did not come to its end."""
    data = [found for frame in frames if (found := frame_data(frame.data)) is not None]
    for text in data:
        if error := _error_in(text):
            raise NotWhole(f"the upstream's stream tells of an error: {error}")
    if not data or resource.ends_stream(data[-1]) is False:
        raise NotWhole(f"the upstream's stream broke off after {counted(len(frames), 'event')}")


def _error_in(text: bytes) -> str | None:
    if b'"error"' not in text:  # nearly always, and this is asked of every event
        return None
    try:
        chunk: Json = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    error = chunk.get("error") if isinstance(chunk, dict) else None
    return words(orjson.dumps(error)) if error else None


def words(body: bytes) -> str:
    """The upstream's own words: the message of its error object, else the beginning of what it said."""
    try:
        value: Json = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = None
    error = value.get("error", value) if isinstance(value, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    text = message if isinstance(message, str) else body.decode(errors="replace")
    return text.strip()[:_WORDS_SHOWN] or "(nothing)"
