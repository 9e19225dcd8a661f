"""A conversation as input of the Responses API: what the user says next, what the model said, what tools gave."""

from replay_server.endpoints.base import BadField, ToolResults
from replay_server.endpoints.chat_conversation import numbered_calls
from replay_server.endpoints.responses_hosted import short_items
from replay_server.endpoints.responses_messages import input_items, is_result
from replay_server.interaction import Choice, Json, JsonObject, TextReply, ToolCall, ToolUse


def say(body: JsonObject, text: str) -> JsonObject:
    """The request in which the user says something more."""
    return {**body, "input": [*_input(body), {"role": "user", "content": text}]}


def hear(body: JsonObject, reply: TextReply, results: ToolResults) -> tuple[JsonObject, bool]:
    """The request with the answer and its tool results in it. Raises BadField for a tool without a result.

    Thoughts are left out: they are not part of a key, and the API would want them beside what followed them.
    """
    choice, said = reply.choices[0], _input(body)
    calls = numbered_calls(choice.tool_calls, sum(is_result(item) for item in input_items(body)))
    heard: list[Json] = [*said, *_done(choice), *_message(choice)]
    heard += [_call(call_id, call) for call_id, call in calls]
    heard += [_result(call_id, call, results) for call_id, call in calls]
    return {**body, "input": heard}, bool(calls)


def _input(body: JsonObject) -> list[Json]:
    return [dict(item) for item in input_items(body)]


def _done(choice: Choice) -> list[Json]:
    return [
        dict(item) for each in choice.items for item in (short_items(each) if isinstance(each, ToolUse) else (each,))
    ]


def _message(choice: Choice) -> list[Json]:
    said = choice.content or choice.refusal
    return [{"role": "assistant", "content": said}] if said else []


def _call(call_id: str, call: ToolCall) -> Json:
    if call.kind == "custom":
        return {"type": "custom_tool_call", "call_id": call_id, "name": call.name, "input": call.arguments}
    return {"type": "function_call", "call_id": call_id, "name": call.name, "arguments": call.arguments}


def _result(call_id: str, call: ToolCall, results: ToolResults) -> Json:
    output = results(call.name)
    if output is None:
        raise BadField(("tool_results", call.name), "has no result for this call: add one")
    kind = "custom_tool_call_output" if call.kind == "custom" else "function_call_output"
    return {"type": kind, "call_id": call_id, "output": output}
