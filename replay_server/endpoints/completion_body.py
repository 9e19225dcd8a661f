"""Reading a recorded text completion, whole or in chunks, as a neutral reply."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from replay_server.endpoints.short_form import items, optional
from replay_server.endpoints.text_reading import read_text_body, read_text_stream
from replay_server.interaction import Choice, Json, JsonObject, TextReply, TokenLogprob


def read_completion_body(body: Json) -> TextReply:
    """The reply that a wire answer holds. Raises BadField where it is no text completion."""
    return read_text_body(body, "text completion", _choice)


def read_completion_stream(chunks: Sequence[Json]) -> TextReply:
    """The reply that the chunks are of. Raises BadField where they are of no text completion."""
    return read_text_stream(chunks, _Collected)


@dataclass(slots=True)
class _Collected:
    """Collects the pieces of one choice."""

    texts: list[str] = field(default_factory=list)
    logprobs: list[TokenLogprob] = field(default_factory=list)
    finish_reason: str | None = None

    def add(self, choice: JsonObject) -> None:
        piece = _choice(choice)
        self.texts.append(piece.content or "")
        self.logprobs += piece.logprobs or ()
        self.finish_reason = piece.finish_reason or self.finish_reason

    def whole(self) -> Choice:
        return Choice(
            content="".join(self.texts),
            finish_reason=self.finish_reason,
            logprobs=tuple(self.logprobs) or None,
            deltas=tuple(filter(None, self.texts)) or None,
        )


def _choice(choice: JsonObject) -> Choice:
    return Choice(
        content=optional(choice, "text", str),
        finish_reason=optional(choice, "finish_reason", str),
        logprobs=_logprobs(choice.get("logprobs")),
    )


def _logprobs(value: Json) -> tuple[TokenLogprob, ...] | None:
    if not isinstance(value, dict):
        return None
    tokens, logprobs = items(value, "tokens", str), value.get("token_logprobs")
    tops = value.get("top_logprobs")
    return tuple(TokenLogprob(token, _number_at(logprobs, at), _top_at(tops, at)) for at, token in enumerate(tokens))


def _number_at(values: Json, at: int) -> float | None:
    value = values[at] if isinstance(values, list) and at < len(values) else None
    return float(value) if isinstance(value, int | float) else None


def _top_at(values: Json, at: int) -> tuple[tuple[str, float], ...]:
    value = values[at] if isinstance(values, list) and at < len(values) else None
    if not isinstance(value, dict):
        return ()
    return tuple((token, float(logprob)) for token, logprob in value.items() if isinstance(logprob, int | float))
