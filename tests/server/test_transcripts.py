"""Transcriptions and translations, to the client that people use: every format, with times and speakers, streamed."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import openai
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replay_server.fallback.sounds import sound
from replay_server.server.run import RunningServer
from tests.described import EVENTS, faults
from tests.server.clients import strict_client

Write = Callable[[str, str], Path]

WAV = sound("a", 6.5, "wav")
FILE = ("a.wav", WAV, "audio/wav")


async def test_as_much_is_said_as_fits_the_sound(client: openai.AsyncOpenAI) -> None:
    short, long = [
        await client.audio.transcriptions.create(model="whisper-1", file=("a.wav", sound("a", seconds, "wav")))
        for seconds in (2, 60)
    ]

    assert (len(short.text.split()), len(long.text.split())) == (5, 150)
    assert short.usage is not None
    assert short.usage.type == "duration"
    assert short.usage.seconds == 2


async def test_a_prompt_says_what_it_is_about(client: openai.AsyncOpenAI) -> None:
    file = ("a.wav", sound("a", 60, "wav"))

    answer = await client.audio.transcriptions.create(model="whisper-1", file=file, prompt="Lighthouses in Norway")

    assert "lighthouses in norway" in answer.text.lower()


async def test_times_fill_the_sound_from_its_start_to_its_end(client: openai.AsyncOpenAI) -> None:
    answer = await client.audio.transcriptions.create(
        model="whisper-1",
        file=FILE,
        language="de",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )

    assert (answer.duration, answer.language) == (6.5, "german")
    for parts in (answer.segments or [], answer.words or []):
        assert (parts[0].start, parts[-1].end) == (0.0, 6.5)
        assert [part.end for part in parts[:-1]] == [part.start for part in parts[1:]]
    assert "".join(segment.text for segment in answer.segments or []).strip() == answer.text
    assert [word.word for word in answer.words or []] == [word.strip(".,") for word in answer.text.split()]


async def test_only_the_times_that_are_asked_for_are_there(client: openai.AsyncOpenAI) -> None:
    asked: Any = {"model": "whisper-1", "file": FILE, "response_format": "verbose_json"}

    usual = await client.audio.transcriptions.create(**asked)
    words = await client.audio.transcriptions.create(**asked, timestamp_granularities=["word"])

    assert (usual.words, words.segments) == (None, None)
    assert usual.segments
    assert words.words


async def test_the_speakers_take_turns(client: openai.AsyncOpenAI) -> None:
    answer = await client.audio.transcriptions.create(
        model="gpt-4o-transcribe-diarize",
        file=("a.wav", sound("a", 30, "wav")),
        response_format="diarized_json",
        chunking_strategy="auto",
        known_speaker_names=["agent", "caller"],
        known_speaker_references=["data:audio/wav;base64,AA==", "data:audio/wav;base64,AA=="],
    )

    assert [segment.speaker for segment in answer.segments][:3] == ["agent", "caller", "agent"]


async def test_a_stream_says_the_same_by_the_token(client: openai.AsyncOpenAI) -> None:
    asked: Any = {"model": "gpt-4o-transcribe", "file": FILE, "include": ["logprobs"]}
    plain = await client.audio.transcriptions.create(**asked)
    stream = await client.audio.transcriptions.create(**asked, stream=True)
    *deltas, done = [event async for event in stream]

    assert "".join(event.delta for event in deltas if event.type == "transcript.text.delta") == plain.text
    assert done.type == "transcript.text.done"
    assert done.text == plain.text
    assert done.usage is not None
    assert plain.usage is not None
    assert done.usage.to_dict() == plain.usage.to_dict()
    assert plain.logprobs is not None
    assert "".join(each.token or "" for each in plain.logprobs) == plain.text


async def test_a_stream_with_speakers_has_their_segments(client: openai.AsyncOpenAI) -> None:
    asked: Any = {"model": "gpt-4o-transcribe-diarize", "file": FILE, "response_format": "diarized_json"}
    plain: Any = await client.audio.transcriptions.create(**asked)
    events = [event async for event in await client.audio.transcriptions.create(**asked, stream=True)]

    segments = [event.to_dict() for event in events if event.type == "transcript.text.segment"]
    assert segments == [segment.to_dict() for segment in plain.segments]
    assert "".join(event.delta for event in events if event.type == "transcript.text.delta") == plain.text


async def test_whisper_takes_no_notice_of_stream(server: RunningServer) -> None:
    status, _, body = await ask(server, "transcriptions", {"model": "whisper-1", "stream": "true"})

    assert (status, orjson.loads(body).keys()) == (200, {"text", "usage"})


async def test_subtitles_have_numbers_and_times(client: openai.AsyncOpenAI) -> None:
    cues: Any = {
        form: await client.audio.transcriptions.create(model="whisper-1", file=("a.wav", WAV), response_format=form)
        for form in ("srt", "vtt", "text")
    }

    first, second = cues["srt"].strip().split("\n\n")
    assert first.startswith("1\n00:00:00,000 --> 00:00:0")
    assert second.split("\n")[1].endswith(" --> 00:00:06,500")
    assert cues["vtt"].startswith("WEBVTT\n\n00:00:00.000 --> 00:00:0")
    assert cues["text"].strip() == " ".join(cue.split("\n")[2] for cue in (first, second))


@pytest.mark.filterwarnings("ignore:deprecated")
async def test_translations_are_in_english(client: openai.AsyncOpenAI) -> None:
    answer: Any = await client.audio.translations.create(model="whisper-1", file=FILE, response_format="verbose_json")

    assert (answer.language, answer.duration) == ("english", 6.5)
    assert faults("createTranslation", answer.to_dict()) == []


async def test_a_file_is_known_by_its_content(client: openai.AsyncOpenAI) -> None:
    files = [FILE, ("b.mp3", WAV, "audio/mpeg"), ("a.wav", WAV + b"\0", "audio/wav")]

    keys = [
        (await client.audio.transcriptions.with_raw_response.create(model="whisper-1", file=file)).headers[
            "x-replay-key"
        ]
        for file in files
    ]

    assert keys[0] == keys[1] != keys[2]


# Refusals ------------------------------------------------------------------------------------------------------------


async def ask(
    server: RunningServer, what: str, fields: dict[str, str], file: tuple[str, bytes, str] | None = FILE
) -> tuple[int, str, bytes]:
    form = aiohttp.FormData(fields, default_to_multipart=True)
    if file is not None:
        form.add_field("file", file[1], filename=file[0], content_type=file[2])
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{server.url}/v1/audio/{what}", data=form)
        return answer.status, answer.headers["content-type"], await answer.read()


REFUSED: dict[str, tuple[dict[str, str], Any, str | None, str | None]] = {
    "no model": ({"prompt": "x"}, FILE, None, None),
    "no file": ({"model": "whisper-1"}, None, "file", "missing_required_parameter"),
    "a text for a file": ({"model": "whisper-1", "file": "x"}, None, "file", "missing_required_parameter"),
    "no sound": ({"model": "whisper-1"}, ("a.txt", b"x", "text/plain"), "file", None),
    "an empty file": ({"model": "whisper-1"}, ("a.wav", b"", "audio/wav"), "file", "audio_too_short"),
    "a moment": ({"model": "whisper-1"}, ("a.wav", sound("a", 0.05, "wav"), "audio/wav"), "file", "audio_too_short"),
    "an unknown format": ({"model": "whisper-1", "response_format": "xml"}, FILE, "response_format", "invalid_value"),
    "a format of another model": (
        {"model": "gpt-4o-transcribe", "response_format": "srt"},
        FILE,
        "response_format",
        "unsupported_value",
    ),
    "a word for a number": ({"model": "whisper-1", "temperature": "hot"}, FILE, "temperature", "invalid_type"),
    "an unknown parameter": ({"model": "whisper-1", "speed": "2"}, FILE, "speed", "unknown_parameter"),
    "an unknown granularity": (
        {"model": "whisper-1", "timestamp_granularities[]": "line"},
        FILE,
        "timestamp_granularities[0]",
        "invalid_value",
    ),
}


@pytest.mark.parametrize(("fields", "file", "param", "code"), REFUSED.values(), ids=REFUSED)
async def test_a_request_is_refused_as_the_api_does(
    server: RunningServer, fields: dict[str, str], file: Any, param: str | None, code: str | None
) -> None:
    status, _, body = await ask(server, "transcriptions", fields, file)

    error = orjson.loads(body)["error"]
    assert (status, error["type"], error["param"], error["code"]) == (400, "invalid_request_error", param, code)


# Cassettes -----------------------------------------------------------------------------------------------------------

SHORT = f"""\
endpoint: audio/transcriptions
request:
  model: whisper-1
  file: {{sha256: {hashlib.sha256(WAV).hexdigest()}}}
