"""What the live API takes, and that nothing else than a refusal comes of what it does not take."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_server.endpoints.chat_rules import check_chat
from replay_server.endpoints.description import operation, request_schema, resolve, schema
from replay_server.endpoints.shapes import alternatives
from replay_server.endpoints.validation import check
from replay_server.errors import BadRequest

MESSAGES = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def chat(**fields: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": MESSAGES, **fields}


def said(content: Any) -> dict[str, Any]:
    return chat(messages=[{"role": "user", "content": content}])


PROPERTIES = alternatives(request_schema("createChatCompletion"))[0]["properties"]
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}
CUSTOM_TOOL = {"type": "custom", "custom": {"name": "g", "format": {"type": "text"}}}
SCHEMA = {"name": "x", "schema": {"type": "object"}, "strict": None}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
ANSWERED = {"role": "tool", "tool_call_id": "call_1", "content": "x"}
ACCEPTED = {
    "least": chat(),
    "every null": dict.fromkeys(PROPERTIES) | chat(),
    "integral floats": chat(n=2.0, seed=1.0, max_tokens=16.0),
    "content parts": said([{"type": "text", "text": "x"}, IMAGE]),
    "content missing": chat(messages=[{"role": "user"}]),
    "content empty": said([]),
    "more in a message": chat(messages=[{"role": "assistant", "content": "x", "reasoning_content": "y"}]),
    "nulls in a message": chat(messages=[{"role": "user", "content": "x", "name": None}]),
    "tool round": chat(messages=[*MESSAGES, CALLED, ANSWERED], tools=[TOOL, CUSTOM_TOOL], tool_choice="auto"),
    "allowed tools": chat(
        tools=[TOOL], tool_choice={"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [TOOL]}}
    ),
    "structured output": chat(response_format={"type": "json_schema", "json_schema": SCHEMA}),
    "audio": chat(modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"}),
    "metadata at its bounds": chat(metadata={"k" * 64: "v" * 512}),
    "stop string": chat(stop="x"),
    "reasoning": chat(reasoning_effort="high", verbosity="low", max_completion_tokens=1),
}


@pytest.mark.parametrize("body", ACCEPTED.values(), ids=ACCEPTED)
def test_right_chat_request_is_taken(body: dict[str, Any]) -> None:
    check(body, request_schema("createChatCompletion"))


PROMPTS = {"string": "x", "strings": ["x", "y"], "tokens": [1, 2], "rows of tokens": [[1, 2], [3]], "none": []}


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_prompt_takes_all_its_forms(prompt: Any) -> None:
    check({"model": "m", "prompt": prompt, "max_tokens": 0}, request_schema("createCompletion"))


def test_deep_body_is_read_without_trouble() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100):
        deep = {"x": [deep]}
    check(
        chat(tools=[{"type": "function", "function": {"name": "f", "parameters": deep}}]),
        request_schema("createChatCompletion"),
    )


WORDS = st.sampled_from(
    ["role", "type", "content", "function", "name", "user", "tool", "text", "x", "json_schema", "id"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(fields=st.dictionaries(st.sampled_from(sorted(PROPERTIES)), JSON, max_size=4))
def test_any_body_is_taken_or_refused(fields: dict[str, Any]) -> None:
    body = {**chat(), **fields}
    with suppress(BadRequest):
        check(body, request_schema("createChatCompletion"))
        check_chat(body)


def test_description_tells_operations_and_schemas() -> None:
    assert operation("retrieveModel")["path"] == "/models/{model}"
    assert resolve("#/components/schemas/ErrorResponse") is schema("ErrorResponse")
