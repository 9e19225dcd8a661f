"""The key of a request, the hashes of its parts, and what tells two requests apart. Pure functions.

What carries the prompt is the endpoint's to say (`Resource.canonical`); what carries no meaning is taken out here,
because client libraries differ in it.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from replay_server.interaction import Json, JsonObject

SCHEME = 1
"""Part of every key: a better normalisation gets a new number, and nobody's cassettes change."""

MAX_DEPTH = 100
"""Objects and arrays within each other. Deeper than any real request, shallow enough for recursion."""

_LAST_EXACT_INTEGER = 2**53
_TEXT_PART = {"type", "text"}


def canonical_json(value: object) -> bytes:
    """The one JSON text of a value: compact, keys sorted, UTF-8."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def request_key(endpoint: str, canonical: JsonObject) -> str:
    """The key of a request: 64 hex digits."""
    return hashlib.sha256(canonical_json([SCHEME, endpoint, canonical])).hexdigest()


def part_hashes(canonical: JsonObject, shape: JsonObject) -> dict[str, str]:
    """A hash (16 hex digits) for each part: `model`, `messages[0]`, …, and each field that shapes the answer."""
    return {name: hashlib.sha256(canonical_json(part)).hexdigest()[:16] for name, part in parts(canonical, shape)}


def parts(canonical: JsonObject, shape: JsonObject) -> Iterator[tuple[str, Json]]:
    """The parts of a request that may agree with another one's, with their names."""
    for name, value in canonical.items():
        if isinstance(value, list):
            yield from ((f"{name}[{index}]", item) for index, item in enumerate(value))
        else:
            yield name, value
    yield from shape.items()


# Normalising ---------------------------------------------------------------------------------------------------------


def normalise(value: Json) -> Json:
    """`value` without nulls and empty members, integral floats as integers, one text part as its text."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {name: member for name, raw in value.items() if not _is_empty(member := _member(name, raw))}
    if isinstance(value, list):
        return [normalise(item) for item in value]
    return _number(value)


def normalise_numbers(value: Json) -> Json:
    """`value` with integral floats as integers, and nothing else changed: here empty members mean something."""
    if isinstance(value, dict):
        return {name: normalise_numbers(member) for name, member in value.items()}
    if isinstance(value, list):
        return [normalise_numbers(item) for item in value]
    return _number(value)


def normalise_arguments(arguments: Json) -> Json:
    """Tool arguments as the JSON they hold; as they are, where they hold none."""
    if not isinstance(arguments, str):
        return normalise_numbers(arguments)
    try:
        parsed: Json = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return arguments
    return arguments if too_deep(parsed) else normalise_numbers(parsed)


def too_deep(value: Json, limit: int = MAX_DEPTH) -> bool:
    """Whether objects and arrays lie within each other more than `limit` deep."""
    if isinstance(value, dict):
        return limit <= 0 or any(too_deep(member, limit - 1) for member in value.values())
    if isinstance(value, list):
        return limit <= 0 or any(too_deep(item, limit - 1) for item in value)
    return False


def _member(name: str, raw: Json) -> Json:
    value = normalise(raw)
    return _one_text(value) if name == "content" and isinstance(value, list) else value


def _one_text(content: list[Json]) -> Json:
    if len(content) == 1 and isinstance(part := content[0], dict):
        if part.keys() == _TEXT_PART and part["type"] == "text":
            return part["text"]
        if part == {"type": "text"}:  # its empty text has been dropped
            return ""
    return list(content)


def _is_empty(value: Json) -> bool:
    return value is None or value == "" or value == [] or value == {}


def _number(value: Json) -> Json:
    if isinstance(value, float) and value.is_integer() and abs(value) < _LAST_EXACT_INTEGER:
        return int(value)
    return value


# Telling apart -------------------------------------------------------------------------------------------------------


class _Absent:
    def __repr__(self) -> str:
        return "(absent)"


ABSENT = _Absent()
"""Stands in a `Difference` for a value that one side does not have."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A place where two requests differ. `path` is a JSON path: `messages[1].content`."""

    path: str
    left: Json | _Absent
    right: Json | _Absent

    def __str__(self) -> str:
        left, right = _excerpts(self.left, self.right)
        return f"{self.path}: {left} != {right}"


