"""Writing replies in the short form: the way back of `short_form`."""

import orjson

from replay_server.interaction import Choice, Json, JsonObject, TextReply, ToolCall


def write_text_reply(reply: TextReply) -> JsonObject:
    """The short form of a reply: what its author must say, not what `complete` fills in again."""
    if len(reply.choices) == 1:
        return _choice(reply.choices[0])
    return {"choices": [_choice(choice) for choice in reply.choices]}


def _choice(choice: Choice) -> dict[str, Json]:
    fields: dict[str, Json] = {}
    if choice.content is not None or not (choice.tool_calls or choice.refusal):
        fields["content"] = choice.content or ""
    if choice.refusal is not None:
        fields["refusal"] = choice.refusal
    if choice.tool_calls:
        fields["tool_calls"] = [_tool_call(call) for call in choice.tool_calls]
    if choice.finish_reason not in (None, "tool_calls" if choice.tool_calls else "stop"):
        fields["finish_reason"] = choice.finish_reason
    if choice.annotations:
        fields["annotations"] = [dict(annotation) for annotation in choice.annotations]
    return fields


def _tool_call(call: ToolCall) -> dict[str, Json]:
    if call.kind == "custom":
        return {"name": call.name, "input": call.arguments}
    return {"name": call.name, "arguments": _arguments(call.arguments)}


def _arguments(text: str) -> Json:
    """Arguments as YAML where that reads back as the same text, else the text."""
    try:
        value: Json = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return value if isinstance(value, dict) and orjson.dumps(value).decode() == text else text
