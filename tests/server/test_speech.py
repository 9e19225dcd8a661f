"""Speech, to the client that people use: sounds of the right length, plain and as events."""

import base64
import io
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import av
import openai
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replay_server.server.run import RunningServer
from tests.described import EVENTS, faults
from tests.server.clients import strict_client

Write = Callable[[str, str], Path]

SAID: Any = {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": "One two three four five six seven eight nine ten."}
TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}


def seconds(data: bytes, form: str = "") -> float:
    if form == "pcm":
        return len(data) / 48_000
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        return sum(frame.samples for frame in container.decode(stream)) / stream.rate


async def events_of(server: RunningServer, asked: dict[str, Any]) -> list[Any]:
    async with aiohttp.ClientSession() as session, session.post(f"{server.url}/v1/audio/speech", json=asked) as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        body = await answer.read()
    return [orjson.loads(line[6:]) for line in body.splitlines() if line.startswith(b"data: ")]


def sound_of(events: list[Any]) -> bytes:
    return b"".join(base64.b64decode(event["audio"]) for event in events if event["type"] == "speech.audio.delta")


@pytest.mark.parametrize("form", TYPES)
async def test_a_sound_is_as_long_as_its_text_in_every_format(client: openai.AsyncOpenAI, form: Any) -> None:
    answer = await client.audio.speech.create(**SAID, response_format=form)

    assert answer.response.headers["content-type"] == TYPES[form]
    assert seconds(answer.content, form) == pytest.approx(4.0, abs=0.05)


@pytest.mark.parametrize(("speed", "length"), [(0.25, 16.0), (1, 4.0), (4, 1.0)])
async def test_a_higher_speed_makes_it_shorter(client: openai.AsyncOpenAI, speed: float, length: float) -> None:
    answer = await client.audio.speech.create(**SAID, response_format="wav", speed=speed)

    assert seconds(answer.content) == length


async def test_each_text_and_voice_sounds_otherwise(client: openai.AsyncOpenAI) -> None:
    told = [SAID, {**SAID, "voice": "echo"}, {**SAID, "input": SAID["input"].replace("ten", "ton")}]

    sounds = {(await client.audio.speech.create(**asked, response_format="pcm")).content for asked in told}

    assert len(sounds) == 3


async def test_a_sound_is_read_while_it_comes(client: openai.AsyncOpenAI) -> None:
    plain = (await client.audio.speech.create(**SAID, response_format="wav")).content

    async with client.audio.speech.with_streaming_response.create(**SAID, response_format="wav") as answer:
        pieces = [piece async for piece in answer.iter_bytes(4096)]

    assert b"".join(pieces) == plain
    with wave.open(io.BytesIO(plain)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (24_000, 1, 2)


def test_the_client_without_async_writes_it_to_a_file(tmp_path: Path) -> None:
    from replay_server import ReplayServer

    with ReplayServer(on_miss="generate") as server, openai.OpenAI(base_url=server.url, api_key="any") as client:
        client.audio.speech.create(**SAID).write_to_file(tmp_path / "said.mp3")

    assert seconds((tmp_path / "said.mp3").read_bytes()) == pytest.approx(4.0, abs=0.03)


REFUSED: dict[str, tuple[dict[str, Any], str | None, str | None]] = {
    "no model": ({"input": "x", "voice": "alloy"}, None, None),
    "no text": ({"model": "tts-1", "voice": "alloy"}, "input", "missing_required_parameter"),
    "no voice": ({"model": "tts-1", "input": "x"}, "voice", "missing_required_parameter"),
    "an empty text": ({**SAID, "input": ""}, "input", "empty_string"),
    "a long text": ({**SAID, "input": "x" * 4097}, "input", "string_above_max_length"),
    "an unknown format": ({**SAID, "response_format": "ogg"}, "response_format", "invalid_value"),
    "too slow": ({**SAID, "speed": 0.2}, "speed", "decimal_below_min_value"),
    "an unknown parameter": ({**SAID, "stream": True}, "stream", "unknown_parameter"),
    "events of tts-1": ({**SAID, "model": "tts-1", "stream_format": "sse"}, "stream_format", "unsupported_value"),
}


@pytest.mark.parametrize(("asked", "param", "code"), REFUSED.values(), ids=REFUSED)
async def test_a_request_is_refused_as_the_api_does(
    server: RunningServer, asked: dict[str, Any], param: str | None, code: str | None
) -> None:
    async with aiohttp.ClientSession() as session, session.post(f"{server.url}/v1/audio/speech", json=asked) as answer:
        error = (await answer.json())["error"]

    assert (answer.status, error["type"], error["param"], error["code"]) == (400, "invalid_request_error", param, code)


# Cassettes -----------------------------------------------------------------------------------------------------------

RECORDED = """\
endpoint: audio/speech
request: {model: m, input: Hi., voice: alloy}
response:
  headers: {content-type: audio/mpeg}
  raw: {base64: SUQzBAAAAAAAAA==}
"""
STREAMED = """\
endpoint: audio/speech
request: {model: m, input: Hi., voice: alloy, stream_format: sse}
response:
  stream:
    events:
      - data: {type: speech.audio.delta, audio: SUQz}
      - data: {type: speech.audio.delta, audio: BAAAAAAAAA==}
      - data: {type: speech.audio.done, usage: {input_tokens: 1, output_tokens: 2, total_tokens: 3}}
"""


@pytest.mark.parametrize("text", [RECORDED, STREAMED], ids=["plain", "a stream"])
async def test_a_recording_serves_both_modes(serve: Any, write: Write, text: str) -> None:
    server = await serve(write("a.yaml", text), on_miss="error")
    asked: Any = {"model": "m", "input": "Hi.", "voice": "alloy"}
    async with strict_client(server) as client:
        plain = await client.audio.speech.create(**asked)
    events = await events_of(server, {**asked, "stream_format": "sse"})

    assert plain.content == sound_of(events) == b"ID3\4\0\0\0\0\0\0"
    assert plain.response.headers["content-type"] == "audio/mpeg"
    assert events[-1]["type"] == "speech.audio.done"


async def test_what_was_recorded_before_the_endpoint_was_known_still_answers(serve: Any, write: Write) -> None:
    old = (
        RECORDED.replace("audio/speech", "POST /audio/speech")
        .replace("{model", "{body: {model")
        .replace("alloy}", "alloy}}")
    )
    server = await serve(write("a.yaml", old), on_miss="error")
    async with strict_client(server) as client:
        answer = await client.audio.speech.create(model="m", input="Hi.", voice="alloy")

    assert answer.content == b"ID3\4\0\0\0\0\0\0"


# All requests --------------------------------------------------------------------------------------------------------

requests = st.fixed_dictionaries(
    {"model": st.just("gpt-4o-mini-tts"), "voice": st.sampled_from(["alloy", "ash"]), "input": st.text(min_size=1)},
    optional={
        "response_format": st.sampled_from(sorted(TYPES)),
        "speed": st.sampled_from([0.25, 1, 4]),
        "instructions": st.text(max_size=20),
    },
)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(asked=requests)
async def test_every_answer_is_valid_and_both_modes_agree(server: RunningServer, asked: dict[str, Any]) -> None:
    events = await events_of(server, {**asked, "stream_format": "sse"})
    async with aiohttp.ClientSession() as session, session.post(f"{server.url}/v1/audio/speech", json=asked) as answer:
        plain = await answer.read()

    assert [faults("createSpeech", event, EVENTS) for event in events] == [[]] * len(events)
    assert sound_of(events) == plain
    assert seconds(plain, asked.get("response_format", "mp3")) > 0
