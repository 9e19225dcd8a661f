"""Any request of the Responses API is answered as its description says, plain and streamed alike."""

import os
import subprocess
import sys
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from replay_server.cassettes.sse import json_chunks
from replay_server.endpoints.table import resource_named
from replay_server.fallback import Generator
from replay_server.keys import request_key
from replay_server.server.openapi import document
from replay_server.stamp import Stamp

RESPONSES = resource_named("responses")
SCHEMAS = document(route for name in ("responses", "responses/compact") for route in resource_named(name).routes)[
    "components"
]["schemas"]
# What the live API answers, in every recording, though its description has it otherwise: nulls of what was not said,
# and no usage of a response that is not there yet.
SCHEMAS["ModelResponseProperties"]["properties"]["user"] = {"type": ["string", "null"]}
SCHEMAS["TextResponseFormatJsonSchema"]["properties"]["description"] = {"type": ["string", "null"]}
SCHEMAS["ResponseUsage"] = {"anyOf": [SCHEMAS["ResponseUsage"], {"type": "null"}]}


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}})


RESPONSE, COMPACTED = validator("Response"), validator("CompactResource")
NAMES = [reference["$ref"].rpartition("/")[2] for reference in SCHEMAS["ResponseStreamEvent"]["anyOf"]]
EVENTS = {SCHEMAS[name]["properties"]["type"]["enum"][0]: validator(name) for name in NAMES}

TOOLS: list[Any] = [
    {"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {"city": {}}}},
    {"type": "custom", "name": "run_sql", "description": "Run a query"},
    {"type": "web_search"},
    {"type": "web_search_preview"},
    {"type": "file_search", "vector_store_ids": ["vs_1"]},
    {"type": "code_interpreter", "container": {"type": "auto"}},
    {"type": "image_generation", "size": "1024x1536"},
    {"type": "mcp", "server_label": "s", "server_url": "https://example.com", "require_approval": "never"},
    {"type": "mcp", "server_label": "t", "server_url": "https://example.com", "allowed_tools": ["look_up"]},
]
PERSON = {"type": "json_schema", "name": "p", "schema": {"type": "object", "properties": {"name": {"type": "string"}}}}
INCLUDES = (
    "file_search_call.results",
    "web_search_call.action.sources",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
)
SAID = [
    {"role": "user", "content": "Will it rain in Oslo?"},
    {"role": "user", "content": [{"type": "input_text", "text": "Answer in JSON."}]},
    {"role": "assistant", "content": "Perhaps."},
]
REQUESTS = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["gpt-4o-mini", "o3", "gpt-5", "my-model"]),
        "input": st.sampled_from(["The weather by a query in SQL, as JSON", ""]) | st.just(SAID),
    },
    optional={
        "instructions": st.text(max_size=20),
        "tools": st.lists(st.sampled_from(TOOLS), max_size=4),
        "tool_choice": st.sampled_from(["none", "auto", {"type": "web_search_preview"}, {"type": "image_generation"}]),
        "parallel_tool_calls": st.booleans(),
        "max_tool_calls": st.integers(1, 3),
        "max_output_tokens": st.integers(16, 60),
        "reasoning": st.fixed_dictionaries(
            {}, optional={"effort": st.sampled_from(["none", "low"]), "summary": st.just("auto")}
        ),
        "include": st.lists(st.sampled_from(INCLUDES), unique=True),
        "top_logprobs": st.integers(0, 3),
        "text": st.fixed_dictionaries({}, optional={"format": st.sampled_from([PERSON, {"type": "text"}])}),
        "metadata": st.dictionaries(st.sampled_from("ab"), st.text(max_size=5)),
        "background": st.booleans(),
        "prompt": st.just({"id": "pmpt_1"}),
        "store": st.booleans(),
        "truncation": st.just("auto"),
        "service_tier": st.just("flex"),
        "temperature": st.floats(0, 2),
    },
)


def answered(body: dict[str, Any], *, stream: bool) -> bytes:
    request = RESPONSES.from_cassette({**body, "stream": stream})
    RESPONSES.validate(request)
    key = request_key("responses", RESPONSES.canonical(request))
    reply = Generator().generate(RESPONSES.wanted(request), key)
    if stream:
        return b"".join(RESPONSES.stream(request, reply, Stamp(key)).frames)
    return RESPONSES.render(request, reply, Stamp(key)).body


@settings(max_examples=25, deadline=None)
@given(body=REQUESTS)
def test_any_answer_is_what_the_description_says(body: dict[str, Any]) -> None:
    plain = orjson.loads(answered(body, stream=False))
    events: list[Any] = list(json_chunks(answered(body, stream=True)))

    RESPONSE.validate(plain)
    for event in {event["type"]: event for event in events}.values():  # one of each kind
        EVENTS[event["type"]].validate(event)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    if not body.get("background"):
        assert events[-1]["response"] == {name: value for name, value in plain.items() if name != "billing"}


@settings(max_examples=25, deadline=None)
@given(body=REQUESTS)
def test_a_generated_answer_is_the_same_once_it_is_recorded(body: dict[str, Any]) -> None:
    request = RESPONSES.from_cassette({**body, "include": []})
    key = request_key("responses", RESPONSES.canonical(request))
    reply = Generator().generate(RESPONSES.wanted(request), key)

    short = RESPONSES.write_reply(reply)

    assert RESPONSES.write_reply(RESPONSES.read_reply(short)) == short


def test_the_pieces_of_a_stream_are_its_texts() -> None:
    body = {"model": "o3", "input": "Will it rain in Oslo?", "reasoning": {"summary": "auto"}, "tools": TOOLS[1:2]}
    events: list[Any] = list(json_chunks(answered(body, stream=True)))

    for delta, done, name in (
        ("response.reasoning_summary_text.delta", "response.reasoning_summary_text.done", "text"),
        ("response.output_text.delta", "response.output_text.done", "text"),
    ):
        pieces = [event["delta"] for event in events if event["type"] == delta]
        assert "".join(pieces) == "".join(event[name] for event in events if event["type"] == done)
        assert len(pieces) > 1


SCRIPT = """
import hashlib
from tests.endpoints.test_responses_valid import TOOLS, answered
body = {"model": "o3", "input": "Rain in Oslo?", "tools": TOOLS[2:8], "top_logprobs": 2}
print(hashlib.sha256(answered(body, stream=False) + answered(body, stream=True)).hexdigest())
"""


def test_every_process_answers_the_same() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "4242")
    }

    assert len(digests) == 1


@pytest.mark.parametrize("said", ["Hi.", SAID], ids=["a text", "messages"])
def test_a_compaction_is_what_the_description_says(said: Any) -> None:
    resource = resource_named("responses/compact")
    request = resource.from_cassette({"model": "m", "input": said})
    reply = Generator().generate(resource.wanted(request), "ab" * 32)

    COMPACTED.validate(orjson.loads(resource.render(request, reply, Stamp("ab" * 32)).body))
