"""Reading a recorded response, whole or as events, as a neutral reply: what is said in it, and the object itself."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import orjson

from replay_server.endpoints.base import BadField
from replay_server.endpoints.chat_body import read_logprobs
from replay_server.endpoints.responses_messages import is_call
from replay_server.endpoints.responses_object import is_under_way
from replay_server.endpoints.short_form import items, optional
from replay_server.interaction import Choice, Json, JsonObject, Reasoning, TextReply, ToolCall, Usage

SUMMARY = "summary"
"""The name of reasoning that a response tells: each part of a summary is one."""

_LAST_EVENTS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")
_FINISH_REASONS = {"max_output_tokens": "length", "content_filter": "content_filter"}
_SAID = ("message", "reasoning")


def read_response_body(body: Json) -> TextReply:
    """The reply that a wire answer holds. Raises BadField where it is no response, or one that is not there yet."""
    if not isinstance(body, dict) or not isinstance(body.get("output"), list):
        raise BadField((), "is no response: it has no output")
    if is_under_way(body):
        raise BadField((), f"is {body['status']}: what it is to say comes later")
    return TextReply(
        choices=(_choice(body),),
        usage=_usage(optional(body, "usage", dict)),
        id=optional(body, "id", str),
        model=optional(body, "model", str),
        service_tier=optional(body, "service_tier", str),
        body=body,
    )


def read_response_stream(chunks: Sequence[Json]) -> TextReply:
    """The reply that the events are of. Raises BadField where they do not come to an end, or tell of an error."""
    events = [chunk for chunk in chunks if isinstance(chunk, dict)]
    for event in events:
        if event.get("type") == "error":
            raise BadField((), f"tells of an error: {orjson.dumps(event).decode()}")
    last = next((event for event in reversed(events) if event.get("type") in _LAST_EVENTS), None)
    if last is None:
        raise BadField((), "has no event with the whole response")
    return _cut(read_response_body(_whole(last, events)), events)


def is_last_event(kind: Json) -> bool:
    """Whether an event of this type ends a stream that came whole."""
    return kind in _LAST_EVENTS


def _whole(last: JsonObject, events: Iterable[JsonObject]) -> Json:
    """The response of the last event; some servers leave its output to the events before it."""
    response = last.get("response")
    if not isinstance(response, dict) or response.get("output"):
        return response
    done = [event.get("item") for event in events if event.get("type") == "response.output_item.done"]
    return {**response, "output": done}


# What is said --------------------------------------------------------------------------------------------------------


def _choice(body: JsonObject) -> Choice:
    output = items(body, "output", dict)
    parts = [part for item in output if item.get("type") == "message" for part in items(item, "content", dict)]
    texts = [text for part in parts if (text := optional(part, "text", str)) is not None]
    refusals = [refusal for part in parts if (refusal := optional(part, "refusal", str)) is not None]
    logprobs = [entry for part in parts for entry in read_logprobs({"content": part.get("logprobs")})]
    return Choice(
        content="".join(texts) if texts else None,
        refusal="".join(refusals) if refusals else None,
        tool_calls=tuple(_call(item) for item in output if is_call(item)),
        finish_reason=_finish_reason(body),
        logprobs=tuple(logprobs) or None,
        annotations=tuple(note for part in parts for note in items(part, "annotations", dict)),
        reasoning=tuple(_reasoning(output)),
        items=tuple(item for item in output if not is_call(item) and item.get("type") not in _SAID),
    )


def _call(item: JsonObject) -> ToolCall:
    is_function = item.get("type") == "function_call"
    return ToolCall(
        name=optional(item, "name", str) or "",
        arguments=optional(item, "arguments" if is_function else "input", str) or "",
        id=optional(item, "call_id", str),
        kind="function" if is_function else "custom",
    )


def _reasoning(output: Iterable[JsonObject]) -> Iterator[Reasoning]:
    """The parts of a summary, and of thoughts told whole, as models with open weights do."""
    for item in output:
        if item.get("type") == "reasoning":
            for part in (*items(item, "summary", dict), *items(item, "content", dict)):
                yield Reasoning(SUMMARY, optional(part, "text", str) or "")


def _finish_reason(body: JsonObject) -> str | None:
    details = optional(body, "incomplete_details", dict) or {}
    return _FINISH_REASONS.get(str(details.get("reason")))


def _usage(usage: JsonObject | None) -> Usage | None:
    if usage is None:
        return None
    asked, said = (optional(usage, f"{side}_tokens_details", dict) or {} for side in ("input", "output"))
    return Usage(
        prompt_tokens=optional(usage, "input_tokens", int) or 0,
        completion_tokens=optional(usage, "output_tokens", int) or 0,
        cached_tokens=optional(asked, "cached_tokens", int) or 0,
        reasoning_tokens=optional(said, "reasoning_tokens", int) or 0,
    )


# Where a stream cut it -----------------------------------------------------------------------------------------------

_TEXT_DELTAS = ("response.output_text.delta", "response.refusal.delta")


def _cut(reply: TextReply, events: Sequence[JsonObject]) -> TextReply:
    """The reply, its text cut where the events cut it."""
    deltas = tuple(
        delta for event in events if event.get("type") in _TEXT_DELTAS and (delta := optional(event, "delta", str))
    )
    return replace(reply, choices=tuple(replace(choice, deltas=deltas or None) for choice in reply.choices))
