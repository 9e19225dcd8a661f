"""Answers that an upstream gave, over a socket: the same bytes in the same mode, the same answer in the other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest

from replay_server.cassettes.recorded_form import plain_form, stream_form
from replay_server.cassettes.sse import split_frames
from replay_server.cassettes.yaml_writer import dump
from replay_server.interaction import TimedFrame

DATA = Path(__file__).parents[1] / "data"
MODERATED = (DATA / "chat_moderation.sse").read_bytes()
ASKED: Any = {"model": "gpt-5", "messages": [{"role": "user", "content": "What is the capital of France?"}]}
CHAT = "/v1/chat/completions"

CALLS = b"""\
data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"m","choices":[{"index":0,"delta":\
{"role":"assistant","content":null}}]}

: keep-alive

data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[\
{"index":0,"id":"call_1","type":"function","function":{"name":"get_weather","arguments":""}}]}}]}

data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[\
{"index":0,"function":{"arguments":"{\\"city\\":"}}]}}]}\r
\r
data: {"id": "c1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"tool_calls": [\
{"index": 0, "function": {"arguments": "\\"K\xc3\xb6ln\\"}"}}]}}]}

data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"m","choices":[{"index":0,"delta":{},\
"finish_reason":"tool_calls"}]}

data: [DONE]

"""

Write = Callable[[str, str], Path]


def cassette(response: dict[str, Any]) -> str:
    return dump({"request": ASKED, "response": response})


def recorded_stream(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> str:
    return cassette(stream_form(status, headers or {}, [TimedFrame(0.01, frame) for frame in split_frames(body)]))


async def post(url: str, **fields: Any) -> tuple[int, Any, bytes]:
    async with aiohttp.ClientSession() as session, session.post(url, json={**ASKED, **fields}) as response:
        return response.status, response.headers, await response.read()


@pytest.mark.parametrize(
    "body",
    [MODERATED, CALLS, (DATA / "responses_background.sse").read_bytes(), b"data: \xff\xfe\r\r: x", MODERATED[:700]],
    ids=["moderation", "calls", "named events", "bytes", "cut off"],
)
async def test_a_recorded_stream_is_replayed_byte_for_byte(serve: Any, write: Write, body: bytes) -> None:
    server = await serve(write("a.yaml", recorded_stream(body)), on_miss="error")

    status, headers, answer = await post(server.url + CHAT, stream=True)

    assert (status, answer) == (200, body)
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["x-replay-source"] == "cassette"


async def test_headers_of_a_recording_are_replayed(serve: Any, write: Write) -> None:
    kept = {"content-type": "text/event-stream", "x-request-id": "req_7", "x-ratelimit-limit-requests": "500"}
    server = await serve(write("a.yaml", recorded_stream(MODERATED, headers={**kept, "cf-ray": "x"})))

    _, headers, _ = await post(server.url + CHAT, stream=True)

    assert {name: headers[name] for name in kept} == kept
    assert "cf-ray" not in headers


async def test_a_recorded_stream_asked_for_plain_is_the_one_answer(serve: Any, write: Write) -> None:
    server = await serve(write("a.yaml", recorded_stream(MODERATED)), on_miss="error")

    async with openai.AsyncOpenAI(
        base_url=f"{server.url}/v1", api_key="any", max_retries=0, _strict_response_validation=True
    ) as client:
        answer = await client.chat.completions.create(**ASKED)

    (choice,) = answer.choices
    assert (choice.message.content, choice.finish_reason) == ("Paris.", "stop")
    assert (answer.id, answer.created) == ("chatcmpl-E4Rjs6IxaJVge9Ntk5keJsaeDy6vS", 1784728648)
    assert (answer.model, answer.service_tier) == ("gpt-5-2025-08-07", "default")
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (13, 11)


async def test_collected_tool_calls_are_those_that_the_client_collects(serve: Any, write: Write) -> None:
    server = await serve(write("a.yaml", recorded_stream(CALLS)))

    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any") as client:
        plain = await client.chat.completions.create(**ASKED)
        async with client.chat.completions.stream(**ASKED) as stream:
            collected = await stream.get_final_completion()

    (call,) = plain.choices[0].message.tool_calls or ()
    (same,) = collected.choices[0].message.tool_calls or ()
    assert call.type == "function"
    assert (call.id, call.function.name, call.function.arguments) == ("call_1", "get_weather", '{"city":"Köln"}')
    assert call.function.arguments == same.function.arguments
    assert plain.choices[0].finish_reason == collected.choices[0].finish_reason == "tool_calls"


async def test_a_recorded_completion_stream_is_collected(serve: Any, write: Write) -> None:
    chunks = [b'{"id":"cmpl-1","choices":[{"index":0,"text":"%b"}]}' % text for text in (b"Once", b" more")]
    body = b"".join(b"data: %b\n\n" % chunk for chunk in (*chunks, b"[DONE]"))
    response = stream_form(200, {}, [TimedFrame(0.0, frame) for frame in split_frames(body)])
    document = {"request": {"model": "gpt-3.5-turbo-instruct", "prompt": "Say it"}, "response": response}
    server = await serve(write("a.yaml", dump(document)))

    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any") as client:
        answer = await client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Say it")

    assert (answer.id, answer.choices[0].text) == ("cmpl-1", "Once more")


async def test_a_stream_that_cannot_be_collected_says_so(serve: Any, write: Write) -> None:
    server = await serve(write("a.yaml", recorded_stream(b"event: ping\ndata: {}\n\n")))

    status, _, answer = await post(server.url + CHAT)

    assert status == 422
    assert b"a.yaml#1: response.stream has no chunk with a choice, so it cannot be collected: ask with stream" in answer
    assert b"recording_cannot_be_collected" in answer


async def test_a_recorded_plain_answer_is_streamed_where_that_is_asked(serve: Any, write: Write) -> None:
    body = b'{"id": "c1", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi 1.50"}}], "n": 1.50}'
    server = await serve(write("a.yaml", cassette(plain_form(200, {}, body))))

    plain = await post(server.url + CHAT)
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any") as client:
        stream = await client.chat.completions.create(**ASKED, stream=True)
        texts = [chunk.choices[0].delta.content or "" async for chunk in stream]

    assert plain[2] == body
    assert "".join(texts) == "Hi 1.50"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_recorded_error_is_replayed_in_both_modes(serve: Any, write: Write, stream: bool) -> None:
    body = b'{"error": {"message": "Slow down", "code": null}}'
    recorded = cassette(plain_form(429, {"retry-after": "2", "x-ratelimit-remaining-requests": "0"}, body))
    server = await serve(write("a.yaml", recorded))

    status, headers, answer = await post(server.url + CHAT, stream=stream)

    assert (status, answer) == (429, body)
    assert (headers["retry-after"], headers["x-ratelimit-remaining-requests"]) == ("2", "0")
