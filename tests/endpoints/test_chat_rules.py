"""What the live API refuses though each field is right by itself."""

from typing import Any

import pytest

from replay_server.endpoints.chat_rules import check_chat
from replay_server.endpoints.completion_rules import check_completion
from replay_server.errors import BadRequest

USER = {"role": "user", "content": "Weather?"}
TOOL = {"type": "function", "function": {"name": "f"}}
NO_CONTENT = "Invalid value for 'content': expected a string, got null."
NO_FUNCTION = "Invalid value for 'function_call': no function named 'g' was specified in the 'functions' parameter."
NOT_A_RESPONSE = (
    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
)
UNANSWERED = (
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
    "The following tool_call_ids did not have response messages: "
)


def calls(*ids: str) -> dict[str, Any]:
    return {
        "role": "assistant",
        "tool_calls": [{"id": call, "type": "function", "function": {"name": "f"}} for call in ids],
    }


def result(call: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call, "content": "sunny"}


def chat(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": list(messages) or [USER], **fields}


REFUSED = {
    "content missing": (chat({"role": "user"}), NO_CONTENT, "messages.[0].content", None),
    "content null": (chat(USER, {"role": "assistant", "content": None}), NO_CONTENT, "messages.[1].content", None),
    "a user's refusal is no content": (
        chat({"role": "user", "refusal": "no"}),
        NO_CONTENT,
        "messages.[0].content",
        None,
    ),
    "tool message alone": (chat(USER, result("a")), NOT_A_RESPONSE, "messages.[1].role", None),
    "tool message too late": (
        chat(calls("a"), result("a"), USER, result("a")),
        NOT_A_RESPONSE,
        "messages.[3].role",
        None,
    ),
    "tool message for another call": (
        chat(USER, calls("a"), result("b")),
        "Invalid parameter: 'tool_call_id' of 'b' not found in 'tool_calls' of previous message.",
        "messages.[2].tool_call_id",
        None,
    ),
    "calls unanswered at the end": (chat(USER, calls("a", "b")), UNANSWERED + "a, b", "messages.[1].role", None),
    "call unanswered": (chat(calls("a", "b"), result("a"), USER), UNANSWERED + "b", "messages.[0].role", None),
    "tool_choice without tools": (
        chat(tool_choice="auto"),
        "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
        "tool_choice",
        None,
    ),
    "parallel_tool_calls without tools": (
        chat(parallel_tool_calls=False),
        "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.",
        "parallel_tool_calls",
        None,
    ),
    "function_call without functions": (
        chat(function_call="auto"),
        "Invalid value for 'function_call': 'function_call' is only allowed when 'functions' are specified.",
        "function_call",
        None,
    ),
    "unknown tool": (
        chat(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "g"}}),
        NO_FUNCTION,
        "function_call",
        None,
    ),
    "unknown function": (
        chat(functions=[{"name": "f"}], function_call={"name": "g"}),
        NO_FUNCTION,
        "function_call",
        None,
    ),
    "top_logprobs without logprobs": (
        chat(top_logprobs=2),
        "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
        "top_logprobs",
        None,
    ),
    "stream_options without stream": (
        chat(stream=False, stream_options={"include_usage": True}),
        "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        "stream_options",
        None,
    ),
    "two token limits": (
        chat(max_tokens=1, max_completion_tokens=1),
        "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
        "max_tokens",
        "invalid_parameter_combination",
    ),
    "json mode without the word": (
        chat(response_format={"type": "json_object"}),
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        "messages",
        None,
    ),
}


@pytest.mark.parametrize(("body", "message", "param", "code"), REFUSED.values(), ids=REFUSED)
def test_fields_that_do_not_go_together_are_refused(
    body: dict[str, Any], message: str, param: str, code: str | None
) -> None:
    with pytest.raises(BadRequest) as caught:
        check_chat(body)
    error = caught.value
    assert (error.status, error.message, error.param, error.code) == (400, message, param, code)


ACCEPTED = {
    "plain": chat(),
    "tool round": chat(USER, calls("a", "b"), result("b"), result("a"), USER),
    "two rounds": chat(calls("a"), result("a"), calls("a"), result("a")),
    "refusal in place of content": chat(USER, {"role": "assistant", "refusal": "no"}, USER),
    "function message": chat({"role": "function", "name": "f", "content": None}),
    "empty content": chat({"role": "user", "content": ""}),
    "named tool": chat(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "f"}}),
    "named custom tool": chat(
        tools=[{"type": "custom", "custom": {"name": "g"}}], tool_choice={"type": "custom", "custom": {"name": "g"}}
    ),
    "nulls": chat(tool_choice=None, top_logprobs=None, stream_options=None, max_tokens=None, max_completion_tokens=3),
    "json in a part": chat(
        {"role": "user", "content": [{"type": "text", "text": "As JSON, please"}]},
        response_format={"type": "json_object"},
    ),
    "logprobs": chat(logprobs=True, top_logprobs=0, stream=True, stream_options={}),
}


@pytest.mark.parametrize("body", ACCEPTED.values(), ids=ACCEPTED)
def test_fields_that_go_together_are_taken(body: dict[str, Any]) -> None:
    check_chat(body)


BEST_OF = (
    "You requested that the server return more choices than it will generate (HINT: you must set 'n' (currently 3) to "
    "be at most 'best_of' (currently 2), or omit either parameter if you don't specifically want to use them.)"
)
COMPLETIONS = {
    "best_of below n": ({"prompt": "x", "n": 3, "best_of": 2}, BEST_OF, None, None),
    "no prompt at all": (
        {"prompt": []},
        "Invalid 'prompt': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        "prompt",
        "empty_array",
    ),
    "stream_options": (
        {"prompt": "x", "stream_options": {}},
        "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        "stream_options",
        None,
    ),
}


@pytest.mark.parametrize(("body", "message", "param", "code"), COMPLETIONS.values(), ids=COMPLETIONS)
def test_completion_fields_that_do_not_go_together_are_refused(
    body: dict[str, Any], message: str, param: str | None, code: str | None
) -> None:
    with pytest.raises(BadRequest) as caught:
        check_completion(body)
    error = caught.value
    assert (error.status, error.message, error.param, error.code) == (400, message, param, code)


def test_best_of_alone_or_large_enough_is_taken() -> None:
    check_completion({"prompt": "x", "best_of": 1})
    check_completion({"prompt": "x", "n": 2, "best_of": 2, "stream": True, "stream_options": {}})