def explain(left: Json, right: Json, path: str = "") -> Iterator[Difference]:
    """Every place where two canonical requests differ, in the order of the left one."""
    if isinstance(left, dict) and isinstance(right, dict):
        for name in [*left, *(name for name in right if name not in left)]:
            yield from _explain_member(left, right, name, f"{path}.{name}" if path else name)
    elif isinstance(left, list) and isinstance(right, list):
        for index in range(max(len(left), len(right))):
            yield from _explain_member(left, right, index, f"{path}[{index}]")
    elif canonical_json(left) != canonical_json(right):  # not ==, which takes True for 1
        yield Difference(path, left, right)


def _explain_member(left: Json, right: Json, at: str | int, path: str) -> Iterator[Difference]:
    ours, theirs = _member_at(left, at), _member_at(right, at)
    if isinstance(ours, _Absent) or isinstance(theirs, _Absent):
        yield Difference(path, ours, theirs)
    else:
        yield from explain(ours, theirs, path)


def _member_at(value: Json, at: str | int) -> Json | _Absent:
    if isinstance(value, dict) and isinstance(at, str):
        return value.get(at, ABSENT)
    if isinstance(value, list) and isinstance(at, int) and at < len(value):
        return value[at]
    return ABSENT


def _excerpts(left: Json | _Absent, right: Json | _Absent, width: int = 60) -> tuple[str, str]:
    if isinstance(left, str) and isinstance(right, str):
        start = max(0, _common_length(left, right) - width // 3)
        return _excerpt(left, start, width), _excerpt(right, start, width)
    return _short(left, width), _short(right, width)


def _common_length(left: str, right: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))


def _excerpt(text: str, start: int, width: int) -> str:
    if len(text) <= width:
        return repr(text)
    before, after = "…" if start else "", "…" if start + width < len(text) else ""
    return repr(before + text[start : start + width] + after)


def _short(value: Json | _Absent, width: int) -> str:
    if isinstance(value, _Absent):
        return repr(value)
    text = repr(value) if isinstance(value, str) else canonical_json(value).decode()
    return text if len(text) <= width else text[:width] + "…"


# Volatile text -------------------------------------------------------------------------------------------------------


class Pattern(Protocol):
    """A regular expression, of whichever engine."""

    @property
    def pattern(self) -> str:
        """Its text."""

    def sub(self, repl: Callable[[Any], str], string: str, /) -> str:
        """The text with what `repl` makes of each match in its place."""


@dataclass(frozen=True, slots=True)
class Volatile:
    """Text that may change from run to run: each match of `pattern` counts as the token `<name>` in a key."""

    name: str
    pattern: Pattern

    def token(self, match: object) -> str:
        """What stands for the text in a key."""
        return f"<{self.name}>"


_NO_TEXT = frozenset({"model", "role", "type"})
"""Members that name things: gpt-4 is not gpt-5 with another number."""


VOLATILE_TEXT: Mapping[str, str] = {
    "uuid": r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b",
    "datetime": r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?",
    "date": r"\b\d{4}-\d\d-\d\d\b",
    "path": r"(?<![\w/])(?:/[\w.+-]+){2,}/?",
    "number": r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]*\w)",
}
"""The rules that `replay.yaml` can name."""


def steady(value: Json, rules: Sequence[Volatile]) -> Json:
    """`value` with the volatile text of every string in it replaced."""
    if not rules:
        return value
    if isinstance(value, str):
        for rule in rules:
            value = rule.pattern.sub(rule.token, value)
        return value
    if isinstance(value, dict):
        return {name: member if name in _NO_TEXT else steady(member, rules) for name, member in value.items()}
    if isinstance(value, list):
        return [steady(item, rules) for item in value]
    return value
