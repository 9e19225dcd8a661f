"""`POST /responses` and what is below it, over a socket, with the client that people use."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import openai
import orjson
import pytest
from pydantic import BaseModel

from replay_server.server.run import RunningServer

Write = Callable[[str, str], Path]

UNKNOWN = "Tell me something about lighthouses in Norway."
WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
SQL: Any = {"type": "custom", "name": "run_sql", "description": "Run a query in SQL."}
LIGHTHOUSE: Any = {"model": "gpt-5", "input": "Who lights the lighthouse of Lindesnes today?"}
SEARCHED: Any = {**LIGHTHOUSE, "reasoning": {"effort": "low", "summary": "auto"}, "tools": [{"type": "web_search"}]}
MCP: Any = {"type": "mcp", "server_label": "deepwiki", "server_url": "https://example.com/mcp"}


async def events_of(client: openai.AsyncOpenAI, **asked: Any) -> list[Any]:
    return [event async for event in await client.responses.create(stream=True, **asked)]


def runs(events: list[Any]) -> list[str]:
    """The types of the events, each run of the same once, without `response.`."""
    kinds = [event.type.removeprefix("response.") for event in events]
    return [kind for at, kind in enumerate(kinds) if at == 0 or kinds[at - 1] != kind]


TEXT_EVENTS = ["content_part.added", "output_text.delta", "output_text.done", "content_part.done"]
MESSAGE_EVENTS = ["output_item.added", *TEXT_EVENTS, "output_item.done"]


# Recorded by hand ----------------------------------------------------------------------------------------------------


async def test_a_short_form_is_a_whole_response(client: openai.AsyncOpenAI) -> None:
    raw = await client.responses.with_raw_response.create(
        model="gpt-4o-mini", instructions="Be brief.", input="What is the capital of Norway?", metadata={"a": "b"}
    )

    answer = raw.parse()
    assert answer.output_text == "Oslo is the capital of Norway."
    assert (answer.status, answer.instructions, answer.metadata) == ("completed", "Be brief.", {"a": "b"})
    assert answer.model == "gpt-4o-mini-2024-07-18"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert raw.headers["x-replay-interaction"] == "responses.yaml#1"


async def test_an_input_in_other_words_is_the_same_input(client: openai.AsyncOpenAI) -> None:
    said: Any = [{"type": "input_text", "text": "What is the capital of Norway?"}]
    raw = await client.responses.with_raw_response.create(
        model="gpt-4o-mini", instructions="Be brief.", input=[{"type": "message", "role": "user", "content": said}]
    )

    assert raw.headers["x-replay-interaction"] == "responses.yaml#1"


async def test_a_stream_brings_thoughts_search_and_text_in_order(client: openai.AsyncOpenAI) -> None:
    events = await events_of(client, **SEARCHED)

    part = ["reasoning_summary_part.added", "reasoning_summary_text.delta", "reasoning_summary_text.done"]
    search = [f"web_search_call.{stage}" for stage in ("in_progress", "searching", "completed")]
    assert runs(events) == [
        *("created", "in_progress"),
        *("output_item.added", *part, "reasoning_summary_part.done", "output_item.done"),
        *("output_item.added", *search, "output_item.done"),
        *("output_item.added", "content_part.added", "output_text.delta", "output_text.annotation.added"),
        *("output_text.done", "content_part.done", "output_item.done", "completed"),
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))


async def test_a_stream_has_named_events_and_no_word_that_it_is_done(server: RunningServer) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.url}/v1/responses", json={"model": "m", "input": "hi", "stream": True}) as response,
    ):
        lines = (await response.text()).split("\n\n")

    named = [line.split("\ndata: ")[0] for line in lines]
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert named[:3] == ["event: response.created", "event: response.in_progress", "event: response.output_item.added"]
    assert (named[-2], lines[-1]) == ("event: response.completed", "")


async def test_a_script_of_tools_goes_on_as_it_was_written(client: openai.AsyncOpenAI) -> None:
    asked: Any = {"model": "gpt-4o-mini", "tools": [WEATHER]}
    said: list[Any] = [{"role": "user", "content": "What is the weather in Oslo?"}]
    first = await client.responses.create(input=said, **asked)
    (call,) = first.output
    assert call.type == "function_call"
    said += [call, {"type": "function_call_output", "call_id": call.call_id, "output": "4 degrees, snow"}]

    second = await client.responses.create(input=said, **asked)

    assert (call.name, call.arguments) == ("get_weather", '{"city":"Oslo"}')
    assert second.output_text == "It snows in Oslo at 4 degrees."


# Generated -----------------------------------------------------------------------------------------------------------

ASKED = {
    "text": {},
    "thoughts": {"model": "o3", "reasoning": {"effort": "high", "summary": "detailed"}},
    "thoughts that are encrypted": {"model": "o3", "include": ["reasoning.encrypted_content"]},
    "tool": {"input": "The weather in Oslo?", "tools": [WEATHER]},
    "two tools": {"input": "The weather in Oslo by a query in SQL?", "tools": [WEATHER, SQL]},
    "logprobs": {"include": ["message.output_text.logprobs"], "top_logprobs": 2},
    "cut": {"max_output_tokens": 16},
    "cut while it thinks": {"model": "o3", "max_output_tokens": 16, "reasoning": {"summary": "auto"}},
    "hosted tools": {
        "tools": [
            {"type": "web_search"},
            {"type": "file_search", "vector_store_ids": ["vs_1"]},
            {"type": "code_interpreter", "container": {"type": "auto"}},
            {"type": "image_generation", "size": "1024x1536"},
            {**MCP, "require_approval": "never"},
        ],
        "include": [
            "file_search_call.results",
            "code_interpreter_call.outputs",
            "web_search_call.action.sources",
        ],
    },
    "approval": {"tools": [MCP]},
    "background": {"background": True},
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
async def test_plain_and_streamed_are_the_same_answer(client: openai.AsyncOpenAI, asked: Any) -> None:
    request = {"model": "gpt-4o-mini", "input": UNKNOWN, **asked}

    plain = await client.responses.create(**{**request, "background": False})
    events = await events_of(client, **{**request, "background": False})

    assert events[-1].response.to_dict() == {k: v for k, v in plain.to_dict().items() if k != "billing"}
    assert [event.sequence_number for event in events] == list(range(len(events)))


async def test_the_deltas_of_a_stream_are_its_texts(client: openai.AsyncOpenAI) -> None:
    async with client.responses.stream(model="o3", input="The weather in Oslo?", tools=[WEATHER]) as stream:
        events = [event async for event in stream]
        final = await stream.get_final_response()

    pieces = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
    assert len(pieces) > 1
    assert "".join(pieces) == next(item.arguments for item in final.output if item.type == "function_call")


async def test_a_response_is_parsed_by_its_schema(client: openai.AsyncOpenAI) -> None:
    class Keeper(BaseModel):
        name: str
        born: int

    answer = await client.responses.parse(model="gpt-4o-mini", input=UNKNOWN, text_format=Keeper)

    assert isinstance(answer.output_parsed, Keeper)


async def test_the_client_without_async_is_answered(server: RunningServer) -> None:
    def ask() -> tuple[str, list[str]]:
        with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
            plain = client.responses.create(model="m", input="hi")
            streamed = client.responses.create(model="m", input="hi", stream=True)
            return plain.output_text, [event.delta for event in streamed if event.type == "response.output_text.delta"]

    text, deltas = await asyncio.to_thread(ask)

    assert text == "".join(deltas) != ""


async def test_a_limit_makes_a_response_incomplete(client: openai.AsyncOpenAI) -> None:
    asked: Any = {"model": "gpt-4o-mini", "input": UNKNOWN, "max_output_tokens": 16}
    answer = await client.responses.create(**asked)
    events = await events_of(client, **asked)

    assert answer.incomplete_details is not None
    assert (answer.status, answer.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert answer.usage is not None
    assert answer.usage.output_tokens == 16
    assert events[-1].type == "response.incomplete"


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ("none", []),
        ("required", ["function_call"]),
        ({"type": "function", "name": "get_weather"}, ["function_call"]),
        ({"type": "custom", "name": "run_sql"}, ["custom_tool_call"]),
        ({"type": "web_search_preview"}, ["web_search_call"]),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "custom", "name": "run_sql"}]},
            ["custom_tool_call"],
        ),
    ],
    ids=["none", "required", "a function", "a custom tool", "a search", "one that is allowed"],
)
async def test_tool_choice_is_obeyed(client: openai.AsyncOpenAI, choice: Any, called: list[str]) -> None:
    tools: Any = [WEATHER, SQL, {"type": "web_search"}]
    if choice == "required":
        tools = [WEATHER]
    answer = await client.responses.create(model="m", input="Hello.", tools=tools, tool_choice=choice)

    assert [item.type for item in answer.output if item.type.endswith("_call")] == called


async def test_only_one_tool_is_called_where_no_more_may_be(client: openai.AsyncOpenAI) -> None:
    tools = [WEATHER, {**WEATHER, "name": "get_weather_warnings"}]
    asked: Any = {"model": "m", "input": "The weather and its warnings in Oslo?", "tools": tools}

    several = await client.responses.create(**asked)
    one = await client.responses.create(**asked, parallel_tool_calls=False)

    assert (len(several.output), len(one.output)) == (2, 1)


async def test_a_tool_of_a_server_waits_until_it_is_approved(client: openai.AsyncOpenAI) -> None:
    first = await client.responses.create(model="m", input="Search the wiki.", tools=[MCP])
    asks = first.output[-1]
    assert asks.type == "mcp_approval_request"
    said: list[Any] = [
        {"role": "user", "content": "Search the wiki."},
        *first.output,
        {"type": "mcp_approval_response", "approval_request_id": asks.id, "approve": True},
    ]
    second = await client.responses.create(model="m", input=said, tools=[MCP])

    assert [item.type for item in first.output] == ["mcp_list_tools", "mcp_approval_request"]
    assert [item.type for item in second.output] == ["mcp_call", "message"]


async def test_in_the_background_a_response_is_queued(client: openai.AsyncOpenAI) -> None:
    plain = await client.responses.create(model="m", input="hi", background=True)
    events = await events_of(client, model="m", input="hi", background=True)

    assert (plain.status, plain.output, plain.usage) == ("queued", [], None)
    assert runs(events) == ["created", "queued", "in_progress", *MESSAGE_EVENTS, "completed"]


async def test_all_that_is_asked_is_said_again(client: openai.AsyncOpenAI) -> None:
    previous = await client.responses.create(model="m", input="Hello.")
    asked: Any = {
        "instructions": "Be brief.",
        "max_output_tokens": 50,
        "max_tool_calls": 3,
        "metadata": {"run": "7"},
        "parallel_tool_calls": False,
        "previous_response_id": previous.id,
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "store": False,
        "temperature": 0.5,
        "tool_choice": "auto",
        "top_logprobs": 1,
        "top_p": 0.9,
        "truncation": "auto",
        "user": "u",
    }

    answer = (await client.responses.create(model="m", input="hi", **asked)).to_dict()

    assert {name: answer[name] for name in asked} == asked


async def test_secrets_of_a_tool_are_not_said_again(client: openai.AsyncOpenAI) -> None:
    tool: Any = {**MCP, "authorization": "sesame", "headers": {"x-key": "sesame"}}

    answer = (await client.responses.create(model="m", input="Search the wiki.", tools=[tool])).to_dict()

    assert answer["tools"] == [{**MCP, "headers": {"x-key": "<redacted>"}}]


# Counting and compacting ---------------------------------------------------------------------------------------------


async def test_tokens_are_counted_even_by_a_strict_server(serve: Any) -> None:
    server = await serve(on_miss="error")
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
        few = await client.responses.with_raw_response.input_tokens.count(model="m", input="hi")
        many = await client.responses.input_tokens.count(model="m", input=UNKNOWN, instructions="Be brief.")

    assert few.headers["x-replay-source"] == "state"
    assert 0 < few.parse().input_tokens < many.input_tokens


async def test_a_conversation_is_made_short(server: RunningServer) -> None:
    said: Any = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]
    # The client's own types have no message of a user in an output, though the live API gives one.
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
        short = await client.responses.with_raw_response.compact(model="gpt-4o-mini", input=said)
        output = orjson.loads(short.content)["output"]
        answer = await client.responses.create(
            model="gpt-4o-mini", input=[*output, {"role": "user", "content": "Go on."}]
        )

    assert [item["type"] for item in output] == ["message", "compaction"]
    assert answer.output_text


# What is refused -----------------------------------------------------------------------------------------------------

CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "c1", "output": "x"}
REFUSED = {
    "no model": ({"input": "x"}, "Missing required parameter: 'model'.", "model", "missing_required_parameter"),
    "messages": (
        {"model": "m", "messages": []},
        "Unknown parameter: 'messages'.",
        "messages",
        "unknown_parameter",
    ),
    "no input": (
        {"model": "m"},
        "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided.",
        "input",
        "missing_required_parameter",
    ),
    "temperature": (
        {"model": "m", "input": "x", "temperature": -1},
        "Invalid 'temperature': decimal below minimum value. Expected a value >= 0, but got -1 instead.",
        "temperature",
        "decimal_below_min_value",
    ),
    "few tokens": (
        {"model": "m", "input": "x", "max_output_tokens": 1},
        "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 1 instead.",
        "max_output_tokens",
        "integer_below_min_value",
    ),
    "a role": (
        {"model": "m", "input": [{"role": "tool", "content": "x"}]},
        "Invalid value: 'tool'. Supported values are: 'assistant', 'system', 'developer', and 'user'.",
        "input[0].role",
        "invalid_value",
    ),
    "chat's parts": (
        {"model": "m", "input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
        "Invalid value: 'text'. Supported values are: 'input_text', 'input_image', 'output_text', 'refusal',"
        " 'input_file', 'computer_screenshot', and 'summary_text'.",
        "input[0].content[0].type",
        "invalid_value",
    ),
    "chat's tools": (
        {"model": "m", "input": "x", "tools": [{"type": "function", "function": {"name": "f"}}]},
        "Missing required parameter: 'tools[0].name'.",
        "tools[0].name",
        "missing_required_parameter",
    ),
    "a call without its result": (
        {"model": "m", "input": [CALL]},
        "No tool output found for function call c1.",
        "input",
        None,
    ),
    "a result without its call": (
        {"model": "m", "input": [RESULT]},
        "No tool call found for function call output with call_id c1.",
        "input",
        None,
    ),
    "thoughts alone": (
        {"model": "m", "input": [{"type": "reasoning", "id": "rs_1", "summary": []}, {"role": "user", "content": "x"}]},
        "Item 'rs_1' of type 'reasoning' was provided without its required following item.",
        "input",
        None,
    ),
    "JSON that nobody spoke of": (
        {"model": "m", "input": "x", "text": {"format": {"type": "json_object"}}},
        "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
        "input",
        None,
    ),
    "a schema without values": (
        {
            "model": "m",
            "input": "x",
            "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "nothing"}}},
        },
        None,
        "text.format.schema",
        "invalid_json_schema",
    ),
    "an unknown tool": (
        {"model": "m", "input": "x", "tool_choice": {"type": "function", "name": "f"}},
        "Tool choice 'function' not found in 'tools' parameter.",
        "tool_choice",
        None,
    ),
}


@pytest.mark.parametrize(("asked", "message", "param", "code"), REFUSED.values(), ids=REFUSED)
async def test_what_the_api_refuses_is_refused(
    server: RunningServer, asked: Any, message: str | None, param: str, code: str | None
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.url}/v1/responses", json=asked) as response,
    ):
        error = (await response.json())["error"]

    assert (response.status, error["type"], error["param"], error["code"]) == (
        400,
        "invalid_request_error",
        param,
        code,
    )
    assert message in (None, error["message"])


async def test_a_result_may_belong_to_a_call_of_an_earlier_response(client: openai.AsyncOpenAI) -> None:
    result: Any = [RESULT]
    previous = await client.responses.create(model="m", input="Hello.")

    answer = await client.responses.create(model="m", input=result, previous_response_id=previous.id)

    assert answer.previous_response_id == previous.id


async def test_an_unknown_model_is_no_404_here(serve: Any, write: Write) -> None:
    server = await serve(write("replay.yaml", "models: [gpt-4o-mini]\n"))
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
        with pytest.raises(openai.BadRequestError) as refused:
            await client.responses.create(model="gpt-9", input="x")

    assert refused.value.code == "model_not_found"
    assert refused.value.param == "model"
    assert "The requested model 'gpt-9' does not exist." in refused.value.message
