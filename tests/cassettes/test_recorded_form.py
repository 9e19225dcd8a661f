"""What an upstream gave is written, dumped, loaded and read: the same bytes, the same gaps."""

import json
from itertools import accumulate, pairwise
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replay_server.cassettes.reader import read_cassette
from replay_server.cassettes.recorded_form import plain_form, stream_form
from replay_server.cassettes.sse import FrameSplitter, frame_data, json_chunks, split_frames
from replay_server.cassettes.yaml_writer import dump
from replay_server.errors import CassetteError
from replay_server.interaction import Recorded, TimedFrame

# A busy machine is no failure.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

REQUEST = {"model": "m", "messages": [{"role": "user", "content": "x"}]}

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)
ODD_FRAMES = st.sampled_from(
    [
        b": keep-alive\n\n",
        b"data: [DONE]\n\n",
        b"data:{}\n\n",
        b"data: {}\r\n\r\n",
        b"data: {}\r\r",
        b"data: \n\n",
        b"id: 7\ndata: {}\n\n",
        b"event: ping\ndata: {}\n\n",
        b"event: \ndata: x\n\n",
        b'data: {"a":\ndata: 1}\n\n',
        b'data: {"a":1.0e0}\n\n',
        b'data: {"a":1,"a":2}\n\n',
        b"data: {}\n",
        b"\n",
        b"",
        b'data: "\xff"\n\n',
        b"event: \xff\ndata: {}\n\n",
        b"data: [1, 2]\n\n",
        b"data: " + b"[" * 200 + b"]" * 200 + b"\n\n",
        b'data: {"a":' + b"[" * 200 + b"]" * 200 + b"}\n\n",
        "data: é\u2028\x85\n\n".encode(),
    ]
)


def framed(chunk: Any) -> bytes:
    return b"data: %b\n\n" % orjson.dumps(chunk)


CHUNKS = st.builds(lambda envelope, rest: {**envelope, **rest}, OBJECTS, OBJECTS).map(framed)
FRAMES = st.lists(ODD_FRAMES | CHUNKS | st.binary(max_size=30), max_size=6)
GAPS = st.integers(0, 100_000).map(lambda milliseconds: milliseconds / 1000)


def write(form: dict[str, Any]) -> str:
    return dump({"request": REQUEST, "response": form})


def read(text: str) -> Recorded:
    (interaction,) = read_cassette("a.yaml", text.encode())
    (response,) = interaction.responses
    assert isinstance(response, Recorded)
    return response


# Streams -------------------------------------------------------------------------------------------------------------


@PATIENT
@given(FRAMES, st.data())
def test_a_hostile_stream_gives_its_bytes_and_gaps_again(pieces: list[bytes], data: st.DataObject) -> None:
    frames = tuple(TimedFrame(data.draw(GAPS), piece) for piece in pieces)

    recorded = read(write(stream_form(200, {}, frames)))

    assert recorded.body == b"".join(pieces)
    assert recorded.frames == (frames or (TimedFrame(0.0, b""),))


LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
NUMBER_TEXTS = st.sampled_from(["1", "1.0", "-0", "-0.0", "1e5", "1E+2", "2.50", "9" * 30, "0.1e-7", "1e400"])
STRINGS = TEXTS.map(lambda text: orjson.dumps(text).decode()) | TEXTS.map(json.dumps)
MEMBERS = st.tuples(STRINGS, NUMBER_TEXTS | STRINGS | st.sampled_from(["null", "[]", '{"a":1,"a":2}', '"\\ud800"']))
ODD_JSON = st.lists(MEMBERS, max_size=3).map(lambda members: "{" + ", ".join(map(": ".join, members)) + "}")
FIELDS = st.sampled_from(
    [b"data: ", b"data:", b"data", b"event: ", b"id: ", b"retry: ", b": ", b":", b"x: ", b" data: "]
)
LINES = st.builds(bytes.__add__, FIELDS, TEXTS.map(str.encode) | ODD_JSON.map(str.encode) | st.binary(max_size=6))
BIG_FRAMES = st.integers(0, 70_000).map(lambda size: b'data: {"a":"' + b"x" * size + b'"}\n\n')


