"""One recording serves both modes: what the openai client collects from a stream is what it gets when it asks plain."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import orjson
import pytest

from replay_server.cassettes.recorded_form import plain_form, stream_form
from replay_server.cassettes.yaml_writer import dump
from replay_server.interaction import TimedFrame

Write = Callable[[str, str], Path]
ASKED: Any = {"model": "m", "messages": [{"role": "user", "content": "x"}]}


def chunk(delta: Any, index: int = 0, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish, **fields}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m", "choices": [choice]}


def usage(**counts: int) -> dict[str, Any]:
    return {**chunk({}), "choices": [], "usage": {**counts, "total_tokens": sum(counts.values())}}


def call(index: int, text: str, **opening: Any) -> Any:
    name = {"name": opening.pop("name")} if opening else {}
    return chunk({"tool_calls": [{"index": index, **opening, "function": {**name, "arguments": text}}]})


def token(text: str, logprob: float) -> dict[str, Any]:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode()), "top_logprobs": []}


def judged(text: str, logprob: float) -> Any:
    return chunk({"content": text}, logprobs={"content": [token(text, logprob)], "refusal": None})


ROLE = chunk({"role": "assistant", "content": ""})
STREAMS = {
    "content": [ROLE, chunk({"content": "Caf\u00e9 "}), chunk({"content": "\U0001f600!"}), chunk({}, finish="stop")],
    "nothing": [ROLE, chunk({}, finish="stop")],
    "usage": [ROLE, chunk({"content": "Hi"}, finish="stop"), usage(prompt_tokens=5, completion_tokens=1)],
    "cut off": [ROLE, chunk({"content": "It was a"}), chunk({}, finish="length")],
    "filtered": [ROLE, chunk({"content": "It"}), chunk({}, finish="content_filter")],
    "refusal": [
        chunk({"role": "assistant", "content": None, "refusal": ""}),
        chunk({"refusal": "I can't "}),
        chunk({"refusal": "do that."}, finish="stop"),
    ],
    "parallel calls": [
        chunk({"role": "assistant", "content": None}),
        call(0, "", id="call_1", type="function", name="weather"),
        call(0, '{"city":"K\u00f6'),
        call(1, "", id="call_2", type="function", name="clock"),
        call(0, 'ln"}'),
        call(1, "{}"),
        chunk({}, finish="tool_calls"),
    ],
    "text and a call": [
        ROLE,
        chunk({"content": "Let me see."}),
        call(0, "{}", id="call_1", type="function", name="clock"),
        chunk({}, finish="tool_calls"),
    ],
    "several choices": [
        ROLE,
        chunk({"role": "assistant", "content": ""}, 1),
        chunk({"content": "He"}),
        chunk({"content": "Hej"}, 1),
        chunk({"content": "llo"}),
        chunk({}, 1, finish="length"),
        chunk({}, finish="stop"),
    ],
    "logprobs": [ROLE, judged("Hel", -0.1), judged("lo", -0.25), chunk({}, finish="stop")],
    "legacy function": [
        chunk({"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": ""}}),
        chunk({"function_call": {"arguments": '{"city":'}}),
        chunk({"function_call": {"arguments": '"Rome"}'}}),
        chunk({}, finish="function_call"),
    ],
    "reasoning": [
        ROLE,
        chunk({"reasoning_content": "The user "}),
        chunk({"reasoning_content": "greets."}),
        chunk({"content": "Hello."}),
        chunk({}, finish="stop"),
    ],
    "reasoning and a call": [
        chunk({"role": "assistant", "content": None, "reasoning": "So "}),
        chunk({"reasoning": "I look."}),
        call(0, "{}", id="call_1", type="function", name="clock"),
        chunk({}, finish="tool_calls"),
    ],
}


def stream_cassette(chunks: list[Any]) -> str:
    frames = [b"data: " + orjson.dumps(each) + b"\n\n" for each in chunks] + [b"data: [DONE]\n\n"]
    return dump({"request": ASKED, "response": stream_form(200, {}, [TimedFrame(0.0, frame) for frame in frames])})


async def collected(url: str) -> list[Any]:
    """The choices that the client's own helper collects from a stream."""
    async with (
        openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client,
        client.chat.completions.stream(**ASKED, stream_options={"include_usage": True}) as stream,
    ):
        await stream.until_done()
        return told(stream.current_completion_snapshot)


async def plain(url: str) -> tuple[list[Any], bytes]:
    """The choices of a plain answer, and its bytes."""
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        raw = await client.chat.completions.with_raw_response.create(**ASKED)
        return told(raw.parse()), raw.content


def told(completion: Any) -> list[Any]:
    return [choice(each) for each in completion.choices]


def choice(found: Any) -> dict[str, Any]:
    message = found.message.model_dump(exclude_none=True)
    names = ("content", "refusal", "function_call", "reasoning_content", "reasoning")
    calls = [
        (each["id"], each["function"]["name"], each["function"]["arguments"]) for each in message.get("tool_calls", [])
    ]
    tokens = found.logprobs.model_dump()["content"] if found.logprobs else None
    said = {name: message[name] for name in names if message.get(name)}
    return {**said, "calls": calls, "tokens": tokens, "finish_reason": found.finish_reason}


@pytest.mark.parametrize("chunks", STREAMS.values(), ids=STREAMS)
async def test_a_recorded_stream_asked_for_plain_is_what_the_client_collects(
    serve: Any, write: Write, chunks: list[Any]
) -> None:
    server = await serve(write("a.yaml", stream_cassette(chunks)), on_miss="error")

    assert (await plain(server.url))[0] == await collected(server.url)


@pytest.mark.parametrize("chunks", STREAMS.values(), ids=STREAMS)
async def test_a_recorded_plain_answer_asked_for_as_a_stream_is_what_the_client_collects(
    serve: Any, write: Write, chunks: list[Any]
) -> None:
    first = await serve(write("a.yaml", stream_cassette(chunks)), on_miss="error")
    said, body = await plain(first.url)
    second = await serve(write("a.yaml", dump({"request": ASKED, "response": plain_form(200, {}, body)})))

    assert await collected(second.url) == said


async def test_what_is_collected_says_all_that_the_stream_said(serve: Any, write: Write) -> None:
    server = await serve(write("a.yaml", stream_cassette(STREAMS["reasoning"])))

    (said,), _ = await plain(server.url)

    assert said == {
        "content": "Hello.",
        "reasoning_content": "The user greets.",
        "calls": [],
        "tokens": None,
        "finish_reason": "stop",
    }


async def test_the_usage_of_a_stream_is_that_of_the_plain_answer(serve: Any, write: Write) -> None:
    server = await serve(write("a.yaml", stream_cassette(STREAMS["usage"])))

    _, body = await plain(server.url)

    counted = orjson.loads(body)["usage"]
    assert (counted["prompt_tokens"], counted["completion_tokens"], counted["total_tokens"]) == (5, 1, 6)


async def test_a_stream_of_audio_cannot_be_collected_and_says_so(serve: Any, write: Write) -> None:
    chunks = [chunk({"role": "assistant", "audio": {"id": "audio_1", "data": "AAAA"}}), chunk({}, finish="stop")]
    server = await serve(write("a.yaml", stream_cassette(chunks)))

    with pytest.raises(openai.UnprocessableEntityError) as caught:
        await plain(server.url)

    assert "response.stream has audio in its deltas, so it cannot be collected: ask with stream" in str(caught.value)
