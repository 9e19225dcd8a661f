"""Reading a recorded `chat.completion` as a neutral reply, so that it can be streamed."""

from replay_server.endpoints.short_form import items, optional
from replay_server.endpoints.text_reading import read_text_body
from replay_server.interaction import Choice, Json, JsonObject, Reasoning, TextReply, TokenLogprob, ToolCall

REASONING = ("reasoning_content", "reasoning")
"""The fields in which servers other than OpenAI's show it: DeepSeek and vLLM the first, OpenRouter the second."""


def read_chat_body(body: Json) -> TextReply:
    """The reply that a wire answer holds. Raises BadField where it is no chat completion."""
    return read_text_body(body, "chat completion", _choice)


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
        function_call=_tool_call({"function": legacy}) if (legacy := message.get("function_call")) else None,
        reasoning=tuple(Reasoning(name, text) for name in REASONING if (text := optional(message, name, str))),
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
