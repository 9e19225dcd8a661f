"""What the live chat API refuses though each field is right by itself."""

from collections.abc import Iterator
from typing import cast

from replay_server.errors import BadRequest
from replay_server.interaction import Json, JsonObject

Message = dict[str, Json]

_NEEDS_TOOLS = (("tool_choice", "tools"), ("parallel_tool_calls", "tools"), ("function_call", "functions"))
_INSTEAD_OF_CONTENT = ("tool_calls", "function_call", "refusal", "audio")


def check_chat(body: JsonObject) -> None:
    """Raise the BadRequest that the live API answers with, if fields do not go together.

    The body has passed `validation.check`: every field has its type.
    """
    messages = cast("list[Message]", body["messages"])
    _check_contents(messages)
    _check_tool_messages(messages)
    _check_tool_choice(body)
    _check_lengths(body)
    _check_companions(body)
    _check_json_mode(body, messages)


def _check_contents(messages: list[Message]) -> None:
    for index, message in enumerate(messages):
        stands_in = message["role"] == "assistant" and any(message.get(name) for name in _INSTEAD_OF_CONTENT)
        # The older `function` role is the one whose content may be null.
        if message.get("content") is None and not stands_in and message["role"] != "function":
            raise BadRequest(
                "Invalid value for 'content': expected a string, got null.", param=f"messages.[{index}].content"
            )


# Tool calls and the messages that answer them ------------------------------------------------------------------------


def _check_tool_messages(messages: list[Message]) -> None:
    """Each call is answered by a tool message, all of them directly behind the assistant's message."""
    open_calls: dict[str, None] = {}
    all_calls: set[str] = set()
    asked_at = 0
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            _check_answer(message, index, all_calls)
            open_calls.pop(str(message["tool_call_id"]), None)
            continue
        _check_all_answered(open_calls, asked_at)
        open_calls = dict.fromkeys(_call_ids(message))
        all_calls, asked_at = set(open_calls), index
    _check_all_answered(open_calls, asked_at)


def _call_ids(message: Message) -> list[str]:
    calls = cast("list[dict[str, str]]", message.get("tool_calls") or [])
    return [call["id"] for call in calls]


def _check_answer(message: Message, index: int, calls: set[str]) -> None:
    if not calls:
        raise BadRequest(
            # "preceeding" is how the API spells it.
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
            "'tool_calls'.",
            param=f"messages.[{index}].role",
        )
    if message["tool_call_id"] not in calls:
        raise BadRequest(
            f"Invalid parameter: 'tool_call_id' of '{message['tool_call_id']}' not found in 'tool_calls' of previous "
            "message.",
            param=f"messages.[{index}].tool_call_id",
        )


def _check_all_answered(open_calls: dict[str, None], asked_at: int) -> None:
    if open_calls:
        raise BadRequest(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(open_calls)}",
            param=f"messages.[{asked_at}].role",
        )


# Which tool ----------------------------------------------------------------------------------------------------------


def _check_tool_choice(body: JsonObject) -> None:
    for field, needed in _NEEDS_TOOLS:
        if body.get(field) is not None and not body.get(needed):
            raise BadRequest(
                f"Invalid value for '{field}': '{field}' is only allowed when '{needed}' are specified.", param=field
            )
    chosen = _chosen_function(body)
    if chosen is not None and chosen not in _functions(body):
        # The API says so of a tool_choice too: it has turned it into the older function_call by then.
        raise BadRequest(
            f"Invalid value for 'function_call': no function named '{chosen}' was specified in the 'functions' "
            "parameter.",
            param="function_call",
        )


def _chosen_function(body: JsonObject) -> str | None:
    choice, call = body.get("tool_choice"), body.get("function_call")
    if isinstance(choice, dict) and isinstance(function := choice.get("function"), dict):
        return str(function["name"])
    return str(call["name"]) if isinstance(call, dict) else None


def _functions(body: JsonObject) -> set[str]:
    tools = cast("list[dict[str, dict[str, str]]]", body.get("tools") or [])
    functions = cast("list[dict[str, str]]", body.get("functions") or [])
    return {tool["function"]["name"] for tool in tools if "function" in tool} | {each["name"] for each in functions}


# Fields that need, or exclude, another -------------------------------------------------------------------------------


def _check_lengths(body: JsonObject) -> None:
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        raise BadRequest(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            param="max_tokens",
            code="invalid_parameter_combination",
        )


def _check_companions(body: JsonObject) -> None:
    for field, switch in (("top_logprobs", "logprobs"), ("stream_options", "stream")):
        check_switch(body, field, switch)


def check_switch(body: JsonObject, field: str, switch: str) -> None:
    """Refuse `field` where `switch` is off."""
    if body.get(field) is not None and not body.get(switch):
        raise BadRequest(f"The '{field}' parameter is only allowed when '{switch}' is enabled.", param=field)


def _check_json_mode(body: JsonObject, messages: list[Message]) -> None:
    form = body.get("response_format")
    asked = isinstance(form, dict) and form.get("type") == "json_object"
    if asked and not any("json" in text.lower() for message in messages for text in _texts(message)):
        raise BadRequest(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
            param="messages",
        )


def _texts(message: Message) -> Iterator[str]:
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"text": content}]
    return (str(part["text"]) for part in parts if isinstance(part, dict) and part.get("text"))
