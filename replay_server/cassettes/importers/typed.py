"""Objects of a client library, dumped with all their fields, as the JSON that the API sends.

The dump has a null for every field of the library's type that did not come, and its own order of fields. What the
upstream's bytes were cannot be known, so they are what the live API would send: a null stays where that sends one
(`finish_reason`, `logprobs`, `refusal`), and where the type has no such field, for then it came; other nulls go.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from replay_server.cassettes.importers.items import Unimportable
from replay_server.interaction import Json, JsonObject

_TYPE, _DATA = "__type__", "__data__"

# By the name of the member that holds the object, or of the list that holds it; "" is the whole.
_NEVER_NULL: Mapping[str, frozenset[str]] = {
    "": frozenset({"service_tier", "usage"}),
    "delta": frozenset({"content", "function_call", "refusal", "role", "tool_calls"}),
    "message": frozenset({"annotations", "audio", "function_call", "tool_calls"}),
    "tool_calls": frozenset({"id", "type", "function"}),
    "function": frozenset({"name", "arguments"}),
    "usage": frozenset({"completion_tokens_details", "prompt_tokens_details"}),
}
_ORDER: Mapping[str, tuple[str, ...]] = {
    "choices": ("index", "delta", "message", "text", "logprobs", "finish_reason"),
    "delta": ("role", "content", "refusal", "tool_calls"),
    "message": ("role", "content", "tool_calls", "refusal", "annotations"),
    "tool_calls": ("index", "id", "type", "function"),
    "function": ("name", "arguments"),
    "usage": ("prompt_tokens", "completion_tokens", "total_tokens"),
}
_ENVELOPE = ("id", "object", "created", "model")
_CHUNK = (*_ENVELOPE, "service_tier", "system_fingerprint", "choices", "usage")
_PLAIN = (*_ENVELOPE, "choices", "usage", "service_tier", "system_fingerprint")
_LEGACY = (*_ENVELOPE, "system_fingerprint", "choices", "usage")
_WHOLE = {"ChatCompletionChunk": _CHUNK, "ChatCompletion": _PLAIN, "Completion": _LEGACY}


@dataclass(frozen=True, slots=True)
class Typed:
    """An object of a library: the full name of its type, and its fields."""

    type: str
    fields: JsonObject

    @classmethod
    def read(cls, value: object) -> "Typed | None":
        """The object in `{__type__, __data__}`, None where a value is no such mapping."""
        if not isinstance(value, dict) or not isinstance(kind := value.get(_TYPE), str):
            return None
        if not isinstance(fields := value.get(_DATA), dict):
            raise Unimportable(f"has a {kind} without its {_DATA}")
        return cls(kind, fields)

    @property
    def is_event(self) -> bool:
        """Whether it is an event of the Responses API, whose type is the name of the event too."""
        return ".responses." in self.type and isinstance(self.fields.get("type"), str)

    @property
    def is_ollama(self) -> bool:
        """Whether Ollama's own API sent it: that never sends a null, and streams a line of JSON for each object."""
        return self.type.startswith("ollama.")

    def wire(self, *, counted: bool = False) -> Json:
        """The JSON value that came. `counted`: the request asked for the usage of a stream, so chunks may have none."""
        if self.is_ollama:
            return _without_nulls(dict(self.fields))
        order = _WHOLE.get(self.type.rpartition(".")[2])
        if order is None:
            return dict(self.fields)
        kept = _object(self.fields, "", order)
        if order is _LEGACY and kept.get("system_fingerprint", "") is None:
            del kept["system_fingerprint"]
        return {**kept, "usage": None} if counted and "usage" not in kept else kept


def _object(fields: JsonObject, place: str, order: tuple[str, ...] = ()) -> dict[str, Json]:
    names = [*(name for name in order or _ORDER.get(place, ()) if name in fields), *fields]
    kept = {name: _value(fields[name], name) for name in names if _came(fields, name, place)}
    if place == "delta" and kept.get("role") and fields.get("content", "") is None:
        return {"role": kept.pop("role"), "content": None, **kept}  # so begins an answer that calls a tool
    return kept


def _value(value: Json, place: str) -> Json:
    if isinstance(value, list):
        return [_value(item, place) for item in value]
    return _object(value, place) if isinstance(value, dict) else value


def _came(fields: JsonObject, name: str, place: str) -> bool:
    return fields[name] is not None or name not in _NEVER_NULL.get(place, ())


def _without_nulls(value: Json) -> Json:
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    return value
