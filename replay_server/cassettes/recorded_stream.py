"""A recorded stream as it stands in a cassette: its events, a line each, under what they share. Written and read.

`data` that is a mapping is a JSON object without the members of the envelope; a text is the data as it came. What is
framed in no usual way (a comment, an id, CRLF) stands whole, as `raw`, so that one odd frame does not spoil the rest.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise, takewhile

import orjson

from replay_server.cassettes.json_style import JsonStyle, read_style
from replay_server.cassettes.raw import read_raw, write_raw
from replay_server.endpoints.base import BadField
from replay_server.endpoints.short_form import items, known, optional
from replay_server.interaction import Json, JsonObject, TimedFrame
from replay_server.keys import too_deep

STREAM_FIELDS = ("envelope", "style", "events")
EVENT_FIELDS = ("after", "event", "data")
RAW_EVENT_FIELDS = ("after", "raw")

# An event's data is one line, so neither indentation nor a newline at the end can be its style.
_STYLES = tuple(JsonStyle(spacing, escapes) for escapes in (False, True) for spacing in ("compact", "spaced"))
_USUAL_FRAME = re.compile(rb"(?:event: ([^\r\n]*)\n)?data: ([^\r\n]*)\n\n")


@dataclass(frozen=True, slots=True)
class _Event:
    """A frame in one of the two usual forms: the name of its event, its data, and the JSON object in it, if any."""

    name: str | None
    data: str
    chunk: dict[str, Json] | None

    @classmethod
    def read(cls, frame: bytes) -> "_Event | None":
        """The event of a frame, None where it is framed in another way."""
        match = _USUAL_FRAME.fullmatch(frame)
        try:
            if match is None:
                return None
            return cls(None if match[1] is None else match[1].decode(), match[2].decode(), _object(match[2]))
        except UnicodeDecodeError:
            return None


def _object(data: bytes) -> dict[str, Json] | None:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) and not too_deep(value) else None


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the events of a stream share: the JSON style of their data, and the members that it begins with."""

    style: JsonStyle
    envelope: JsonObject

    @classmethod
    def among(cls, events: Sequence[_Event]) -> "_Shared":
        """What these events share, leaving out those that the commonest style does not reproduce."""
        candidates = ((style, _chunks_in(events, style)) for style in _STYLES)
        style, chunks = max(candidates, key=lambda candidate: len(candidate[1]))
        return cls(style, _common_members(chunks))

    @classmethod
    def read(cls, stream: JsonObject) -> "_Shared":
        """What the fields of a stream say."""
        style = read_style(stream)
        if style not in _STYLES:
            raise BadField(("style",), f"{style} is no style of events: each has its JSON on one line")
        return cls(style, optional(stream, "envelope", dict) or {})

    def write(self) -> dict[str, Json]:
        """The fields of a stream that say it."""
        envelope: dict[str, Json] = {"envelope": dict(self.envelope)} if self.envelope else {}
        return {**envelope, "style": str(self.style)} if str(self.style) else envelope

    def frame(self, event: JsonObject) -> bytes:
        """The bytes of an event that stands in a cassette like this."""
        data = event["data"]
        text = self.style.dump({**self.envelope, **data}) if isinstance(data, dict) else str(data).encode()
        name = f"event: {event['event']}\n".encode() if "event" in event else b""
        return b"%bdata: %b\n\n" % (name, text)


# Written -------------------------------------------------------------------------------------------------------------


def write_stream(frames: Sequence[TimedFrame]) -> dict[str, Json]:
    """The field `stream` of a response. It gives the bytes of the frames again: each is rendered and compared."""
    frames = frames or [TimedFrame(0.0, b"")]  # frames tell that it is a stream, even where nothing came
    events = [_Event.read(frame.data) for frame in frames]
    shared = _Shared.among([event for event in events if event is not None])
    gaps = _gaps(frames)
    written: list[Json] = [_write_event(*each, shared) for each in zip(gaps, frames, events, strict=True)]
    return {**shared.write(), "events": written}