response:
  segments:
    - {{start: 0, end: 1.5, text: Where is it?, speaker: B}}
    - {{start: 2, end: 3.25, text: Over there.}}
"""


async def test_one_short_form_serves_every_format(serve: Any, write: Write) -> None:
    server = await serve(write("a.yaml", SHORT), on_miss="error")
    async with strict_client(server) as client:
        told: Any = {
            form: await client.audio.transcriptions.create(model="whisper-1", file=("b.wav", WAV), response_format=form)
            for form in ("json", "vtt", "verbose_json")
        }

    assert told["json"].text == "Where is it? Over there."
    assert told["vtt"] == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nWhere is it?\n\n00:00:02.000 --> 00:00:03.250\nOver there.\n\n"
    )
    assert told["verbose_json"].duration == 3.25


RECORDED = f"""\
endpoint: audio/transcriptions
request:
  model: gpt-4o-transcribe
  file: {{sha256: {hashlib.sha256(WAV).hexdigest()}, bytes: {len(WAV)}}}
"""
PLAIN = RECORDED + "response:\n  body: {text: Where is it?}\n"
STREAMED = f"""{RECORDED}  stream: true
response:
  stream:
    events:
      - data: {{type: transcript.text.delta, delta: Where}}
      - data: {{type: transcript.text.delta, delta: ' is it?'}}
      - data: {{type: transcript.text.done, text: Where is it?}}
