"""Reading the chunks of a recorded chat stream as a neutral reply, so that it can be answered whole.

Servers differ in what they put where: Azure begins with a chunk that has no choice and no model, Ollama and others
leave out the index or the type of a tool call, vLLM counts usage in every chunk. What they mean is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from replay_server.endpoints.base import BadField
from replay_server.endpoints.chat_body import REASONING, read_logprobs
from replay_server.endpoints.short_form import items, optional
from replay_server.endpoints.text_reading import read_text_stream
from replay_server.interaction import Choice, Json, JsonObject, Reasoning, TextReply, TokenLogprob, ToolCall


def read_chat_stream(chunks: Sequence[Json]) -> TextReply:
    """The reply that the chunks are of. Raises BadField where they are of no chat completion."""
    return read_text_stream(chunks, _Choice)


# One choice ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Choice:
    """Collects the deltas of one choice."""

    contents: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    calls: "_Calls" = field(default_factory=lambda: _Calls())
    function_call: "_Call | None" = None
    reasoning: dict[str, list[str]] = field(default_factory=dict)
    logprobs: list[TokenLogprob] = field(default_factory=list)
    annotations: list[JsonObject] = field(default_factory=list)
    finish_reason: str | None = None

    def add(self, choice: JsonObject) -> None:
        delta = optional(choice, "delta", dict) or {}
        if delta.get("audio") is not None:
            raise BadField((), "has audio in its deltas")
        _append(self.contents, optional(delta, "content", str))
        _append(self.refusals, optional(delta, "refusal", str))
        for call in items(delta, "tool_calls", dict):
            self.calls.add(call)
        if legacy := optional(delta, "function_call", dict):
            self.function_call = self.function_call or _Call(None)
            self.function_call.add({"function": legacy})
        for name in REASONING:
            if text := optional(delta, name, str):
                self.reasoning.setdefault(name, []).append(text)
        self.logprobs += read_logprobs(optional(choice, "logprobs", dict) or {})
        self.annotations += items(delta, "annotations", dict)
        self.finish_reason = optional(choice, "finish_reason", str) or self.finish_reason

    def whole(self) -> Choice:
        calls, pieces = self.calls.whole(), _pieces(self.refusals) or _pieces(self.contents)
        return Choice(
            content=self._content(is_only_text=not (calls or self.refusals or self.function_call)),
            tool_calls=calls,
            refusal="".join(self.refusals) if _pieces(self.refusals) else None,
            finish_reason=self.finish_reason,
            logprobs=tuple(self.logprobs) or None,
            deltas=pieces,
            annotations=tuple(self.annotations),
            function_call=self.function_call.whole() if self.function_call else None,
            reasoning=tuple(Reasoning(name, "".join(texts), tuple(texts)) for name, texts in self.reasoning.items()),
        )

    def _content(self, *, is_only_text: bool) -> str | None:
        """The first delta has an empty content as a rule, which beside a refusal or a call means none."""
        text = "".join(self.contents)
        return text if text or (self.contents and is_only_text) else None


def _append(texts: list[str], text: str | None) -> None:
    if text is not None:
        texts.append(text)


def _pieces(texts: list[str]) -> tuple[str, ...] | None:
    return tuple(filter(None, texts)) or None


# Tool calls ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Call:
    """Collects the deltas of one tool call."""

    index: int | None
    id: str | None = None
    name: str = ""
    kind: str = "function"
    pieces: list[str] = field(default_factory=list)

    def goes_on_with(self, delta: JsonObject) -> bool:
        """Whether a delta is of this call. Some servers give every call the index 0, or none, but an id of its own."""
        if optional(delta, "index", int) not in (None, self.index):
            return False
        name = optional(optional(delta, self.kind, dict) or {}, "name", str)
        if name and name != self.name and self.pieces:  # not even an id: a name after arguments is a new call's
            return False
        return optional(delta, "id", str) in (None, "", self.id)

    def add(self, delta: JsonObject) -> None:
        self.id = self.id or optional(delta, "id", str) or None
        if delta.get("type") == "custom" or "custom" in delta:
            self.kind = "custom"
        called = optional(delta, self.kind, dict) or {}
        name = optional(called, "name", str) or ""
        if name != self.name:  # some servers repeat it with every delta
            self.name += name
        arguments = called.get("arguments" if self.kind == "function" else "input")
        _append(self.pieces, orjson.dumps(arguments).decode() if isinstance(arguments, dict) else _text(arguments))

    def whole(self) -> ToolCall:
        return ToolCall(
            name=self.name,
            arguments="".join(self.pieces),
            id=self.id,
            kind=self.kind,
            deltas=_pieces(self.pieces),
        )


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


class _Calls:
    """Collects the tool calls of one choice."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    def add(self, delta: JsonObject) -> None:
        call = next((call for call in reversed(self._calls) if call.goes_on_with(delta)), None)
        if call is None:
            call = _Call(optional(delta, "index", int))
            self._calls.append(call)
        call.add(delta)

    def whole(self) -> tuple[ToolCall, ...]:
        return tuple(call.whole() for call in sorted(self._calls, key=lambda call: call.index or 0))
