"""The client that people use, over a socket."""

import asyncio
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from replay_server.server.run import RunningServer

Messages = list[Any]

HELLO: Messages = [{"role": "user", "content": "Say hello."}]
UNKNOWN: Messages = [{"role": "user", "content": "Tell me something about lighthouses in Norway."}]
COUNT: Messages = [{"role": "user", "content": "Count to three."}]
WEATHER: Messages = [{"role": "user", "content": "What is the weather in Paris and Rome?"}]
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "strict": True,
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
                "additionalProperties": False,
            },
        },
    }
]


async def test_a_recorded_chat_is_replayed(client: openai.AsyncOpenAI) -> None:
    raw = await client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=HELLO)

    answer = raw.parse()
    assert answer.choices[0].message.content == "Hello! How can I help you today?"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "gpt-4o-mini-2024-07-18"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert raw.headers["x-replay-source"] == "cassette"
    assert raw.headers["x-replay-interaction"] == "greeting.yaml#1"
    assert raw.request_id is not None
    assert raw.request_id.startswith("req_")


async def test_a_recorded_stream_keeps_its_cuts(client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(
        model="gpt-4o-mini", messages=COUNT, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]

    deltas = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert deltas == ["", "One,", " two,", " three.", None]
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert {chunk.id for chunk in chunks} == {chunks[0].id}


@pytest.mark.parametrize("messages", [HELLO, UNKNOWN, COUNT], ids=["replayed", "generated", "deltas"])
async def test_plain_and_streamed_are_the_same_answer(client: openai.AsyncOpenAI, messages: Messages) -> None:
    plain = await client.chat.completions.create(model="gpt-4o-mini", messages=messages, n=1)
    async with client.chat.completions.stream(
        model="gpt-4o-mini", messages=messages, stream_options={"include_usage": True}
    ) as stream:
        collected = await stream.get_final_completion()

    assert collected.choices[0].message.content == plain.choices[0].message.content
    assert collected.choices[0].finish_reason == plain.choices[0].finish_reason
    assert (collected.id, collected.created, collected.model) == (plain.id, plain.created, plain.model)
    assert collected.usage == plain.usage


async def test_a_tool_round_trip_ends_with_text(client: openai.AsyncOpenAI) -> None:
    asked = await client.chat.completions.create(model="gpt-4o-mini", messages=WEATHER, tools=TOOLS)

    message = asked.choices[0].message
    assert message.tool_calls is not None
    assert asked.choices[0].finish_reason == "tool_calls"
    assert [call.function.arguments for call in message.tool_calls if call.type == "function"] == [
        '{"city":"Paris"}',
        '{"city":"Rome"}',
    ]
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": content}
        for call, content in zip(message.tool_calls, ["18 degrees, cloudy", "24 degrees, sunny"], strict=True)
    ]
    answer = await client.chat.completions.create(
        model="gpt-4o-mini", messages=[*WEATHER, message.model_dump(exclude_none=True), *results], tools=TOOLS
    )

    assert answer.choices[0].message.content == "In Paris it is cloudy at 18 degrees, in Rome sunny at 24."


async def test_streamed_tool_calls_are_put_together_by_index(client: openai.AsyncOpenAI) -> None:
    async with client.chat.completions.stream(model="gpt-4o-mini", messages=WEATHER, tools=TOOLS) as stream:
        message = (await stream.get_final_completion()).choices[0].message

    assert message.tool_calls is not None
    assert [call.function.arguments for call in message.tool_calls] == ['{"city":"Paris"}', '{"city":"Rome"}']
    assert len({call.id for call in message.tool_calls}) == 2


class Event(BaseModel):
    name: str
    day: str
    participants: list[str]