@st.composite
def hostile_frames(draw: st.DrawFn) -> bytes:
    lines = draw(st.lists(LINES, max_size=3))
    return b"".join(line + draw(LINE_ENDS) for line in [*lines, b""])


@st.composite
def hostile_streams(draw: st.DrawFn) -> bytes:
    start = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    frames = draw(st.lists(hostile_frames() | CHUNKS | ODD_FRAMES | BIG_FRAMES, max_size=5))
    return start + b"".join(frames) + draw(st.sampled_from([b"", b"data: [DONE]\n\n", b"data: [DONE]", b"data: \xc3"]))


def cut_at(body: bytes, places: list[int]) -> list[bytes]:
    ends = sorted(place % (len(body) + 1) for place in places)
    return [body[start:end] for start, end in pairwise([0, *ends, len(body)])]


@PATIENT
@given(hostile_streams(), st.lists(st.integers(0, 500_000), max_size=12))
def test_a_hostile_stream_is_recorded_alike_wherever_it_is_cut_on_its_way(body: bytes, places: list[int]) -> None:
    splitter = FrameSplitter()

    frames = [frame for piece in cut_at(body, places) for frame in splitter.feed(piece)] + splitter.rest()

    assert frames == split_frames(body)
    assert read(write(stream_form(200, {}, [TimedFrame(0.0, frame) for frame in frames]))).body == body


@PATIENT
@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n"]), max_size=12))
def test_byte_by_byte_a_stream_is_cut_as_when_it_is_whole(pieces: list[bytes]) -> None:
    body, splitter = b"".join(pieces), FrameSplitter()

    frames = [frame for byte in body for frame in splitter.feed(bytes([byte]))] + splitter.rest()

    assert frames == split_frames(body)


def test_a_frame_is_whole_as_soon_as_its_blank_line_has_come() -> None:
    splitter = FrameSplitter()

    assert splitter.feed(b"data: a\n\ndata: b\r\n") == [b"data: a\n\n"]
    assert splitter.feed(b"\r\ndata") == [b"data: b\r\n\r\n"]
    assert splitter.feed(b": c\r\r") == []  # a \n may belong to it
    assert splitter.feed(b"\n") == [b"data: c\r\r\n"]
    assert splitter.rest() == []


@PATIENT
@given(st.lists(st.floats(0, 0.01), max_size=50))
def test_what_is_rounded_off_the_gaps_does_not_add_up(gaps: list[float]) -> None:
    frames = [TimedFrame(gap, b"data: x\n\n") for gap in gaps]

    kept = read(write(stream_form(200, {}, frames))).frames

    moments = zip(accumulate(gaps), accumulate(frame.after for frame in kept), strict=False)
    assert all(abs(moment - rounded) < 0.00051 for moment, rounded in moments)


@PATIENT
@given(OBJECTS, st.lists(OBJECTS, min_size=1, max_size=5), st.booleans(), st.booleans())
def test_chunks_of_one_envelope_need_no_raw(
    envelope: dict[str, Any], rests: list[dict[str, Any]], spaced: bool, named: bool
) -> None:
    chunks = [orjson.dumps({**envelope, **rest}) for rest in rests]
    name = b"event: delta\n" if named else b""
    frames = [TimedFrame(0.0, name + b"data: " + chunk + b"\n\n") for chunk in chunks]

    form: Any = stream_form(200, {}, frames)

    assert read(write(form)).frames == tuple(frames)
    assert all(isinstance(event["data"], dict) for event in form["stream"]["events"])


@PATIENT
@given(st.lists(st.binary() | ODD_FRAMES | CHUNKS).map(b"".join))
def test_frames_are_the_stream(body: bytes) -> None:
    frames = split_frames(body)

    assert b"".join(frames) == body
    assert all(frames)
    assert read(write(stream_form(200, {}, [TimedFrame(0.0, frame) for frame in frames]))).body == body


CHAT = [
    b'data: {"id":"c","object":"chunk","created":7,"choices":[{"index":0,"delta":{"content":" two"}}]}\n\n',
    b": keep-alive\n\n",
    b'data: {"id":"c","object":"chunk","created":7,"choices":[],"usage":{"total_tokens":3}}\n\n',
    b"data: [DONE]\n\n",
]


