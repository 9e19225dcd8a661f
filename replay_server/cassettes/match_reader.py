"""The `match` of a cassette's document: which conditions there are, and what each may be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from replay_server.cassettes.json_path import BadPath, JsonPath
from replay_server.cassettes.linear_regex import BadRegex, Regex
from replay_server.cassettes.template import VALUES
from replay_server.cassettes.templates import read_templates
from replay_server.cassettes.yaml import Document
from replay_server.conditions import Conditions, JsonTest, Template, TextTest, Turns
from replay_server.endpoints.base import BadField, Resource
from replay_server.endpoints.documents import document_resource
from replay_server.endpoints.short_form import known, optional, required
from replay_server.interaction import Json, JsonObject
from replay_server.schema.problem import SchemaError

CONDITIONS = (
    "model",
    "last_user",
    "system",
    "any_message",
    "has_tool_result",
    "turn",
    "json",
    "header",
    "schema",
)
MATCH_FIELDS = ("endpoint", *CONDITIONS)
TEXT_TESTS = ("equals", "contains", "regex")
DEFAULT_ENDPOINT = "chat/completions"
"""Of a matcher that names none."""


@dataclass(frozen=True, slots=True)
class Match:
    """What a matcher has in place of a request."""

    resource: Resource
    conditions: Conditions
    templates: Mapping[int, Template]


def read_match(fields: JsonObject, document: Document, file: str) -> Match:
    """The `match` of a document, and the templates in its response. Raises BadField."""
    for name in ("request", "recorded"):
        if name in fields:
            raise BadField((name,), "stands beside match: a document has one of them")
    if "endpoint" in fields:
        raise BadField(("endpoint",), "stands beside match: move it into match")
    match = required(fields, "match", dict)
    try:
        conditions = _read_conditions(match, document.text_at(("match", "model")))
        resource = document_resource(optional(match, "endpoint", str) or DEFAULT_ENDPOINT)
    except BadField as error:
        raise error.below("match") from None
    return Match(resource, conditions, read_templates(document, file, group_names(conditions)))


def _read_conditions(match: JsonObject, model: str | None) -> Conditions:
    known(match, MATCH_FIELDS)
    if not any(match.get(name) is not None for name in CONDITIONS):
        raise BadField((), f"has no condition: give one of {', '.join(CONDITIONS)}")
    conditions = Conditions(
        model=_read_model(match, model),
        last_user=_read_text(match, "last_user"),
        system=_read_text(match, "system"),
        any_message=_read_text(match, "any_message"),
        has_tool_result=optional(match, "has_tool_result", bool),
        turn=_read_turns(match.get("turn")),
        json=_read_json(match.get("json")),
        header=_read_headers(match),
        schema=_read_schema(match.get("schema")),
    )
    _check_groups(conditions)
    return conditions


def _read_model(match: JsonObject, written: str | None) -> str | None:
    value = match.get("model")
    if isinstance(value, int | float) and not isinstance(value, bool):  # a model named 4.10 is not the number 4.1
        return written
    return optional(match, "model", str)


def group_names(conditions: Conditions) -> frozenset[str]:
    """The names of the groups in its patterns."""
    return frozenset(name for _, name in _groups(conditions))


def _groups(conditions: Conditions) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each with the path of its pattern."""
    fields = ("last_user", "system", "any_message")
    tests = {(field,): test for field in fields if (test := getattr(conditions, field)) is not None}
    for path, test in (tests | {("header", name): test for name, test in conditions.header.items()}).items():
        if test.kind == "regex":
            yield from (((*path, "regex"), name) for name in sorted(Regex(test.text).names))


def _check_groups(conditions: Conditions) -> None:
    taken = set(VALUES)
    for path, name in _groups(conditions):
        if name in taken:
            raise BadField(path, f"names a group {name}, but a template has another value of that name: rename it")
        taken.add(name)


# Texts ---------------------------------------------------------------------------------------------------------------


def _read_text(fields: JsonObject, name: str) -> TextTest | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        return TextTest("equals", value)
    if not isinstance(value, dict):
        raise BadField((name,), f"must be a text, or have one of {', '.join(TEXT_TESTS)}, not {value!r}")
    try:
        return _read_test(value)
    except BadField as error:
        raise error.below(name) from None


def _read_test(test: JsonObject) -> TextTest:
    known(test, TEXT_TESTS)
    if len(test) != 1:
        raise BadField((), f"must have exactly one of {', '.join(TEXT_TESTS)}")
    (kind,) = test
    text = required(test, kind, str)
    if kind == "regex":
        try:
            Regex(text)
        except BadRegex as error:
            raise BadField(("regex",), f"is no regular expression: {error}") from None
    if kind == "contains" and not text:
        raise BadField(("contains",), "must not be empty: that stands everywhere")
    return TextTest(kind, text)


def _read_headers(match: JsonObject) -> Mapping[str, TextTest]:
    headers: dict[str, TextTest] = {}
    for name in (given := optional(match, "header", dict) or {}):
        try:
            test = _read_text(given, name)
        except BadField as error:
            raise error.below("header") from None
        if test is None:
            raise BadField(("header", name), "is empty: say what it must be")
        headers[name.lower()] = test
    return headers


# The rest ------------------------------------------------------------------------------------------------------------


def _read_turns(value: Json) -> Turns | None:
    if value is None:
        return None
    if isinstance(value, dict):
        try:
            known(value, ("min", "max"))
            return _turns(_count(value, "min"), _count(value, "max"))
        except BadField as error:
            raise error.below("turn") from None
    count = _count({"turn": value}, "turn")
    return Turns(count or 0, count)


def _turns(least: int | None, most: int | None) -> Turns:
    if least is None and most is None:
        raise BadField((), "must have min, max or both")
    if least is not None and most is not None and least > most:
        raise BadField((), f"no number is at least {least} and at most {most}")
    return Turns(least or 0, most)


def _count(fields: JsonObject, name: str) -> int | None:
    value = fields.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise BadField((name,), f"must be a number of assistant messages, not {value!r}")
    return value


def _read_json(value: Json) -> tuple[JsonTest, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        tests: tuple[JsonTest, ...] = (JsonTest(value),)
    elif isinstance(value, dict) and value:
        tests = tuple(JsonTest(expression, (wanted,)) for expression, wanted in value.items())
    else:
        raise BadField(("json",), f"must be a JMESPath expression, or expressions with their values, not {value!r}")
    for expression, path in _paths(value, tests):
        try:
            JsonPath(expression)
        except BadPath as error:
            raise BadField(path, f"{expression!r} is no JMESPath expression: {error}") from None
    return tests


def _paths(value: Json, tests: tuple[JsonTest, ...]) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    for test in tests:
        yield test.expression, ("json", test.expression) if isinstance(value, dict) else ("json",)


def _read_schema(value: Json) -> JsonObject | bool | None:
    if value is None:
        return None
    # Loaded for a matcher that has one: a plain cassette never needs it.
    from replay_server.schema.sound import require_sound

    if not isinstance(value, dict | bool):
        raise BadField(("schema",), f"must be a JSON Schema, a mapping, not {value!r}")
    try:
        require_sound(value, value)
    except SchemaError as error:
        raise BadField(("schema",), f"is no JSON Schema: {error}") from None
    return value
