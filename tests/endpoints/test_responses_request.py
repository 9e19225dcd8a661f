"""What of a request of the Responses API makes its key, its shape, its drift, and what it says."""

from typing import Any

import pytest

from replay_server.conditions import Spoken
from replay_server.endpoints.base import Conversational, Speaking
from replay_server.endpoints.table import resource_named
from replay_server.interaction import Choice, JsonObject, Reasoning, TextReply, ToolCall
from replay_server.keys import request_key

RESPONSES = resource_named("responses")
CALL = {"type": "function_call", "call_id": "call_x", "name": "f", "arguments": '{"a": 1}'}
RESULT = {"type": "function_call_output", "call_id": "call_x", "output": "sunny"}
FUNCTION = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object", "title": "t"}}


def key(**body: Any) -> str:
    request = RESPONSES.from_cassette({"model": "m", "input": "x", **body})
    return request_key("responses", RESPONSES.canonical(request))


def shape(**body: Any) -> JsonObject:
    return RESPONSES.shape(RESPONSES.from_cassette({"model": "m", "input": "x", **body}))


def user(content: Any, **fields: Any) -> dict[str, Any]:
    return {"role": "user", "content": content, **fields}


def output_text(text: str) -> list[Any]:
    return [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]


SAME = {
    "a text and a message": ("x", [user("x")]),
    "a message that says so": ([user("x")], [user("x", type="message", id=None)]),
    "a text and its part": ([user("x")], [user([{"type": "input_text", "text": "x"}])]),
    "an answer with and without its id": (
        [{"role": "assistant", "content": "y"}],
        [{"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": output_text("y")}],
    ),
    "call ids": ([CALL, RESULT], [{**CALL, "call_id": "z", "id": "fc_1"}, {**RESULT, "call_id": "z"}]),
    "arguments as JSON": ([CALL, RESULT], [{**CALL, "arguments": '{"a":1.0}', "status": "completed"}, RESULT]),
    "thoughts": (
        [user("x"), CALL, RESULT],
        [user("x"), {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "g"}, CALL, RESULT],
    ),
    "results as parts": ([CALL, RESULT], [CALL, {**RESULT, "output": [{"type": "input_text", "text": "sunny"}]}]),
    "the detail that is default": (
        [user([{"type": "input_image", "image_url": "u", "detail": "auto"}])],
        [user([{"type": "input_image", "image_url": "u"}])],
    ),
    "approvals": (
        [
            {"type": "mcp_approval_request", "id": "a", "name": "f", "arguments": "{}", "server_label": "s"},
            {"type": "mcp_approval_response", "approval_request_id": "a", "approve": True},
        ],
        [
            {"type": "mcp_approval_request", "id": "b", "name": "f", "arguments": "{}", "server_label": "s"},
            {"type": "mcp_approval_response", "approval_request_id": "b", "approve": True},
        ],
    ),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_what_carries_no_meaning_is_not_in_the_key(one: Any, other: Any) -> None:
    assert key(input=one) == key(input=other)


OTHER: dict[str, dict[str, Any]] = {
    "another text": {"input": "y"},
    "another role": {"input": [{"role": "developer", "content": "x"}]},
    "instructions": {"instructions": "Be brief."},
    "an earlier response": {"previous_response_id": "resp_1"},
    "a conversation": {"conversation": "conv_1"},
    "a prompt": {"prompt": {"id": "pmpt_1", "variables": {"city": "Oslo"}}},
    "a reference": {"input": [{"type": "item_reference", "id": "msg_1"}]},
    "another reference": {"input": [{"type": "item_reference", "id": "msg_2"}]},
    "another model": {"model": "n"},
    "arguments": {"input": [{**CALL, "arguments": '{"a": 2}'}]},
}


def test_what_carries_the_prompt_is_in_the_key() -> None:
    keys = [key(), *(key(**fields) for fields in OTHER.values())]

    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    "fields",
    [
        {"conversation": {"id": "conv_1"}},
        {"conversation": "conv_1", "instructions": ""},
        {"conversation": "conv_1", "previous_response_id": None, "stream": True, "metadata": {"a": "b"}},
    ],
    ids=["as an object", "with empty instructions", "with what makes no key"],
)
def test_a_conversation_is_told_by_its_id(fields: dict[str, Any]) -> None:
    assert key(**fields) == key(conversation="conv_1")