def _chunks_in(events: Sequence[_Event], style: JsonStyle) -> list[JsonObject]:
    """The chunks that this style reproduces."""
    chunks = ((event.chunk, event.data.encode()) for event in events)
    return [chunk for chunk, data in chunks if chunk is not None and style.dump(chunk) == data]


def _common_members(chunks: Sequence[JsonObject]) -> JsonObject:
    """The leading members that all chunks have alike, up to the first list or mapping: these carry the deltas."""
    columns = zip(*(chunk.items() for chunk in chunks), strict=False)
    alike = takewhile(lambda column: all(_is_same(member, column[0]) for member in column), columns)
    return dict(takewhile(lambda member: not isinstance(member[1], list | dict), (column[0] for column in alike)))


def _is_same(one: tuple[str, Json], other: tuple[str, Json]) -> bool:
    return one == other and type(one[1]) is type(other[1])  # True == 1 == 1.0


def _gaps(frames: Sequence[TimedFrame]) -> list[float]:
    """The gaps in whole milliseconds. The moments are rounded, not the gaps: what is rounded off does not add up."""
    moments = accumulate((max(float(frame.after), 0.0) for frame in frames), initial=0.0)
    return [round(end - start, 3) for start, end in pairwise(round(moment, 3) for moment in moments)]


def _write_event(after: float, frame: TimedFrame, event: _Event | None, shared: _Shared) -> Json:
    for form in [] if event is None else _usual_forms(event, shared.envelope):
        if shared.frame(form) == frame.data:
            return {"after": after, **form}
    return {"after": after, "raw": write_raw(frame.data)}


def _usual_forms(event: _Event, envelope: JsonObject) -> list[dict[str, Json]]:
    """The ways to write an event, the best one first."""
    named: dict[str, Json] = {} if event.name is None else {"event": event.name}
    as_text: dict[str, Json] = {**named, "data": event.data}
    if event.chunk is None:
        return [as_text]
    rest: Json = {name: value for name, value in event.chunk.items() if name not in envelope}
    return [{**named, "data": rest}, as_text]


# Read ----------------------------------------------------------------------------------------------------------------


def read_stream(stream: JsonObject) -> tuple[TimedFrame, ...]:
    """The frames of a response's `stream`. Raises BadField."""
    known(stream, STREAM_FIELDS)
    shared = _Shared.read(stream)
    events = items(stream, "events", dict)
    if not events:
        raise BadField(("events",), "must have at least one event")
    return tuple(_read_listed(event, at, shared) for at, event in enumerate(events))


def _read_listed(event: JsonObject, at: int, shared: _Shared) -> TimedFrame:
    try:
        return TimedFrame(_read_after(event), _read_data(event, shared))
    except BadField as error:
        raise error.below("events", at) from None


def _read_data(event: JsonObject, shared: _Shared) -> bytes:
    if "raw" in event:
        known(event, RAW_EVENT_FIELDS)
        return read_raw(event)
    known(event, EVENT_FIELDS)
    _check_line(event.get("event", ""), "event", "a text of one line")
    if not isinstance(event.get("data"), dict):
        _check_line(event.get("data"), "data", "a mapping or a text of one line")
    try:
        return shared.frame(event)
    except orjson.JSONEncodeError:
        raise BadField(("data",), "lies too deep: give the frame as raw") from None


def _check_line(value: Json, name: str, what: str) -> None:
    if not isinstance(value, str) or "\n" in value or "\r" in value:
        raise BadField((name,), f"must be {what}, not {value!r}: give any other frame as raw")


def _read_after(event: JsonObject) -> float:
    after = event.get("after", 0.0)
    if isinstance(after, bool) or not isinstance(after, int | float) or after < 0:
        raise BadField(("after",), f"must be seconds, 0 or more, not {after!r}")
    return float(after)
