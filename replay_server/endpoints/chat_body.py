"""Reading a recorded `chat.completion` as a neutral reply, so that it can be streamed."""

from replay_server.endpoints.base import BadField
from replay_server.endpoints.short_form import items, optional
from replay_server.interaction import Choice, Json, JsonObject, TextReply, TokenLogprob, ToolCall, Usage


def read_chat_body(body: Json) -> TextReply:
    """The reply that a wire answer holds. Raises BadField where it is no chat completion."""
    if not isinstance(body, dict) or not isinstance(body.get("choices"), list):
        raise BadField((), "is no chat completion: it has no list of choices")
    return TextReply(
        choices=tuple(_choice(choice) for choice in items(body, "choices", dict)),
        usage=read_usage(body.get("usage")),
        id=optional(body, "id", str),
        created=optional(body, "created", int),
        model=optional(body, "model", str),
        system_fingerprint=optional(body, "system_fingerprint", str),
        service_tier=optional(body, "service_tier", str),
    )


def read_usage(value: Json) -> Usage | None:
    """The tokens counted, None where the answer does not say."""
    if not isinstance(value, dict):
        return None
    return Usage(
        prompt_tokens=optional(value, "prompt_tokens", int) or 0,
        completion_tokens=optional(value, "completion_tokens", int) or 0,
        cached_tokens=optional(_mapping(value.get("prompt_tokens_details")), "cached_tokens", int) or 0,
        reasoning_tokens=optional(_mapping(value.get("completion_tokens_details")), "reasoning_tokens", int) or 0,
    )


def _choice(choice: JsonObject) -> Choice:
    message = _mapping(choice.get("message"))
    logprobs = _mapping(choice.get("logprobs"))
    return Choice(
        content=optional(message, "content", str),
        tool_calls=tuple(_tool_call(call) for call in items(message, "tool_calls", dict)),
        refusal=optional(message, "refusal", str),
        finish_reason=optional(choice, "finish_reason", str),
        logprobs=read_logprobs(logprobs) or None,
        annotations=items(message, "annotations", dict),
    )


def _tool_call(call: JsonObject) -> ToolCall:
    kind = "custom" if "custom" in call else "function"
    called = _mapping(call.get(kind))
    return ToolCall(
        name=optional(called, "name", str) or "",
        arguments=optional(called, "arguments" if kind == "function" else "input", str) or "",
        id=optional(call, "id", str),
        kind=kind,
    )


def read_logprobs(logprobs: JsonObject) -> tuple[TokenLogprob, ...]:
    """The tokens of a choice's `logprobs`."""
    return tuple(
        TokenLogprob(*_token(entry), top=tuple(_token(top) for top in items(entry, "top_logprobs", dict)))
        for entry in items(logprobs, "content", dict)
    )


def _token(entry: JsonObject) -> tuple[str, float]:
    logprob = entry.get("logprob")
    return optional(entry, "token", str) or "", float(logprob) if isinstance(logprob, int | float) else 0.0


def _mapping(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
