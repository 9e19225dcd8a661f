"""What a fault leaves of the frames of an answer, without a clock and without a server."""

import orjson
import pytest

from replay_server.endpoints.base import Resource
from replay_server.endpoints.chat import RESOURCE as CHAT
from replay_server.endpoints.table import any_resource
from replay_server.faults.reading import parse_fault
from replay_server.interaction import TimedFrame, WireResponse, WireStream
from replay_server.replay.spoiling import Spoiling

A, B, C = (b'data: {"text":"%c"}\n\n' % letter for letter in b"ABC")
PING, DONE = b": ping\n\n", b"data: [DONE]\n\n"
STREAM = WireStream(200, {}, (A + PING + B, C + DONE))
PLAIN = WireResponse(200, {}, b'{"text":"AB"}')
NAMED = WireStream(200, {}, (b'event: a\ndata: {"type":"a"}\n\n', b'event: b\ndata: {"type":"response.completed"}\n\n'))


def spoiled(text: str, wire: WireResponse | WireStream = STREAM, resource: Resource = CHAT) -> list[bytes]:
    return [frame.data for frame in Spoiling(parse_fault(text), resource, "m").frames(wire, None)]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("delay=1s", [A, PING, B, C, DONE]),
        ("stall=after 2 events", [A, PING, B]),
        ("stall=after 0 events", []),
        ("stall=after 9 events", [A, PING, B, C, DONE]),
        ("cut", [A]),
        ("reset=after 3 events", [A, PING, B, C]),
        ("cut=mid-chunk after 3 events", [A, PING, B, C, DONE[:7]]),
        ("malformed=after 2 events", [A, PING, B, b'data: {"t\n\n', DONE]),
        ("malformed", [A, PING, b'data: {"t\n\n', C, DONE]),
        ("malformed=after 9 events", [A, PING, B, C, DONE]),
        ("no_done", [A, PING, B, C]),
        ("empty", []),
    ],
)
def test_a_stream_is_spoiled_at_its_place(text: str, left: list[bytes]) -> None:
    assert spoiled(text) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("delay=1s", [PLAIN.body]),
        ("stall", [b'{"text']),
        ("cut=after 0 events", []),
        ("cut=mid-chunk", [b'{"text']),
        ("reset", []),
        ("malformed", [b'{"text']),
        ("empty", []),
        ("no_done", [PLAIN.body]),
    ],
)
def test_of_a_plain_answer_comes_nothing_or_half(text: str, left: list[bytes]) -> None:
    assert spoiled(text, PLAIN) == left


def test_an_error_within_a_stream_ends_it() -> None:
    *before, error = spoiled("error_event=after 2 events, code=oops, message=Sorry.")

    assert before == [A, PING, B]
    assert error.startswith(b"data: {")
    assert orjson.loads(error.removeprefix(b"data: ")) == {
        "error": {"message": "Sorry.", "type": "server_error", "param": None, "code": "oops"}
    }


def test_an_error_within_named_events_is_a_named_event() -> None:
    _, error = spoiled("error_event, message=Sorry.", NAMED)

    assert error.startswith(b"event: error\ndata: {")
    assert orjson.loads(error.partition(b"data: ")[2]) == {
        "type": "error",
        "message": "Sorry.",
        "param": None,
        "code": "server_error",
        "sequence_number": 1,
    }


@pytest.mark.parametrize(
    "frames",
    [(A, B), NAMED.frames],
    ids=["an end that nobody knows", "an end by its type"],
)
def test_a_stream_of_any_api_is_left_without_its_end(frames: tuple[bytes, ...]) -> None:
    resource = any_resource("POST", "/responses")

    assert spoiled("no_done", WireStream(200, {}, frames), resource) == list(frames)[:1]


def test_slow_is_byte_by_byte_after_the_wait_of_the_frame() -> None:
    spoiling = Spoiling(parse_fault("slow=2s, cut"), CHAT, "m")

    timed = list(spoiling.frames(WireStream(200, {}, ()), [TimedFrame(1.0, b"ab"), TimedFrame(5.0, b"c")]))

    assert timed == [TimedFrame(3.0, b"a"), TimedFrame(2.0, b"b"), TimedFrame(7.0, b"c")]


def test_a_wrong_content_type_takes_the_place_of_the_right_one() -> None:
    headers = {"content-type": "application/json", "x": "y"}

    assert Spoiling(parse_fault("content_type=text/html"), CHAT, "m").headers(headers) == {
        "content-type": "text/html",
        "x": "y",
    }
    assert Spoiling(parse_fault("cut"), CHAT, "m").headers(headers) == headers
