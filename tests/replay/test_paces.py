"""Which pace an answer has: its request's, else its session's, else its interaction's, else the server's."""

from typing import Any

import pytest

from replay_server.cassettes.library import Library
from replay_server.cassettes.reader import read_cassette
from replay_server.endpoints.chat import RESOURCE as CHAT
from replay_server.endpoints.models import RESOURCE as MODELS
from replay_server.interaction import INSTANT, Pace, Profile, RawRequest, RecordedPace, Request, TimedFrame
from replay_server.replay.answer import Answer
from replay_server.replay.decision import OnMiss, Replay
from replay_server.replay.state import MemoryState

RAW = RawRequest("POST", "/chat/completions", {}, (), {}, b"")
SLOW, SLOWER, SLOWEST = Profile(ttft=1.0), Profile(ttft=2.0), Profile(ttft=3.0)
CASSETTE = b"""\
request: {model: m, messages: [{role: user, content: plain}]}
response: {content: Hi}
---
request: {model: m, messages: [{role: user, content: paced}]}
response: [{content: Hi}, {content: Again}]
pace: ttft=2s
---
request: {model: m, messages: [{role: user, content: stream}]}
response: {stream: {events: [{after: 0.5, data: {choices: [{index: 0, delta: {content: Hi}}]}}, {data: "[DONE]"}]}}
---
request: {model: m, messages: [{role: user, content: error}]}
response: {error: {status: 429, message: Slow down}}
pace: ttft=2s
"""


async def answer(said: str, own: Pace | None = None, served: Pace = INSTANT, **fields: Any) -> Answer:
    library = Library("cassettes", read_cassette("a.yaml", CASSETTE))
    body = {"model": "m", "messages": [{"role": "user", "content": said}], **fields}
    replay = Replay(library, MemoryState(), OnMiss.GENERATE, "", pace=served)
    return await replay.answer(CHAT, CHAT.from_cassette(body), "", RAW, pace=own)


def wire(found: Answer) -> Any:
    return found.wire


async def pace(*asked: Any, **fields: Any) -> Pace | None:
    timing = (await answer(*asked, **fields)).timing
    return timing and timing.pace


@pytest.mark.parametrize(
    ("said", "own", "served", "paced"),
    [
        ("plain", None, INSTANT, None),
        ("plain", None, SLOWEST, SLOWEST),
        ("paced", None, SLOWEST, SLOWER),
        ("paced", SLOW, SLOWEST, SLOW),
        ("paced", INSTANT, SLOWEST, None),
        ("error", None, SLOWEST, None),
        ("error", SLOW, SLOWEST, None),
        ("plain", RecordedPace(), INSTANT, None),
        ("stream", None, RecordedPace(), RecordedPace()),
    ],
)
async def test_the_nearest_pace_counts(said: str, own: Pace | None, served: Pace, paced: Pace | None) -> None:
    assert await pace(said, own, served) == paced
    assert await pace(said, own, served, stream=True) == paced


async def test_a_generated_answer_has_the_pace_of_its_request_or_of_the_server() -> None:
    assert await pace("unknown", None, SLOWEST) == SLOWEST
    assert await pace("unknown", SLOW, SLOWEST) == SLOW
    assert await pace("unknown", RecordedPace()) is None


@pytest.mark.parametrize(
    ("own", "told", "paced"),
    [(None, "ttft=1s", SLOW), (SLOWEST, "ttft=1s", SLOWEST), (None, "instant", None), (None, None, SLOWER)],
    ids=["session", "request", "instant", "interaction"],
)
async def test_the_pace_of_a_session_comes_after_that_of_the_request(
    own: Pace | None, told: str | None, paced: Pace | None
) -> None:
    library, state = Library("cassettes", read_cassette("a.yaml", CASSETTE)), MemoryState()
    await state.tell("one", cassettes=(), only=False, on_miss=None, pace=told)
    request = CHAT.from_cassette({"model": "m", "messages": [{"role": "user", "content": "paced"}]})

    found = await Replay(library, state, OnMiss.ERROR, "").answer(CHAT, request, "one", RAW, pace=own)

    assert (found.timing and found.timing.pace) == paced


async def test_an_error_and_what_the_server_knows_come_at_once() -> None:
    replay = Replay(Library("cassettes"), MemoryState(), OnMiss.GENERATE, "", pace=SLOWEST)

    listed = await replay.answer(MODELS, Request("models", "", {}), "", RAW, pace=SLOW)

    assert listed.timing is None
    assert (await answer("unknown", SLOW, temperature=9)).timing is None


async def test_a_recorded_stream_comes_with_its_gaps_in_both_modes() -> None:
    streamed, plain = [await answer("stream", RecordedPace(2.0), stream=stream) for stream in (True, False)]

    assert streamed.timing is not None
    assert plain.timing is not None
    assert [frame.after for frame in streamed.timing.frames(wire(streamed), lambda: 0)] == [1.0, 0.0]
    assert list(plain.timing.frames(wire(plain), lambda: 0)) == [TimedFrame(1.0, wire(plain).body)]


async def test_places_of_a_sequence_are_timed_by_draws_of_their_own() -> None:
    library = Library("cassettes", read_cassette("a.yaml", CASSETTE))
    replay = Replay(library, MemoryState(), OnMiss.GENERATE, "")
    asked = CHAT.from_cassette({"model": "m", "messages": [{"role": "user", "content": "paced"}]})

    answers = [await replay.answer(CHAT, asked, "", RAW) for _ in range(2)]

    assert [found.timing and found.timing.place for found in answers] == [0, 1]