SHAPES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "defaults": ({"text": {"format": {"type": "text"}}, "tool_choice": "auto", "background": False, "include": []}, {}),
    "verbosity": ({"text": {"verbosity": "low"}}, {}),
    "tools": (
        {"tools": [FUNCTION, {"type": "web_search", "search_context_size": "low"}]},
        {"tools": [{"name": "f", "parameters": {"type": "object"}}, {"type": "web_search"}]},
    ),
    "tools that are none": ({"tools": "all"}, {"tools": "all"}),
    "no tools": ({"tools": [], "tool_choice": "none"}, {}),
    "a choice": ({"tools": ["f"], "tool_choice": "required"}, {"tools": ["f"], "tool_choice": "required"}),
    "a schema": (
        {"text": {"format": {"type": "json_schema", "name": "n", "strict": True, "schema": {"title": "t"}}}},
        {"text": {"type": "json_schema", "schema": {}}},
    ),
    "JSON": ({"text": {"format": {"type": "json_object"}}}, {"text": {"type": "json_object"}}),
    "logprobs": (
        {"include": ["reasoning.encrypted_content", "message.output_text.logprobs"]},
        {"include": ["message.output_text.logprobs"]},
    ),
    "the background": ({"background": True}, {"background": True}),
}


@pytest.mark.parametrize(("fields", "expected"), SHAPES.values(), ids=SHAPES)
def test_fields_that_shape_the_answer(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert shape(**fields) == expected


def test_fields_that_have_their_default_do_not_drift() -> None:
    body = {"model": "m", "input": "x", "store": True, "truncation": "disabled", "top_p": 1.0, "metadata": {}}

    assert RESPONSES.drifting(RESPONSES.from_cassette({**body, "temperature": 0.5})) == {"temperature": 0.5}


# What is said, and goes on -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"input": "Hi"}, Spoken(last_user="Hi", messages=("Hi",))),
        ({}, Spoken()),
        ({"input": [1, {"type": "reasoning"}]}, Spoken()),
        (
            {"instructions": "Be brief.", "input": [user([{"type": "input_text", "text": "Hi"}])]},
            Spoken(last_user="Hi", system="Be brief.", messages=("Be brief.", "Hi")),
        ),
        (
            {"input": [user("a"), {"role": "assistant", "content": "b"}, CALL, CALL, RESULT]},
            Spoken(
                last_user="a",
                messages=("a", "b", "sunny"),
                turn=1,
                has_tool_result=True,
                arguments={"a": 1},
                tool_result="sunny",
            ),
        ),
    ],
    ids=["a text", "nothing", "what is said by nobody", "instructions", "a tool"],
)
def test_what_an_input_says(body: dict[str, Any], expected: Spoken) -> None:
    assert isinstance(RESPONSES, Speaking)
    assert RESPONSES.spoken(RESPONSES.from_cassette({"model": "m", **body})) == expected


def test_a_conversation_goes_on_with_calls_and_their_results() -> None:
    assert isinstance(RESPONSES, Conversational)
    calls = (ToolCall(name="f", arguments="{}", id="call_new"), ToolCall(name="g", arguments="x", kind="custom"))
    choice = Choice(content="Let me see.", tool_calls=calls, reasoning=(Reasoning("summary", "Hm."),))
    asked = RESPONSES.say({"model": "m", "input": "Hi"}, "And now?")

    body, goes_on = RESPONSES.hear(asked, TextReply(choices=(choice,)), lambda name: f"result of {name}")

    assert goes_on
    assert body["input"] == [
        user("Hi"),
        user("And now?"),
        {"role": "assistant", "content": "Let me see."},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "call_2", "name": "g", "input": "x"},
        {"type": "function_call_output", "call_id": "call_1", "output": "result of f"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": "result of g"},
    ]