def test_a_stream_is_a_line_for_each_event_under_its_envelope() -> None:
    frames = [TimedFrame(after, frame) for after, frame in zip((0.41249, 0.0213, 0, 0), CHAT, strict=True)]
    headers = {
        "Content-Type": "text/event-stream; charset=utf-8",
        "X-Request-ID": "req_1",
        "x-ratelimit-remaining-tokens": "5",
        "set-cookie": "secret",
        "date": "today",
    }

    text = write(stream_form(200, headers, frames))

    assert text.partition("response:\n")[2] == (
        "  headers:\n"
        "    x-request-id: req_1\n"
        "    x-ratelimit-remaining-tokens: '5'\n"
        "  stream:\n"
        "    envelope:\n"
        "      id: c\n"
        "      object: chunk\n"
        "      created: 7\n"
        "    events:\n"
        "      - {after: 0.412, data: {choices: [{index: 0, delta: {content: ' two'}}]}}\n"
        '      - {after: 0.022, raw: ": keep-alive\\n\\n"}\n'
        "      - {after: 0.0, data: {choices: [], usage: {total_tokens: 3}}}\n"
        "      - {after: 0.0, data: '[DONE]'}\n"
    )


def test_a_stream_has_the_style_of_most_of_its_chunks() -> None:
    frames = [b'data: {"a": 1, "b": "\\u00e9"}\n\n', b'data: {"a": 1, "b": 2.50}\n\n', b'data: {"a": 1, "c": 3}\n\n']

    form: Any = stream_form(200, {}, [TimedFrame(0.0, frame) for frame in frames])

    assert form["stream"] == {
        "envelope": {"a": 1},
        "style": "spaced, ascii",
        "events": [
            {"after": 0.0, "data": {"b": "é"}},
            {"after": 0.0, "data": '{"a": 1, "b": 2.50}'},
            {"after": 0.0, "data": {"c": 3}},
        ],
    }
    assert read(write(form)).body == b"".join(frames)


def test_a_named_event_keeps_its_name() -> None:
    frames = [TimedFrame(0.0, b'event: response.created\ndata: {"type":"response.created"}\n\n')]

    form: Any = stream_form(200, {}, frames)

    assert form["stream"]["events"] == [{"after": 0.0, "event": "response.created", "data": {}}]
    assert read(write(form)).frames == tuple(frames)


@pytest.mark.parametrize(
    ("body", "frames"),
    [
        (b"data: a\n\ndata: b\n\n", [b"data: a\n\n", b"data: b\n\n"]),
        (b"data: a\r\n\r\ndata: b", [b"data: a\r\n\r\n", b"data: b"]),
        (b"a\r\rb\n\r\nc", [b"a\r\r", b"b\n\r\n", b"c"]),
        (b"\n\n\n", [b"\n", b"\n", b"\n"]),
        (b"", []),
    ],
)
def test_streams_are_cut_after_blank_lines(body: bytes, frames: list[bytes]) -> None:
    assert split_frames(body) == frames


@pytest.mark.parametrize(
    ("frame", "data"),
    [
        (b"data: a\n\n", b"a"),
        (b"data:a\r\n\r\n", b"a"),
        (b"event: x\ndata:  a\ndata: b\ndata\n\n", b" a\nb\n"),
        (b": comment\n\n", None),
        (b"\n", None),
    ],
)
def test_the_data_of_a_frame_is_what_a_client_reads(frame: bytes, data: bytes | None) -> None:
    assert frame_data(frame) == data


def test_a_byte_order_mark_hides_no_chunk() -> None:
    assert list(json_chunks(b'\xef\xbb\xbfdata: {"a":1}\n\n')) == [{"a": 1}]


def test_chunks_are_the_frames_with_json() -> None:
    body = b': hello\n\ndata: {"a":1}\n\nevent: x\ndata: {"b":\ndata: 2}\n\ndata: [DONE]\n\n'

    assert list(json_chunks(body)) == [{"a": 1}, {"b": 2}]


# Plain ---------------------------------------------------------------------------------------------------------------


