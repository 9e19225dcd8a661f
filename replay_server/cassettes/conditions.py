"""The conditions of a matcher, ready to be tried: each with what it wants and what a request has in its place."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from replay_server.cassettes.json_path import JsonPath, is_true
from replay_server.cassettes.linear_regex import Regex, glob, is_glob
from replay_server.cassettes.matching import Keyed
from replay_server.conditions import Conditions, JsonTest, Spoken, TextTest, Turns
from replay_server.endpoints.base import Speaking
from replay_server.interaction import Json, JsonObject
from replay_server.keys import canonical_json

TEXT_FIELDS = ("model", "last_user", "system", "any_message")
"""The conditions on texts that an index finds matchers by."""

_EXCERPT = 60
_SECRET = ("authorization", "api-key", "x-api-key", "cookie")


class Seen:
    """A request as matchers see it. What only some look at is worked out when it is asked for."""

    def __init__(self, asked: Keyed, headers: Mapping[str, str]) -> None:
        self.endpoint = asked.request.endpoint
        self.model = asked.request.model
        self.body: JsonObject = asked.request.body
        self._asked = asked
        self._headers = headers

    @cached_property
    def spoken(self) -> Spoken:
        """What was said."""
        resource, request = self._asked.resource, self._asked.request
        return resource.spoken(request) if isinstance(resource, Speaking) else Spoken()

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """The headers, names in lower case."""
        return {name.lower(): value for name, value in self._headers.items()}

    @property
    def open_headers(self) -> Mapping[str, str]:
        """Those that hold no secret: what an answer may repeat."""
        return {name: value for name, value in self.headers.items() if name not in _SECRET}

    def texts(self, field: str) -> tuple[str, ...]:
        """The texts that a condition on texts looks at."""
        match field:
            case "model":
                return (self.model,)
            case "any_message":
                return self.spoken.messages
            case "last_user":
                found = self.spoken.last_user
            case _:
                found = self.spoken.system
        return () if found is None else (found,)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. `name` is where it stands in `match`; `wanted` and `had` are for people."""

    name: str
    wanted: str
    holds: Callable[[Seen], bool]
    had: Callable[[Seen], str]
    groups: Callable[[Seen], Mapping[str, str]] = lambda seen: {}

    def why_not(self, seen: Seen) -> str:
        """How a request fails it."""
        return f"{self.name}: must {self.wanted}, is {self.had(seen)}"


def conditions_of(given: Conditions) -> tuple[Condition, ...]:
    """The conditions, those that cost least first."""
    return tuple(_conditions(given))


def _conditions(given: Conditions) -> Iterator[Condition]:
    if given.model is not None:
        yield _model(given.model)
    for field in TEXT_FIELDS[1:]:
        test: TextTest | None = getattr(given, field)
        if test is not None:
            yield _text(field, test)
    if given.has_tool_result is not None:
        yield _has_tool_result(given.has_tool_result)
    if given.turn is not None:
        yield _turn(given.turn)
    for name, test in given.header.items():
        yield _header(name, test)
    yield from map(_json, given.json)
    if given.schema is not None:
        yield _schema(given.schema)


# Texts ---------------------------------------------------------------------------------------------------------------


class _TextTester:
    """A test on texts. A pattern is compiled when it is first needed: of thousands, few are."""

    def __init__(self, test: TextTest) -> None:
        self._test = test

    @cached_property
    def _regex(self) -> Regex:
        return Regex(self._test.text)

    def holds(self, text: str) -> bool:
        match self._test.kind:
            case "equals":
                return text == self._test.text
            case "contains":
                return self._test.text in text
            case _:
                return self._regex.groups(text) is not None

    def groups(self, texts: tuple[str, ...]) -> Mapping[str, str]:
        """The groups in the last of the texts that has the pattern."""
        if self._test.kind == "regex":
            for text in reversed(texts):
                if (found := self._regex.groups(text)) is not None:
                    return found
        return {}


def text_holds(test: TextTest, text: str) -> bool:
    """Whether a text passes a test."""
    return _TextTester(test).holds(text)


def model_test(pattern: str) -> TextTest:
    """The condition on a model as a test on its name."""
    return TextTest("regex", glob(pattern)) if is_glob(pattern) else TextTest("equals", pattern)


def _model(pattern: str) -> Condition:
    tester = _TextTester(model_test(pattern))
    return Condition(
        "model", f"be {pattern}", lambda seen: tester.holds(seen.model), lambda seen: _excerpt((seen.model,))
    )


def _text(field: str, test: TextTest) -> Condition:
    tester = _TextTester(test)
    return Condition(
        field,
        _wanted(test),
        lambda seen: any(map(tester.holds, seen.texts(field))),
        lambda seen: _excerpt(seen.texts(field)),
        lambda seen: tester.groups(seen.texts(field)),
    )


def _header(name: str, test: TextTest) -> Condition:
    tester = _TextTester(test)

    def value(seen: Seen) -> tuple[str, ...]:
        return (seen.headers[name],) if name in seen.headers else ()

    return Condition(
        f"header.{name}",
        _wanted(test),
        lambda seen: any(map(tester.holds, value(seen))),
        lambda seen: "something else" if value(seen) else "(absent)",  # it may be a secret
        lambda seen: tester.groups(value(seen)),
    )


def _wanted(test: TextTest) -> str:
    word = {"equals": "be", "contains": "contain", "regex": "match"}[test.kind]
    return f"{word} {test.text!r}"


def _excerpt(texts: tuple[str, ...]) -> str:
    if not texts:
        return "(absent)"
    more = f" (the last of {len(texts)})" if len(texts) > 1 else ""
    text = texts[-1]
    return repr(text if len(text) <= _EXCERPT else text[:_EXCERPT] + "…") + more


# The rest ------------------------------------------------------------------------------------------------------------


def _has_tool_result(wanted: bool) -> Condition:
    return Condition(
        "has_tool_result",
        f"be {_shown(wanted)}",
        lambda seen: seen.spoken.has_tool_result is wanted,
        lambda seen: _shown(seen.spoken.has_tool_result),
    )


def _turn(turns: Turns) -> Condition:
    least, most = turns.least, turns.most
    wanted = f"be {least}" if least == most else f"be {least} or more" if most is None else f"be {least} to {most}"
    return Condition(
        "turn",
        wanted,
        lambda seen: least <= seen.spoken.turn and (most is None or seen.spoken.turn <= most),
        lambda seen: str(seen.spoken.turn),
    )


def _json(test: JsonTest) -> Condition:
    path = _lazily(lambda: JsonPath(test.expression))

    def holds(seen: Seen) -> bool:
        found = path().find(seen.body)
        return is_true(found) if not test.equals else canonical_json(found) == canonical_json(test.equals[0])

    wanted = _shown(test.equals[0]) if test.equals else "true"
    return Condition(f"json.{test.expression}", f"be {wanted}", holds, lambda seen: _shown(path().find(seen.body)))


def _schema(schema: JsonObject | bool) -> Condition:
    def holds(seen: Seen) -> bool:
        # Loaded when one is tried: most matchers have none.
        from replay_server.schema.check import fits

        return fits(dict(seen.body), schema, schema)

    return Condition("schema", "be valid", holds, lambda seen: "not valid")


def _lazily(make: Callable[[], JsonPath]) -> Callable[[], JsonPath]:
    made: list[Any] = []

    def get() -> JsonPath:
        if not made:
            made.append(make())
        found: JsonPath = made[0]
        return found

    return get


def _shown(value: Json) -> str:
    text = canonical_json(value).decode()
    return text if len(text) <= _EXCERPT else text[:_EXCERPT] + "…"