"""


@pytest.mark.parametrize("text", [PLAIN, STREAMED], ids=["plain", "a stream"])
async def test_a_recording_serves_both_modes(serve: Any, write: Write, text: str) -> None:
    server = await serve(write("a.yaml", text), on_miss="error")
    asked: Any = {"model": "gpt-4o-transcribe", "file": FILE}
    async with strict_client(server) as client:
        plain = await client.audio.transcriptions.create(**asked)
        events = [event async for event in await client.audio.transcriptions.create(**asked, stream=True)]

    assert plain.text == "Where is it?"
    assert "".join(event.delta for event in events if event.type == "transcript.text.delta") == plain.text


OLD = f"""\
endpoint: POST /audio/transcriptions
request:
  form:
    - {{name: model, value: whisper-1}}
    - {{name: 'timestamp_granularities[]', value: word}}
    - name: file
      filename: old.wav
      content_type: audio/x-wav
      sha256: {hashlib.sha256(WAV).hexdigest()}
      bytes: {len(WAV)}
response:
  body: {{text: Where is it?}}
"""


async def test_a_form_that_was_recorded_before_its_endpoint_was_known_still_answers(serve: Any, write: Write) -> None:
    server = await serve(write("a.yaml", OLD), on_miss="error")
    async with strict_client(server) as client:
        answer = await client.audio.transcriptions.create(
            model="whisper-1", file=FILE, timestamp_granularities=["word"]
        )

    assert answer.text == "Where is it?"


# All requests --------------------------------------------------------------------------------------------------------

whisper = st.fixed_dictionaries(
    {
        "model": st.just("whisper-1"),
        "response_format": st.sampled_from(["json", "verbose_json"]),
        "timestamp_granularities[]": st.sampled_from(["word", "segment"]),
    },
    optional={"prompt": st.text("abc é🙂"), "language": st.sampled_from(["en", "eo"]), "temperature": st.just("0.5")},
)
gpt = st.fixed_dictionaries(
    {"model": st.just("gpt-4o-mini-transcribe")},
    optional={"include[]": st.just("logprobs"), "prompt": st.text("abc é🙂"), "chunking_strategy": st.just("auto")},
)
diarize = st.just({"model": "gpt-4o-transcribe-diarize", "response_format": "diarized_json"})


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(fields=whisper | gpt | diarize, length=st.integers(4800, 60_000))
async def test_every_answer_is_valid_and_both_modes_agree(
    server: RunningServer, fields: dict[str, str], length: int
) -> None:
    file = ("a.wav", WAV[:length], "audio/wav")
    first, again = [await ask(server, "transcriptions", fields, file) for _ in range(2)]
    streamed = await ask(server, "transcriptions", {**fields, "stream": "true"}, file)

    plain = orjson.loads(first[2])
    assert (first, faults("createTranscription", plain)) == (again, [])
    if fields["model"] != "whisper-1":
        events = [orjson.loads(line[6:]) for line in streamed[2].splitlines() if line.startswith(b"data: ")]
        assert [faults("createTranscription", event, EVENTS) for event in events] == [[]] * len(events)
        assert events[-1]["text"] == plain["text"]
