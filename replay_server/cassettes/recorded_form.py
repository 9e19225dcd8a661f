"""How an answer of an upstream stands in a cassette, written and read: `body`, `stream`, or `raw` where neither does.

Whatever is written here has been rendered and compared: it gives the upstream's own bytes again.
"""

from collections.abc import Mapping, Sequence

import orjson

from replay_server.cassettes.json_style import JsonStyle, read_style
from replay_server.cassettes.raw import read_raw, write_raw
from replay_server.cassettes.recorded_stream import read_stream, write_stream
from replay_server.cassettes.response_head import EVENT_STREAM, JSON, read_headers, read_status, write_head
from replay_server.endpoints.base import BadField
from replay_server.endpoints.short_form import known, required
from replay_server.interaction import Answered, Json, JsonObject, Recorded, TimedFrame
from replay_server.keys import too_deep

BODY_FIELDS = ("body", "style", "status", "headers")
RAW_FIELDS = ("raw", "status", "headers")
STREAM_RESPONSE_FIELDS = ("stream", "status", "headers")


# Written -------------------------------------------------------------------------------------------------------------


def answered_form(answered: Answered) -> dict[str, Json]:
    """The `response` of an answer, plain or streamed."""
    if answered.frames:
        return stream_form(answered.status, answered.headers, answered.frames)
    return plain_form(answered.status, answered.headers, answered.body)


def plain_form(status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Json]:
    """The `response` of a plain answer: `{status, headers, style, body}`, or `raw` in place of style and body."""
    return {**write_head(status, headers, JSON), **(_write_body(body) or {"raw": write_raw(body)})}


def stream_form(status: int, headers: Mapping[str, str], frames: Sequence[TimedFrame]) -> dict[str, Json]:
    """The `response` of a streamed answer: `{status, headers, stream: {envelope, style, events}}`."""
    return {**write_head(status, headers, EVENT_STREAM), "stream": write_stream(frames)}


def _write_body(body: bytes) -> dict[str, Json] | None:
    try:
        value: Json = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    style = None if too_deep(value) else JsonStyle.detect(body, value)
    if style is None:
        return None
    return {"style": str(style), "body": value} if str(style) else {"body": value}


# Read ----------------------------------------------------------------------------------------------------------------


def is_recorded(response: JsonObject) -> bool:
    """Whether a response is one that an upstream gave."""
    return "body" in response or "stream" in response or "raw" in response


def read_recorded(response: JsonObject) -> Recorded:
    """The answer that a recorded response holds. Raises BadField."""
    if "stream" in response:
        return _read_stream(response)
    return _read_raw(response) if "raw" in response else _read_body(response)


def _read_body(response: JsonObject) -> Recorded:
    known(response, BODY_FIELDS)
    content, style = response["body"], read_style(response)
    try:
        body = style.dump(content)
    except orjson.JSONEncodeError:
        raise BadField(("body",), "lies too deep: give it as raw") from None
    return Recorded(status=read_status(response), body=body, content=content, headers=read_headers(response))


def _read_raw(response: JsonObject) -> Recorded:
    known(response, RAW_FIELDS)
    body = read_raw(response)
    content = _json_or_none(body)
    return Recorded(status=read_status(response), body=body, content=content, headers=read_headers(response))


def _json_or_none(body: bytes) -> Json:
    try:
        value: Json = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return value


def _read_stream(response: JsonObject) -> Recorded:
    known(response, STREAM_RESPONSE_FIELDS)
    stream = required(response, "stream", dict)
    try:
        frames = read_stream(stream)
    except BadField as error:
        raise error.below("stream") from None
    body = b"".join(frame.data for frame in frames)
    return Recorded(status=read_status(response), body=body, frames=frames, headers=read_headers(response))
