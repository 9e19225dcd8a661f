"""What a new answer says otherwise than the recorded one: text, tool calls, why it ended, and which fields there are.

Numbers of tokens, ids and times are new with every call and tell nothing; nor does it matter where a stream is cut.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from replay_server.cassettes.sameness import lasting, neutral_reply
from replay_server.cassettes.sse import json_chunks
from replay_server.endpoints.base import BadField, Resource
from replay_server.interaction import (
    Choice,
    ErrorReply,
    Json,
    ModelsReply,
    Recorded,
    Reply,
    Response,
    TextReply,
    ToolCall,
)
from replay_server.keys import Difference, canonical_json, explain, normalise_arguments
from replay_server.record.shape_diff import shape_changes
from replay_server.record.value_diff import body_changes

_FIELD_OF_A_CHOICE = re.compile(r"(?:choices\[\d+\]\.)?(\w+)")


def semantic_diff(resource: Resource, old: Response, new: Response) -> list[Difference]:
    """The places where two answers to one request differ, the recorded one left. None: they say the same."""
    old, new = _as_answer(old), _as_answer(new)
    heads = list(explain(_head(old, new), _head(new, old)))
    ours, theirs = _reply(resource, old), _reply(resource, new)
    if ours is not None and theirs is not None:
        said = list(explain(_said(ours), _said(theirs)))
        return [*heads, *said, *_fields_changed(old, new, said)]
    if not (isinstance(old, Recorded) and isinstance(new, Recorded)) or any(_decides(change) for change in heads):
        return heads
    return [*heads, *body_changes(old, new)]


def _decides(change: Difference) -> bool:
    """Whether all else is another answer for that reason."""
    return change.path in ("status", "mode")


def _as_answer(response: Response) -> Response:
    """A response with an error as the answer that a client gets."""
    if not isinstance(response, ErrorReply):
        return response
    error: dict[str, Json] = {
        "message": response.message,
        "type": response.type,
        "param": response.param,
        "code": response.code,
    }
    content: Json = {"error": error}
    return Recorded(status=response.status, body=canonical_json(content), content=content, headers=response.headers)


def _head(answer: Response, other: Response) -> dict[str, Json]:
    """Status, mode and content type, where both are kept as they came."""
    if not (isinstance(answer, Recorded) and isinstance(other, Recorded)):
        return {}
    head: dict[str, Json] = {"status": answer.status, "mode": "stream" if answer.frames else "plain"}
    alike = bool(answer.frames) == bool(other.frames) and answer.status == other.status
    return {**head, "content-type": content_type(answer)} if alike else head


def content_type(answer: Recorded) -> str:
    """What kind of answer it is, without parameters; a cassette leaves out what is usual."""
    usual = "text/event-stream" if answer.frames else "application/json"
    return answer.headers.get("content-type", usual).partition(";")[0].strip().lower()


def _reply(resource: Resource, answer: Response) -> Reply | None:
    """What an answer says; None for an error, and where nobody can tell."""
    if isinstance(answer, Recorded) and answer.status >= 400:
        return None
    try:
        return neutral_reply(resource, answer)
    except BadField:
        return None


# What is said --------------------------------------------------------------------------------------------------------


def _said(reply: Reply) -> dict[str, Json]:
    if isinstance(reply, ModelsReply):
        return {"models": dict.fromkeys(reply.models, "listed")}
    if not isinstance(reply, TextReply):
        raise TypeError(reply)
    choices: list[Json] = [_said_in(choice) for choice in reply.choices]
    envelope = _given({"model": reply.model, "service_tier": reply.service_tier})
    only = choices[0] if len(choices) == 1 else None
    return {**envelope, **(only if isinstance(only, dict) else {"choices": choices})}


def _said_in(choice: Choice) -> dict[str, Json]:
    return _given(
        {
            "content": choice.content or None,
            "refusal": choice.refusal or None,
            "tool_calls": [_called(call) for call in choice.tool_calls] or None,
            "finish_reason": choice.finish_reason,
            "annotations": [lasting(dict(each)) for each in choice.annotations] or None,
        }
    )


def _called(call: ToolCall) -> Json:
    if call.kind != "function":
        return {"name": call.name, "input": call.arguments}
    return {"name": call.name, "arguments": normalise_arguments(call.arguments)}


def _given(fields: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in fields.items() if value is not None}


# Which fields there are ----------------------------------------------------------------------------------------------


def _fields_changed(old: Response, new: Response, said: Sequence[Difference]) -> Iterator[Difference]:
    """Fields that are new or gone, but for those of which their values have told already."""
    if not (isinstance(old, Recorded) and isinstance(new, Recorded)) or bool(old.frames) != bool(new.frames):
        return
    told = {match[1] for change in said if (match := _FIELD_OF_A_CHOICE.match(change.path))}
    if "content" in told:
        told.add("text")  # as a legacy completion calls it
    for change in shape_changes(_bodies(old), _bodies(new)):
        if change.path.rpartition(".")[2] not in told:
            yield change


def _bodies(answer: Recorded) -> list[Json]:
    return list(json_chunks(answer.body)) if answer.frames else [answer.content]
