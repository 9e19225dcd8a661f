"""Reading recorded answers of chat and completions, whole or in chunks: what the two have in common."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

import orjson

from replay_server.endpoints.base import BadField
from replay_server.endpoints.short_form import items, optional
from replay_server.interaction import Choice, Json, JsonObject, TextReply, Usage

T = TypeVar("T")


class Collector(Protocol):
    """Collects the pieces of one choice."""

    def add(self, choice: JsonObject) -> None:
        """Take the choice of one chunk. Raises BadField."""

    def whole(self) -> Choice:
        """The choice that the pieces are of."""


def read_text_body(body: Json, kind: str, read_choice: Callable[[JsonObject], Choice]) -> TextReply:
    """The reply that a wire answer holds. Raises BadField where it is no `kind`."""
    if not isinstance(body, dict) or not isinstance(body.get("choices"), list):
        raise BadField((), f"is no {kind}: it has no list of choices")
    return _reply([body], tuple(map(read_choice, items(body, "choices", dict))))


def read_text_stream(chunks: Sequence[Json], collector: Callable[[], Collector]) -> TextReply:
    """The reply that chunks are of. Raises BadField where they are of none."""
    parts = _parts(chunks)
    choices: dict[int, Collector] = {}
    for part in parts:
        for place, choice in enumerate(items(part, "choices", dict)):
            index = _index(choice, place)
            if index not in choices:
                choices[index] = collector()
            choices[index].add(choice)
    return _reply(parts, tuple(choice.whole() for _, choice in sorted(choices.items())))


def _reply(parts: Sequence[JsonObject], choices: tuple[Choice, ...]) -> TextReply:
    return TextReply(
        choices=choices,
        usage=_usage(next((part["usage"] for part in reversed(parts) if part.get("usage")), None)),
        id=_first(parts, "id", str),
        created=_first(parts, "created", int),
        model=_first(parts, "model", str),
        system_fingerprint=_first(parts, "system_fingerprint", str),
        service_tier=_first(parts, "service_tier", str),
    )


def _parts(chunks: Sequence[Json]) -> list[JsonObject]:
    """The chunks that carry choices. Raises BadField where there is none, and for an error among them."""
    objects = [chunk for chunk in chunks if isinstance(chunk, dict)]
    for chunk in objects:
        if chunk.get("error"):
            raise BadField((), f"tells of an error: {orjson.dumps(chunk['error']).decode()}")
    parts: list[JsonObject] = [chunk for chunk in objects if isinstance(chunk.get("choices"), list)]
    if not any(part["choices"] for part in parts):
        raise BadField((), "has no chunk with a choice")
    return parts


def _index(choice: JsonObject, place: int) -> int:
    """The index of a choice; its place in the chunk where it has none."""
    index = optional(choice, "index", int)
    return place if index is None else index


def _first(parts: Iterable[JsonObject], name: str, kind: type[T]) -> T | None:
    """The first value of a field that says something: Azure's first chunk has empty ones."""
    values = [value for part in parts if (value := optional(part, name, kind)) is not None]
    return next(filter(None, values), values[0] if values else None)


def _usage(value: Json) -> Usage | None:
    """The tokens counted, None where the answer does not say."""
    if not isinstance(value, dict):
        return None
    prompt, completion = (optional(value, f"{side}_tokens_details", dict) or {} for side in ("prompt", "completion"))
    return Usage(
        prompt_tokens=optional(value, "prompt_tokens", int) or 0,
        completion_tokens=optional(value, "completion_tokens", int) or 0,
        cached_tokens=optional(prompt, "cached_tokens", int) or 0,
        reasoning_tokens=optional(completion, "reasoning_tokens", int) or 0,
    )
