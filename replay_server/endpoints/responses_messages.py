"""The input of the Responses API as messages, as chat has them, for all that asks who said what."""

from collections.abc import Iterable

from replay_server.interaction import Json, JsonObject

Message = dict[str, Json]

_CALLS = ("function_call", "custom_tool_call")
_RESULTS = ("function_call_output", "custom_tool_call_output")


def as_messages(body: JsonObject) -> list[Message]:
    """The instructions and the input as messages. What the assistant said and called in one go is one of them."""
    messages: list[Message] = []
    if isinstance(instructions := body.get("instructions"), str) and instructions:
        messages.append({"role": "system", "content": instructions})
    for item in input_items(body):
        message = _as_message(item)
        if message is not None and not _joined(messages, message):
            messages.append(message)
    return messages


def input_items(body: JsonObject) -> list[JsonObject]:
    """The items of the input; a text is what the user says."""
    value = body.get("input")
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    items: Iterable[Json] = value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, dict)]


def is_result(item: JsonObject) -> bool:
    """Whether an item is what a tool of the client gave."""
    return item.get("type") in _RESULTS


def is_call(item: JsonObject) -> bool:
    """Whether an item calls a tool of the client."""
    return item.get("type") in _CALLS


def _as_message(item: JsonObject) -> Message | None:
    if is_call(item):
        called: Message = {"name": item.get("name"), "arguments": item.get("arguments", item.get("input"))}
        return {"role": "assistant", "content": None, "tool_calls": [{"function": called}]}
    if is_result(item):
        return {"role": "tool", "content": item.get("output")}
    if item.get("type", "message") == "message":
        return {"role": item.get("role"), "content": item.get("content")}
    return None


def _joined(messages: list[Message], message: Message) -> bool:
    """Whether a call could be put to what the assistant said just before it."""
    last = messages[-1] if messages else {}
    calls, more = last.get("tool_calls", []), message.get("tool_calls")
    if last.get("role") != "assistant" or not isinstance(more, list) or not isinstance(calls, list):
        return False
    last["tool_calls"] = [*calls, *more]
    return True
