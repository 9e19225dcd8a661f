"""When two answers are the same: when they agree in all but what is new with every call.

Then a file stays as it is, so that recording again with nothing new is an empty diff.
"""

from collections.abc import Mapping
from dataclasses import replace

from replay_server.cassettes.sse import json_chunks
from replay_server.endpoints.base import BadField, Binary, Resource
from replay_server.interaction import Choice, ErrorReply, Json, Recorded, Reply, Response, TextReply
from replay_server.keys import canonical_json

PER_CALL = frozenset(
    {"id", "created", "created_at", "completed_at", "system_fingerprint", "obfuscation", "cached_tokens", "item_id"}
)
"""Members of an answer that are new with every call."""


def same_answer(resource: Resource, left: Response, right: Response) -> bool:
    """Whether two responses say the same."""
    if isinstance(left, Recorded) and isinstance(right, Recorded):
        return left.status == right.status and _said(resource, left) == _said(resource, right)
    if isinstance(left, Recorded) or isinstance(right, Recorded):
        return False
    return left == right


def neutral_reply(resource: Resource, response: Response) -> Reply:
    """What a response says, however it is kept. Raises BadField for an error and for what cannot be read."""
    if isinstance(response, ErrorReply):
        raise BadField((), f"is an error: {response.message}")
    if not isinstance(response, Recorded):
        return response
    if response.frames:
        return resource.read_stream(list(json_chunks(response.body)))
    if response.content is None and isinstance(resource, Binary):
        return resource.read_bytes(response.body)
    return resource.read_body(response.content)


def _said(resource: Resource, recorded: Recorded) -> object:
    if not recorded.frames:
        return recorded.body if recorded.content is None else canonical_json(lasting(recorded.content))
    try:
        return _lasting_reply(neutral_reply(resource, recorded))
    except BadField:
        chunks = [lasting(chunk) for chunk in json_chunks(recorded.body)]
        return canonical_json(chunks) if chunks else recorded.body


def lasting(value: Json) -> Json:
    """A value without what is new with every call."""
    if isinstance(value, list):
        return [lasting(item) for item in value]
    if isinstance(value, Mapping):
        return {name: lasting(member) for name, member in value.items() if name not in PER_CALL}
    return value


def _lasting_reply(reply: Reply) -> Reply:
    if not isinstance(reply, TextReply):
        return reply
    usage = reply.usage and replace(reply.usage, cached_tokens=0)
    choices = tuple(map(_lasting_choice, reply.choices))
    return replace(reply, id=None, created=None, system_fingerprint=None, usage=usage, choices=choices)


def _lasting_choice(choice: Choice) -> Choice:
    calls = tuple(replace(call, id=None, deltas=None) for call in choice.tool_calls)
    legacy = choice.function_call and replace(choice.function_call, deltas=None)
    reasoning = tuple(replace(part, deltas=None) for part in choice.reasoning)
    return replace(choice, deltas=None, tool_calls=calls, function_call=legacy, reasoning=reasoning)
