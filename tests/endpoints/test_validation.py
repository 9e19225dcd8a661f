"""What the live API refuses, in its words. Most rows were measured on the live API by one project or another."""

from typing import Any

import pytest

from replay_server.endpoints.description import request_schema
from replay_server.endpoints.validation import check
from replay_server.errors import BadRequest

MESSAGES = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def chat(**fields: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": MESSAGES, **fields}


def said(content: Any) -> dict[str, Any]:
    return chat(messages=[{"role": "user", "content": content}])


def completion(**fields: Any) -> dict[str, Any]:
    return {"model": "gpt-3.5-turbo-instruct", "prompt": "hi", **fields}


def refusal(operation_id: str, body: dict[str, Any]) -> tuple[int, str, str, str | None, str | None]:
    with pytest.raises(BadRequest) as caught:
        check(body, request_schema(operation_id))
    error = caught.value
    return error.status, error.type, error.message, error.param, error.code


MISSING = [
    ({"model": "m"}, "messages"),
    ({}, "model"),
    (chat(messages=[{"content": "hi"}]), "messages[0].role"),
    (chat(messages=[*MESSAGES, {"role": "tool", "content": "x"}]), "messages[1].tool_call_id"),
    (chat(response_format={}), "response_format.type"),
    (chat(response_format={"type": "json_schema"}), "response_format.json_schema"),
    (chat(response_format={"type": "json_schema", "json_schema": {}}), "response_format.json_schema.name"),
    (chat(functions=[{"parameters": {}}]), "functions[0].name"),
    (chat(tools=[{"type": "function"}]), "tools[0].function"),
    (chat(tools=[{"type": "function", "function": {}}]), "tools[0].function.name"),
    (chat(tools=[TOOL], tool_choice={"type": "bogus"}), "tool_choice.function"),
    (chat(tools=[TOOL], tool_choice={"type": "function", "function": {}}), "tool_choice.function.name"),
    (chat(function_call={}), "function_call.name"),
    (chat(moderation={}), "moderation.model"),
]


@pytest.mark.parametrize(("body", "param"), MISSING, ids=[param for _, param in MISSING])
def test_missing_parameter_is_named(body: dict[str, Any], param: str) -> None:
    expected = (
        400,
        "invalid_request_error",
        f"Missing required parameter: '{param}'.",
        param,
        "missing_required_parameter",
    )
    assert refusal("createChatCompletion", body) == expected


UNKNOWN = [
    (chat(q=1), "q", ""),
    (chat(zzz_unknown=None), "zzz_unknown", ""),
    (chat(reasoning={"effort": "low"}), "reasoning", ""),
    (chat(stor=1), "stor", " Did you mean 'stop' or 'store'?"),
    (chat(temperatur=1), "temperatur", " Did you mean 'temperature'?"),
    (chat(messagess=[]), "messagess", ""),
    (chat(stream_options={"bogus": 1}), "stream_options.bogus", ""),
    (chat(prompt_cache_options={"bogus": 1}), "prompt_cache_options.bogus", ""),
    (said([{"type": "file", "file": {"data": "x"}}]), "messages[0].content[0].file.data", ""),
]


@pytest.mark.parametrize(("body", "param", "hint"), UNKNOWN, ids=[param for _, param, _ in UNKNOWN])
def test_unknown_parameter_is_named(body: dict[str, Any], param: str, hint: str) -> None:
    expected = (400, "invalid_request_error", f"Unknown parameter: '{param}'.{hint}", param, "unknown_parameter")
    assert refusal("createChatCompletion", body) == expected


STRING_OR_OBJECTS = "one of a string or array of objects"
ONE_ROLE = "one of 'system', 'assistant', 'user', 'function', 'tool', or 'developer'"
MODES = "one of one of 'none', 'auto', or 'required' or object"
TYPES = [
    (chat(temperature="hot"), "temperature", "a decimal", "a string"),
    (chat(top_p={}), "top_p", "a decimal", "an object"),
    (chat(n="2"), "n", "an integer", "a string"),
    (chat(n=True), "n", "an integer", "a boolean"),
    (chat(seed=1.5), "seed", "an integer", "a decimal number"),
    (chat(max_completion_tokens="abc"), "max_completion_tokens", "an integer", "a string"),
    (chat(store="yes"), "store", "a boolean", "a string"),
    (chat(stream=1), "stream", "a boolean", "an integer"),
    (chat(user={"a": 1}), "user", "a string", "an object"),
    (chat(model=7), "model", "a string", "an integer"),
    (chat(model=None), "model", "a string", "null"),
    (chat(messages=None), "messages", "an array of objects", "null"),
    (chat(messages="ping"), "messages", "an array of objects", "a string"),
    (chat(messages=["ping"]), "messages[0]", "an object", "a string"),
    (chat(messages=[None]), "messages[0]", "an object", "null"),
    (chat(messages=[{"role": 1, "content": ""}]), "messages[0].role", ONE_ROLE, "an integer"),
    (said(7), "messages[0].content", STRING_OR_OBJECTS, "an integer"),
    (said({}), "messages[0].content", STRING_OR_OBJECTS, "an object"),
    (said(["hi"]), "messages[0].content[0]", "an object", "a string"),
    (chat(tools="none"), "tools", "an array of objects", "a string"),
    (chat(functions="x"), "functions", "an array of function definitions", "a string"),
    (chat(tool_choice=7), "tool_choice", MODES, "an integer"),
    (chat(response_format="json"), "response_format", "an object", "a string"),
    (chat(stop=5), "stop", "one of a string or array of strings", "an integer"),
    (chat(stop=[1]), "stop[0]", "a string", "an integer"),
    (chat(metadata="x"), "metadata", "a metadata object", "a string"),
    (chat(metadata={"k": 7}), "metadata.k", "a string", "an integer"),
    (chat(metadata={"k": None}), "metadata.k", "a string", "null"),
    (chat(logit_bias={"1": "x"}), "logit_bias.1", "an integer", "a string"),
    (chat(prompt_cache_retention={}), "prompt_cache_retention", "one of 'in_memory' or '24h'", "an object"),
    (chat(stream_options=[]), "stream_options", "an object", "an array"),
]


@pytest.mark.parametrize(("body", "param", "wanted", "got"), TYPES, ids=[f"{row[1]}-{row[3]}" for row in TYPES])
def test_wrong_type_names_what_was_expected(body: dict[str, Any], param: str, wanted: str, got: str) -> None:
    message = f"Invalid type for '{param}': expected {wanted}, but got {got} instead."
    assert refusal("createChatCompletion", body) == (400, "invalid_request_error", message, param, "invalid_type")


NUMBERS = [
    (chat(temperature=3), "temperature", "decimal", "above", "<= 2", "3"),
    (chat(temperature=2.5), "temperature", "decimal", "above", "<= 2", "2.5"),
    (chat(temperature=-1), "temperature", "decimal", "below", ">= 0", "-1"),
    (chat(presence_penalty=-3), "presence_penalty", "decimal", "below", ">= -2", "-3"),
    (chat(n=0), "n", "integer", "below", ">= 1", "0"),
    (chat(n=129), "n", "integer", "above", "<= 128", "129"),
    (chat(max_tokens=0), "max_tokens", "integer", "below", ">= 1", "0"),
    (chat(max_completion_tokens=0), "max_completion_tokens", "integer", "below", ">= 1", "0"),
    (chat(logprobs=True, top_logprobs=21), "top_logprobs", "integer", "above", "<= 20", "21"),
]


@pytest.mark.parametrize(("body", "param", "kind", "side", "bound", "got"), NUMBERS, ids=lambda value: str(value)[:12])
def test_number_out_of_bounds_names_the_bound(
    body: dict[str, Any], param: str, kind: str, side: str, bound: str, got: str
) -> None:
    extreme, short = {"above": ("maximum", "max"), "below": ("minimum", "min")}[side]
    message = f"Invalid '{param}': {kind} {side} {extreme} value. Expected a value {bound}, but got {got} instead."
    expected = (400, "invalid_request_error", message, param, f"{kind}_{side}_{short}_value")
    assert refusal("createChatCompletion", body) == expected


EMPTY = [
    (chat(messages=[]), "messages", "an array"),
    (chat(tools=[]), "tools", "an array"),
    (chat(messages=[{"role": "assistant", "tool_calls": []}]), "messages[0].tool_calls", "an array"),
    (chat(tools=[{"type": "function", "function": {"name": ""}}]), "tools[0].function.name", "a string"),
]


@pytest.mark.parametrize(("body", "param", "what"), EMPTY, ids=[param for _, param, _ in EMPTY])
def test_what_must_not_be_empty_is_named(body: dict[str, Any], param: str, what: str) -> None:
    kind = what.split()[1]
    message = (
        f"Invalid '{param}': empty {kind}. Expected {what} with minimum length 1, but got an empty {kind} instead."
    )
    expected = (400, "invalid_request_error", message, param, f"empty_{kind}")
    assert refusal("createChatCompletion", body) == expected


LONG_ID = {"role": "assistant", "tool_calls": [{**CALL, "id": "c" * 41}]}
LONG = [
    (chat(stop=list("abcde")), "stop", "an array", 4, 5),
    (chat(tools=[TOOL] * 129), "tools", "an array", 128, 129),
    (chat(safety_identifier="x" * 65), "safety_identifier", "a string", 64, 65),
    (chat(metadata={"k": "x" * 600}), "metadata.k", "a string", 512, 600),
    (chat(messages=[LONG_ID]), "messages[0].tool_calls[0].id", "a string", 40, 41),
]


@pytest.mark.parametrize(("body", "param", "what", "most", "got"), LONG, ids=[row[1] for row in LONG])
def test_what_is_too_long_is_named_with_its_length(
    body: dict[str, Any], param: str, what: str, most: int, got: int
) -> None:
    kind = what.split()[1]
    message = (
        f"Invalid '{param}': {kind} too long. Expected {what} with maximum length {most}, "
        f"but got {what} with length {got} instead."
    )
    expected = (400, "invalid_request_error", message, param, f"{kind}_above_max_length")
    assert refusal("createChatCompletion", body) == expected


PATTERNS = [
    (chat(tools=[{"type": "function", "function": {"name": "a.b"}}]), "tools[0].function.name", "^[a-zA-Z0-9_-]+$"),
    (chat(messages=[{"role": "user", "name": "a b", "content": ""}]), "messages[0].name", r"^[^\s<|\\/>]+$"),
]


@pytest.mark.parametrize(("body", "param", "pattern"), PATTERNS, ids=[param for _, param, _ in PATTERNS])
def test_string_that_matches_no_pattern_is_named(body: dict[str, Any], param: str, pattern: str) -> None:
    message = (
        f"Invalid '{param}': string does not match pattern. Expected a string that matches the pattern '{pattern}'."
    )
    assert refusal("createChatCompletion", body) == (400, "invalid_request_error", message, param, "invalid_value")


def test_too_many_pairs_of_metadata_are_counted() -> None:
    message = (
        "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object "
        "with 17 properties instead."
    )
    answer = refusal("createChatCompletion", chat(metadata={f"k{at}": "" for at in range(17)}))
    assert answer[2:] == (message, "metadata", "object_above_max_properties")


def test_long_metadata_key_is_shown_shortened_and_named_whole() -> None:
    message = (
        "Invalid property name in 'metadata': 'kkk...kkk' is too long. Expected a string with maximum length 64, but "
        "got a string with length 70 instead."
    )
    answer = refusal("createChatCompletion", chat(metadata={"k" * 70: "v"}))
    assert answer[2:] == (message, f"metadata.{'k' * 70}", "property_name_above_max_length")


ROLES = "'system', 'assistant', 'user', 'function', 'tool', and 'developer'"
PARTS = "'text', 'image_url', 'input_audio', 'refusal', 'audio', and 'file'"
VALUES = [
    (chat(messages=[*MESSAGES, *MESSAGES, {"role": "robot"}]), "messages[2].role", "robot", ROLES),
    (said([{"type": "image"}]), "messages[0].content[0].type", "image", PARTS),
    (
        chat(response_format={"type": "bogus"}),
        "response_format.type",
        "bogus",
        "'json_object', 'json_schema', and 'text'",
    ),
    (chat(tools=[TOOL], tool_choice="bogus"), "tool_choice", "bogus", "'none', 'auto', and 'required'"),
    (chat(tools=[{"type": "web_search"}]), "tools[0].type", "web_search", "'function' and 'custom'"),
    (chat(verbosity="bogus"), "verbosity", "bogus", "'low', 'medium', and 'high'"),
    (chat(service_tier="bogus"), "service_tier", "bogus", "'auto', 'default', 'fast', 'flex', and 'priority'"),
    (chat(verbosity="a-value-that-is-far-too-long"), "verbosity", "a-v...ong", "'low', 'medium', and 'high'"),
]


@pytest.mark.parametrize(("body", "param", "shown", "supported"), VALUES, ids=[f"{row[1]}-{row[2]}" for row in VALUES])
def test_unsupported_value_lists_the_supported(body: dict[str, Any], param: str, shown: str, supported: str) -> None:
    message = f"Invalid value: '{shown}'. Supported values are: {supported}."
    assert refusal("createChatCompletion", body) == (400, "invalid_request_error", message, param, "invalid_value")


ORDER = [
    ({"messages": None, "zzz": 1}, "model"),
    ({"model": "m", "zzz": 1}, "messages"),
    (chat(n="abc", zzz=1), "zzz"),
    (chat(n="abc", temperature=9, stop=5), "n"),
    (chat(service_tier="bogus", seed=1.5), "seed"),
    (chat(metadata={"k": 7}, n=0), "n"),
    (chat(logprobs="x", max_completion_tokens=0), "max_completion_tokens"),
    (chat(metadata={"k": 7}, messages=[7]), "messages[0]"),
    (chat(store="x", stream="y"), "stream"),
    (chat(verbosity="bogus", user=7), "user"),
]


@pytest.mark.parametrize(("body", "param"), ORDER, ids=[param for _, param in ORDER])
def test_of_two_faults_the_live_apis_first_is_told(body: dict[str, Any], param: str) -> None:
    assert refusal("createChatCompletion", body)[3] == param


PROMPT_FORMS = "one of a string, array of strings, array of integers, or array of integer arrays"
COMPLETIONS = [
    (
        completion(prompt={}),
        f"Invalid type for 'prompt': expected {PROMPT_FORMS}, but got an object instead.",
        "prompt",
    ),
    (
        completion(prompt=["x", 1]),
        "Invalid type for 'prompt[1]': expected a string, but got an integer instead.",
        "prompt[1]",
    ),
    (
        completion(prompt=[[1], ["x"]]),
        "Invalid type for 'prompt[1][0]': expected an integer, but got a string instead.",
        "prompt[1][0]",
    ),
    (
        completion(logprobs=6),
        "Invalid 'logprobs': integer above maximum value. Expected a value <= 5, but got 6 instead.",
        "logprobs",
    ),
    (completion(messages=[]), "Unknown parameter: 'messages'.", "messages"),
]


@pytest.mark.parametrize(("body", "message", "param"), COMPLETIONS, ids=[row[2] for row in COMPLETIONS])
def test_completions_are_refused_by_their_own_schema(body: dict[str, Any], message: str, param: str) -> None:
    assert refusal("createCompletion", body)[2:4] == (message, param)
