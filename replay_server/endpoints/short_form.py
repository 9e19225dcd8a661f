"""Reading the short form of a response: a cassette's `content`, `tool_calls`, `usage`, … as neutral values."""

from collections.abc import Iterable
from typing import TypeVar

import orjson

from replay_server.endpoints.base import BadField
from replay_server.interaction import Choice, Json, JsonObject, TextReply, ToolCall, Usage

T = TypeVar("T")

CHOICE_FIELDS = ("content", "json", "deltas", "refusal", "tool_calls", "finish_reason", "annotations")
REPLY_FIELDS = ("usage", "id", "created", "model", "system_fingerprint", "service_tier")

_TYPE_NAMES = {str: "a text", int: "a whole number", list: "a list", dict: "a mapping", bool: "true or false"}


def read_text_reply(short: JsonObject, choice_fields: Iterable[str] = CHOICE_FIELDS) -> TextReply:
    """The reply of a chat or a completion: one choice in place, or several under `choices`."""
    fields = tuple(choice_fields)
    known(short, (*fields, *REPLY_FIELDS, "choices"))
    return TextReply(
        choices=_read_choices(short, fields),
        usage=_read_usage(short["usage"]) if "usage" in short else None,
        id=optional(short, "id", str),
        created=optional(short, "created", int),
        model=optional(short, "model", str),
        system_fingerprint=optional(short, "system_fingerprint", str),
        service_tier=optional(short, "service_tier", str),
    )


def known(mapping: JsonObject, fields: Iterable[str]) -> None:
    """Raise BadField for a field that is none of these."""
    names = tuple(fields)
    for name in mapping:
        if name not in names:
            raise BadField((name,), f"unknown field; known here: {', '.join(names)}")


def optional(mapping: JsonObject, name: str, kind: type[T]) -> T | None:
    """The value of a field, None where it is absent or null. Raises BadField for another type."""
    value = mapping.get(name)
    if value is None:
        return None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise BadField((name,), f"must be {_TYPE_NAMES[kind]}, not {value!r}")
    return value


def required(mapping: JsonObject, name: str, kind: type[T]) -> T:
    """The value of a field. Raises BadField where it is absent, null or of another type."""
    value = optional(mapping, name, kind)
    if value is None:
        raise BadField((name,), f"missing; it must be {_TYPE_NAMES[kind]}")
    return value


def items(mapping: JsonObject, name: str, kind: type[T]) -> tuple[T, ...]:
    """The items of a list, none where it is absent. Raises BadField for another type."""
    values = optional(mapping, name, list) or []
    for index, value in enumerate(values):
        if not isinstance(value, kind):
            raise BadField((name, index), f"must be {_TYPE_NAMES[kind]}, not {value!r}")
    return tuple(values)


def _read_choices(short: JsonObject, fields: tuple[str, ...]) -> tuple[Choice, ...]:
    inline = [name for name in fields if name in short]
    if "choices" not in short:
        if not inline:
            raise BadField((), f"has no contents: give one of {', '.join(fields)}, or choices")
        return (_read_choice({name: short[name] for name in inline}),)
    if inline:
        raise BadField((inline[0],), "stands beside choices: move it into one of them")
    choices = items(short, "choices", dict)
    if not choices:
        raise BadField(("choices",), "must have at least one choice")
    return tuple(_read_listed_choice(choice, index, fields) for index, choice in enumerate(choices))


def _read_listed_choice(choice: JsonObject, index: int, fields: tuple[str, ...]) -> Choice:
    try:
        known(choice, fields)
        return _read_choice(choice)
    except BadField as error:
        raise error.below("choices", index) from None


def _read_choice(fields: JsonObject) -> Choice:
    deltas = items(fields, "deltas", str) or None
    texts = [name for name in ("content", "json", "deltas") if fields.get(name) is not None]
    if len(texts) > 1:
        raise BadField((texts[1],), f"stands beside {texts[0]}: give the text once")
    content = _read_content(fields, deltas)
    return Choice(
        content=content,
        tool_calls=_read_tool_calls(fields),
        refusal=optional(fields, "refusal", str),
        finish_reason=optional(fields, "finish_reason", str),
        deltas=deltas,
        annotations=items(fields, "annotations", dict),
    )


def _read_content(fields: JsonObject, deltas: tuple[str, ...] | None) -> str | None:
    if deltas is not None:
        return "".join(deltas)
    if fields.get("json") is not None:
        return orjson.dumps(fields["json"]).decode()
    return optional(fields, "content", str)


def _read_tool_calls(fields: JsonObject) -> tuple[ToolCall, ...]:
    calls = []
    for index, call in enumerate(items(fields, "tool_calls", dict)):
        try:
            calls.append(_read_tool_call(call))
        except BadField as error:
            raise error.below("tool_calls", index) from None
    return tuple(calls)


def _read_tool_call(call: JsonObject) -> ToolCall:
    known(call, ("name", "arguments", "input", "id", "type"))
    if "arguments" in call and "input" in call:
        raise BadField(("input",), "stands beside arguments: a function has arguments, a custom tool has input")
    kind = optional(call, "type", str) or ("custom" if "input" in call else "function")
    if kind not in ("function", "custom"):
        raise BadField(("type",), f"must be function or custom, not {kind!r}")
    text = required(call, "input", str) if kind == "custom" else _read_arguments(call.get("arguments"))
    return ToolCall(name=required(call, "name", str), arguments=text, id=optional(call, "id", str), kind=kind)


def _read_arguments(arguments: Json) -> str:
    """Arguments are JSON written as YAML, or the very text that the model gave, valid or not."""
    if arguments is None:
        return "{}"
    if isinstance(arguments, dict):
        return orjson.dumps(arguments).decode()
    if isinstance(arguments, str):
        return arguments
    raise BadField(("arguments",), f"must be a mapping or a text, not {arguments!r}")


def _read_usage(value: Json) -> Usage:
    if not isinstance(value, dict):
        raise BadField(("usage",), f"must be a mapping, not {value!r}")
    try:
        known(value, ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens"))
        return Usage(
            prompt_tokens=required(value, "prompt_tokens", int),
            completion_tokens=required(value, "completion_tokens", int),
            cached_tokens=optional(value, "cached_tokens", int) or 0,
            reasoning_tokens=optional(value, "reasoning_tokens", int) or 0,
        )
    except BadField as error:
        raise error.below("usage") from None
