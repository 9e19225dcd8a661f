"""When the pieces of an answer are due, and that they are sent then: no test waits, and no clock is read."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_server.cassettes.recorded_form import stream_form
from replay_server.cassettes.sse import split_frames
from replay_server.endpoints.any_request import any_request
from replay_server.endpoints.chat import RESOURCE as CHAT
from replay_server.endpoints.completions import RESOURCE as COMPLETIONS
from replay_server.interaction import Pace, Profile, RecordedPace, TimedFrame, WireResponse, WireStream
from replay_server.replay.timing import Timing, write_stream
from tests.cassettes.test_recorded_form import PATIENT, hostile_streams, read, write

ROLE = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
FINISH = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
USAGE = b'data: {"choices":[],"usage":{"total_tokens":3}}\n\n'
DONE = b"data: [DONE]\n\n"
COMMENT = b": keep-alive\n\n"


def said(text: bytes) -> bytes:
    return b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % text


STREAM = (ROLE, said(b"a"), COMMENT, said(b"b"), said(b"c"), FINISH, USAGE, DONE)
PLAIN = b'{"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3}}'


def nobody() -> int:
    return 0


def timed(pace: Pace, answer: bytes | tuple[bytes, ...], **options: Any) -> list[TimedFrame]:
    others = options.pop("others", nobody)
    timing = Timing(**{"pace": pace, "resource": CHAT, "key": "3f" * 32, **options})
    wire = WireResponse(200, {}, answer) if isinstance(answer, bytes) else WireStream(200, {}, answer)
    return list(timing.frames(wire, others))


def waits(frames: Iterable[TimedFrame]) -> list[float]:
    return [frame.after for frame in frames]


# A profile -----------------------------------------------------------------------------------------------------------


def test_a_profile_waits_before_the_first_frame_and_between_tokens() -> None:
    frames = timed(Profile(ttft=0.3, itl=0.02), STREAM)

    assert waits(frames) == [0.3, 0, 0, 0.02, 0.02, 0, 0, 0]
    assert tuple(frame.data for frame in frames) == STREAM


def test_an_answer_remembered_as_one_blob_is_cut_again() -> None:
    assert timed(Profile(itl=0.02), (b"".join(STREAM),)) == timed(Profile(itl=0.02), STREAM)


@pytest.mark.parametrize(
    ("delta", "waits_for"),
    [
        (b'"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}', True),
        (b'"delta":{"refusal":"No"}', True),
        (b'"delta":{"reasoning_content":"So"}', True),
        (b'"text":"Once"', True),
        (b'"text":""', False),
        (b'"delta":{"role":"assistant","content":null}', False),
        (b'"delta":null', False),
    ],
)
def test_only_what_says_more_is_waited_for(delta: bytes, waits_for: bool) -> None:
    chunk = b'data: {"choices":[{"index":0,%b}]}\n\n' % delta

    assert waits(timed(Profile(itl=0.02), (said(b"a"), chunk), resource=COMPLETIONS)) == [0, 0.02 * waits_for]


@pytest.mark.parametrize(
    ("event", "waits_for"),
    [
        (b'{"type":"response.output_text.delta","delta":"Hi"}', True),
        (b'{"type":"content_block_delta"}', True),
        (b'{"object":"chat.completion.chunk"}', True),
        (b'{"type":"response.completed"}', False),
        (b'{"text":"Hi"}', True),
        (b"[DONE]", False),
    ],
)
def test_events_of_any_api_are_waited_for_where_they_may_say_more(event: bytes, waits_for: bool) -> None:
    frames = (b'data: {"type":"ping_delta"}\n\n', b"data: %b\n\n" % event)

    timing = timed(Profile(itl=0.02), frames, resource=any_request("POST", "/messages"))

    assert waits(timing) == [0, 0.02 * waits_for]


def test_a_plain_answer_of_any_api_takes_the_time_of_its_first_token() -> None:
    assert waits(timed(Profile(ttft=0.3, itl=0.02), PLAIN, resource=any_request("POST", "/messages"))) == [0.3]


@PATIENT
@given(hostile_streams(), st.sampled_from([RecordedPace(), RecordedPace(0.5), Profile(ttft=1, itl=0.02, jitter=1)]))
def test_a_hostile_stream_is_recorded_and_replayed_byte_for_byte_in_every_pace(body: bytes, pace: Pace) -> None:
    frames = [TimedFrame(0.25, frame) for frame in split_frames(body)]
    recorded, line = read(write(stream_form(200, {}, frames))).frames, Line()
    timing = Timing(pace=pace, resource=CHAT, key="3f" * 32, recorded=recorded)
    wire = WireStream(200, {}, tuple(frame.data for frame in recorded))

    asyncio.run(write_stream(timing.frames(wire, nobody), line.send, line.clock, line.sleep))

    assert b"".join(data for _, data in line.sent) == body


def test_a_plain_answer_is_there_when_its_stream_would_have_ended() -> None:
    profile = Profile(ttft=0.3, itl=0.02, jitter=0.5)

    (whole,) = timed(profile, PLAIN)

    assert whole.data == PLAIN
    assert whole.after == pytest.approx(sum(waits(timed(profile, STREAM))))


@pytest.mark.parametrize("body", [b"", b"RIFF", b"[]", b'{"usage": null}', b'{"usage": {"completion_tokens": "x"}}'])
def test_a_plain_answer_without_usage_takes_the_time_of_its_first_token(body: bytes) -> None:
    assert timed(Profile(ttft=0.3, itl=0.02), body) == [TimedFrame(0.3, body)]


def test_jitter_is_drawn_from_the_key_and_the_place_alone() -> None:
    profile = Profile(ttft=0.3, itl=0.02, jitter=0.2)

    first = waits(timed(profile, STREAM))

    assert first == waits(timed(profile, STREAM))
    assert [round(wait, 6) for wait in first] == [0.277529, 0, 0, 0.019931, 0.021258, 0, 0, 0]
    assert first != waits(timed(profile, STREAM, place=1))
    assert first != waits(timed(profile, STREAM, key="40" * 32))


@given(st.text(max_size=8), st.floats(0, 1))
def test_jitter_stays_within_its_share(key: str, jitter: float) -> None:
    first, *_ = timed(Profile(ttft=1.0, jitter=jitter), STREAM, key=key)

    assert 1 - jitter <= first.after <= 1 + jitter


def test_each_other_answer_under_way_makes_the_waits_longer() -> None:
    others = iter([0, 10, 50])

    frames = timed(Profile(ttft=0.3, itl=0.02, load=0.1), STREAM, others=lambda: next(others))

    assert waits(frames) == pytest.approx([0.3, 0, 0, 0.04, 0.12, 0, 0, 0])


# The recording's gaps ------------------------------------------------------------------------------------------------

CAME = (TimedFrame(0.5, ROLE), TimedFrame(0.25, said(b"a")), TimedFrame(0.0, DONE))


@pytest.mark.parametrize(("factor", "gaps"), [(1.0, [0.5, 0.25, 0]), (2.0, [1.0, 0.5, 0]), (0.5, [0.25, 0.125, 0])])
def test_recorded_gaps_are_as_long_as_the_factor_says(factor: float, gaps: list[float]) -> None:
    frames = timed(RecordedPace(factor), tuple(frame.data for frame in CAME), recorded=CAME)

    assert waits(frames) == gaps
    assert [frame.data for frame in frames] == [frame.data for frame in CAME]


def test_what_is_collected_from_a_stream_is_there_when_the_stream_had_ended() -> None:
    assert timed(RecordedPace(2.0), PLAIN, recorded=CAME) == [TimedFrame(1.5, PLAIN)]


# Sending -------------------------------------------------------------------------------------------------------------


class Line:
    """A connection and a clock on which sending and every wake-up take their time."""

    def __init__(self, *, send_takes: float = 0.0, wakes_late: float = 0.0) -> None:
        self.now = 100.0
        self.sent: list[tuple[float, bytes]] = []
        self._send_takes, self._wakes_late = send_takes, wakes_late

    async def send(self, data: bytes) -> None:
        self.sent.append((round(self.now - 100.0, 6), data))
        self.now += self._send_takes

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds + self._wakes_late

    def clock(self) -> float:
        return self.now


async def send(line: Line, *frames: tuple[float, bytes]) -> list[tuple[float, bytes]]:
    await write_stream([TimedFrame(*frame) for frame in frames], line.send, line.clock, line.sleep)
    return line.sent


async def test_frames_are_sent_when_they_are_due() -> None:
    assert await send(Line(), (0.5, b"a"), (0.25, b"b"), (0.0, b"c")) == [(0.5, b"a"), (0.75, b"bc")]


async def test_what_needs_no_wait_goes_out_in_one_write() -> None:
    assert await send(Line(), (0.0, b"a"), (0.0, b"b")) == [(0.0, b"ab")]


async def test_lateness_does_not_add_up() -> None:
    line = Line(send_takes=0.001, wakes_late=0.002)

    sent = await send(line, *[(0.02, b"%d" % number) for number in range(1, 101)])

    assert [round(at - 0.02 * place, 6) for place, (at, _) in enumerate(sent, 1)] == [0.002] * 100


async def test_frames_that_are_overdue_go_out_together_and_the_stream_catches_up() -> None:
    line = Line(send_takes=0.05)

    assert await send(line, (0.0, b"a"), (0.02, b"b"), (0.02, b"c"), (0.02, b"d")) == [
        (0.0, b"a"),
        (0.05, b"bc"),
        (0.1, b"d"),
    ]


async def test_an_empty_frame_is_not_sent() -> None:
    assert await send(Line(), (0.5, b"")) == []