async def test_structured_output_is_parsed(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.parse(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": "Extract the event: Ann and Bob meet on Friday."}],
        response_format=Event,
    )

    assert answer.choices[0].message.parsed == Event(name="Meeting", day="Friday", participants=["Ann", "Bob"])


class Person(BaseModel):
    name: str
    age: int
    tags: list[str]


async def test_generated_structured_output_is_valid(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.parse(model="gpt-4o", messages=UNKNOWN, response_format=Person)

    assert isinstance(answer.choices[0].message.parsed, Person)


async def test_an_error_is_raised_as_the_client_knows_it(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as caught:
        await client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": "Make me wait."}]
        )

    assert caught.value.code == "rate_limit_exceeded"
    assert caught.value.type == "requests"
    assert caught.value.response.headers["retry-after"] == "2"


async def test_a_sequence_goes_on_with_each_request_of_a_session(server: RunningServer) -> None:
    messages: Messages = [{"role": "user", "content": "Is the job done?"}]

    async def ask(base_url: str, headers: dict[str, str] | None = None) -> str | None:
        async with openai.AsyncOpenAI(base_url=base_url, api_key="any", default_headers=headers) as client:
            answer = await client.chat.completions.create(model="gpt-4o-mini", messages=messages)
            return answer.choices[0].message.content

    first = [await ask(f"{server.url}/__replay/s/one/v1") for _ in range(4)]
    second = [await ask(f"{server.url}/v1", {"x-replay-session": "two"}) for _ in range(2)]

    assert first == ["The job is queued.", "The job is running.", "The job is done.", "The job is done."]
    assert second == ["The job is queued.", "The job is running."]


async def test_a_legacy_completion_is_replayed_and_streamed(server: RunningServer, client: openai.AsyncOpenAI) -> None:
    plain = await client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Once upon a time")
    # The client's own type does not allow the null finish_reason that the live API streams.
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any") as tolerant:
        stream = await tolerant.completions.create(
            model="gpt-3.5-turbo-instruct", prompt="Once upon a time", stream=True
        )
        texts = [chunk.choices[0].text async for chunk in stream]

    assert plain.choices[0].text == ", there was a server that never changed its mind."
    assert "".join(texts) == plain.choices[0].text
    assert len(texts) > 5


async def test_models_are_those_of_the_cassettes_and_any_asked_for(client: openai.AsyncOpenAI) -> None:
    listed = [model.id async for model in client.models.list()]
    other = await client.models.retrieve("meta-llama/Llama-3.1-8B")

    assert listed == [
        *("gpt-3.5-turbo-instruct", "gpt-4o-mini", "gpt-4o-mini-tts", "gpt-5", "gpt-image-1", "omni-moderation-latest"),
        *("text-embedding-3-small", "whisper-1"),
    ]
    assert other.id == "meta-llama/Llama-3.1-8B"


async def test_azures_client_is_answered(server: RunningServer) -> None:
    async with openai.AsyncAzureOpenAI(
        azure_endpoint=server.url, api_key="any", api_version="2024-10-21", azure_deployment="gpt-4o-mini"
    ) as client:
        answer = await client.chat.completions.create(model="whatever", messages=HELLO)

    assert answer.choices[0].message.content == "Hello! How can I help you today?"


async def test_the_synchronous_client_is_answered(server: RunningServer) -> None:
    def ask() -> str | None:
        with openai.OpenAI(base_url=server.url, api_key="any") as client:  # without /v1
            return client.chat.completions.create(model="gpt-4o-mini", messages=HELLO).choices[0].message.content

    assert await asyncio.to_thread(ask) == "Hello! How can I help you today?"


async def test_a_strict_server_answers_a_miss_with_its_explanation(serve: Any) -> None:
    server = await serve(on_miss="error")
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any") as client:
        with pytest.raises(openai.NotFoundError) as caught:
            await client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": "Say hello!"}]
            )

    error: Any = caught.value.body
    assert error["code"] == "cassette_miss"
    assert "nearest: greeting.yaml#1" in error["message"]
    assert "messages[0].content: 'Say hello.' != 'Say hello!'" in error["message"]
    assert caught.value.response.headers["x-replay-source"] == "miss"


async def test_a_miss_names_the_rule_that_would_make_it_match(serve: Any, write: Any) -> None:
    cassette = (
        "request:\n  model: m\n  messages: [{role: user, content: Today is 2026-01-02.}]\nresponse: {content: a}\n"
    )
    server = await serve(write("today.yaml", cassette), on_miss="error")
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any") as client:
        with pytest.raises(openai.NotFoundError) as caught:
            await client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "Today is 2031-12-24."}]
            )

    error: Any = caught.value.body
    lines = error["message"].splitlines()
    assert lines[1].startswith(
        "nearest: today.yaml#1, recorded != asked at messages[0].content: 'Today is 2026-01-02.'"
    )
    assert lines[2].endswith("replay.yaml this matches: volatile: [date]")
    assert len(error["message"]) < 1_500


async def test_keys_are_checked_when_some_are_named(serve: Any) -> None:
    server = await serve(api_keys=("sk-good", "sk-also"))

    async def ask(key: str) -> Any:
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=key) as client:
            return await client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)

    assert (await ask("sk-also")).choices
    with pytest.raises(openai.AuthenticationError) as caught:
        await ask("sk-bad")
    assert caught.value.code == "invalid_api_key"


async def test_logprobs_cover_the_text(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="gpt-4o", messages=UNKNOWN, logprobs=True, top_logprobs=2)
    stream = await client.chat.completions.create(
        model="gpt-4o", messages=UNKNOWN, logprobs=True, top_logprobs=2, stream=True
    )
    streamed = [entry async for chunk in stream for entry in _logprobs(chunk)]

    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content is not None
    assert "".join(entry.token for entry in logprobs.content) == answer.choices[0].message.content
    assert [entry.model_dump() for entry in streamed] == [entry.model_dump() for entry in logprobs.content]


def _logprobs(chunk: Any) -> list[Any]:
    logprobs = chunk.choices[0].logprobs
    return logprobs.content if logprobs else []