@PATIENT
@given(st.binary() | VALUES.map(orjson.dumps))
def test_any_body_gives_its_bytes_again(body: bytes) -> None:
    recorded = read(write(plain_form(200, {}, body)))

    assert recorded == Recorded(status=200, body=body, content=recorded.content)


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (b'{"a":"\xc3\xa9"}', {"body": {"a": "é"}}),
        (b"null", {"body": None}),
        (b'{\n  "a": 1\n}', {"style": "indent 2", "body": {"a": 1}}),
        (b'{"a": "\\u00e9"}\n', {"style": "spaced, ascii, newline", "body": {"a": "é"}}),
        (b'{"a":1,"a":2}', {"raw": '{"a":1,"a":2}'}),
        (b'{"a":2.50}', {"raw": '{"a":2.50}'}),
        (b'{"a":"\\/"}', {"raw": '{"a":"\\/"}'}),
        (b'{"a":12345678901234567890123}', {"raw": '{"a":12345678901234567890123}'}),
        (b"<html>", {"raw": "<html>"}),
        (b"", {"raw": ""}),
        (b"\xff\xfb", {"raw": {"base64": "//s="}}),
    ],
    ids=repr,
)
def test_a_plain_answer_is_readable_where_it_can_be(body: bytes, form: dict[str, Any]) -> None:
    assert plain_form(200, {}, body) == form
    assert read(write(form)).body == body


def test_status_and_headers_are_written_where_they_are_not_usual() -> None:
    headers = {"Content-Type": "application/json", "Retry-After": "2", "authorization": "secret", "x-should-retry": "é"}

    assert plain_form(429, headers, b"{}") == {"status": 429, "headers": {"retry-after": "2"}, "body": {}}
    assert plain_form(200, {"content-type": "audio/mpeg"}, b"x") == {
        "headers": {"content-type": "audio/mpeg"},
        "raw": "x",
    }


def test_json_kept_as_raw_can_still_be_understood() -> None:
    assert read(write({"raw": '{"a": 2.50}'})).content == {"a": 2.5}


# Broken --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "message"),
    [
        ("{stream: 5}", "response.stream: must be a mapping, not 5"),
        ("{stream: {events: []}}", "response.stream.events: must have at least one event"),
        ("{stream: {frames: []}}", "response.stream.frames: unknown field; known here: envelope, style, events"),
        ("{stream: {events: [{data: 5}]}}", "response.stream.events[0].data: must be a mapping or a text of one line"),
        ("{stream: {events: [{after: 1}]}}", "response.stream.events[0].data: must be a mapping or a text of one line"),
        ("{stream: {events: [{data: x, after: soon}]}}", "response.stream.events[0].after: must be seconds, 0 or more"),
        ("{stream: {events: [{data: x, after: -1}]}}", "response.stream.events[0].after: must be seconds, 0 or more"),
        ("{stream: {events: [{data: x, event: 5}]}}", "response.stream.events[0].event: must be a text of one line"),
        ('{stream: {events: [{data: "a\\nb"}]}}', "give any other frame as raw"),
        ("{stream: {events: [{raw: x, data: x}]}}", "response.stream.events[0].data: unknown field"),
        ("{stream: {events: [{raw: 5}]}}", "response.stream.events[0].raw: must be a text or a mapping with base64"),
        ("{stream: {events: [{raw: {base64: '*'}}]}}", "response.stream.events[0].raw.base64: is not base64"),
        ("{stream: {style: indent 2, events: [{data: {}}]}}", "response.stream.style: indent 2 is no style of events"),
        ("{stream: {envelope: 5, events: [{data: {}}]}}", "response.stream.envelope: must be a mapping, not 5"),
        ("{stream: {events: [{data: {}}]}, body: 1}", "response.body: unknown field"),
        ("{raw: x, style: compact}", "response.style: unknown field; known here: raw, status, headers"),
        ("{raw: {base64: 5}}", "response.raw.base64: must be a text, not 5"),
        ("{raw: {}}", "response.raw.base64: missing"),
        (f"{{body: {'[' * 300}{']' * 300}}}", "response.body: lies too deep"),
    ],
)
def test_a_broken_recording_is_told_with_its_field(response: str, message: str) -> None:
    with pytest.raises(CassetteError) as caught:
        read(f"request: {{messages: []}}\nresponse: {response}\n")

    assert message in str(caught.value)
