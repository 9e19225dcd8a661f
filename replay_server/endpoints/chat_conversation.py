"""A conversation as chat messages: what the user says next, what the model said, what its tools gave."""

from replay_server.endpoints.base import BadField, ToolResults
from replay_server.interaction import Choice, Json, JsonObject, TextReply, ToolCall


def say(body: JsonObject, text: str) -> JsonObject:
    """The request in which the user says something more."""
    return {**body, "messages": [*_messages(body), {"role": "user", "content": text}]}


def hear(body: JsonObject, reply: TextReply, results: ToolResults) -> tuple[JsonObject, bool]:
    """The request with the first choice and its tool results in it. Raises BadField for a tool without a result."""
    if not reply.choices:
        raise BadField((), "has no choices, so the conversation cannot go on")
    messages, choice = _messages(body), reply.choices[0]
    calls = numbered_calls(choice.tool_calls, sum(map(_is_result, messages)))
    heard: list[Json] = [*messages, _assistant(choice, calls)]
    heard += [_result(call_id, call, results) for call_id, call in calls]
    return {**body, "messages": heard}, bool(calls)


def _messages(body: JsonObject) -> list[Json]:
    messages = body.get("messages")
    return messages if isinstance(messages, list) else []


def _is_result(message: Json) -> bool:
    return isinstance(message, dict) and message.get("role") == "tool"


def numbered_calls(calls: tuple[ToolCall, ...], before: int) -> list[tuple[str, ToolCall]]:
    """The calls with ids of our own: those of an upstream are new each time, and would change every later request.

    `before` are the calls that have had their results.
    """
    return [(f"call_{before + at}", call) for at, call in enumerate(calls, 1)]


def _assistant(choice: Choice, calls: list[tuple[str, ToolCall]]) -> dict[str, Json]:
    message: dict[str, Json] = {"role": "assistant"}
    if choice.content is not None:
        message["content"] = choice.content
    if choice.refusal is not None:
        message["refusal"] = choice.refusal
    if calls:
        message["tool_calls"] = [_call(call_id, call) for call_id, call in calls]
    return message


def _call(call_id: str, call: ToolCall) -> dict[str, Json]:
    text = "arguments" if call.kind == "function" else "input"
    return {"id": call_id, "type": call.kind, call.kind: {"name": call.name, text: call.arguments}}


def _result(call_id: str, call: ToolCall, results: ToolResults) -> dict[str, Json]:
    content = results(call.name)
    if content is None:
        raise BadField(("tool_results", call.name), "has no result for this call: add one")
    return {"role": "tool", "tool_call_id": call_id, "content": content}
