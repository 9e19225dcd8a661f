import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from replay_server.errors import BadRequest
from replay_server.fallback import Generator
from replay_server.fallback.draw import Draw
from replay_server.fallback.schema import SchemaError, value
from replay_server.fallback.topic import topic_of
from replay_server.interaction import Prompt, TextReply, TextWanted

TOPIC = topic_of("Does Alice Smith, aged 34, like the weather in Paris at 4.5 degrees?")


def make(schema: Any, seed: int = 0) -> Any:
    return value(schema, Draw("test", seed), TOPIC)


def is_valid(made: Any, schema: Any) -> bool:
    return Draft202012Validator(schema).is_valid(json.loads(json.dumps(made)))


def an_object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


NODE = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name", "next"]}
SCHEMAS: dict[str, Any] = {
    "anything": {},
    "true": True,
    "types in a list": {"type": ["string", "null"]},
    "constant": an_object(kind={"const": "circle"}, none={"const": None}, deep={"const": {"a": [1, True]}}),
    "enum of many types": {"enum": [None, 3, "x", [1], {"a": 1}, True]},
    "enum and type": {"type": "string", "enum": [1, "one"]},
    "numbers": an_object(
        a={"type": "integer", "minimum": 3, "maximum": 3},
        b={"type": "integer", "exclusiveMinimum": 5, "exclusiveMaximum": 7},
        c={"type": "number", "minimum": 0.25, "maximum": 0.26},
        d={"type": "number", "multipleOf": 0.01, "minimum": 19.9, "maximum": 20},
        e={"type": "integer", "multipleOf": 7, "minimum": 1_000_000},
        f={"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1e-9},
        g={"type": "integer", "maximum": -(10**30)},
        h={"minimum": 5},
        i={"type": "integer", "multipleOf": 2.5},
        j={"type": "number", "minimum": -1.7e308, "maximum": 1.7e308},
    ),
    "lengths": an_object(
        a={"type": "string", "minLength": 300},
        b={"type": "string", "maxLength": 3},
        c={"type": "string", "minLength": 17, "maxLength": 17},
        d={"type": "string", "maxLength": 0},
        summary={"type": "string", "minLength": 10, "maxLength": 25},
    ),
    "arrays": an_object(
        a={"type": "array", "items": {"type": "integer"}, "minItems": 5, "maxItems": 6, "uniqueItems": True},
        b={"type": "array", "prefixItems": [{"type": "string"}, {"type": "null"}], "items": False},
        c={"type": "array", "contains": {"const": 9}, "minContains": 2, "items": {"type": "integer"}},
        d={"type": "array", "maxItems": 0},
        e={"type": "array", "items": {"enum": list(range(30))}, "uniqueItems": True, "minItems": 30},
        f={"items": False},
        g={"type": "array", "prefixItems": [{"const": 1}], "contains": {"type": "string"}, "minItems": 3},
        h={"type": "array", "items": {"type": "boolean"}, "uniqueItems": True, "minItems": 2},
    ),
    "objects": an_object(
        a={"type": "object", "additionalProperties": {"type": "integer"}},
        b={"type": "object", "minProperties": 4, "propertyNames": {"pattern": "^[a-z]+$", "maxLength": 8}},
        c={
            "type": "object",
            "patternProperties": {"^x-": {"type": "string"}},
            "additionalProperties": False,
            "minProperties": 2,
        },
        d={"properties": {"p": {}, "q": {}, "r": {}}, "maxProperties": 2, "required": ["r"]},
        e={"properties": {"card": {"type": "string"}}, "dependentRequired": {"card": ["address"]}},
        f={"required": ["undeclared"]},
        g={"properties": {"never": False, "always": True}},
        h={"properties": {"a": {"type": "integer"}}, "dependentSchemas": {"a": {"required": ["b"]}}},
    ),
    "reference": {
        "$ref": "#/$defs/Point",
        "$defs": {"Point": an_object(x={"type": "number"}, y={"$ref": "#/$defs/Point/properties/x"})},
    },
    "odd pointers": {
        "$defs": {"a/b": {"type": "integer"}, "c~d": {"type": "null"}, "e f": {"type": "boolean"}},
        **an_object(x={"$ref": "#/$defs/a~1b"}, y={"$ref": "#/$defs/c~0d"}, z={"$ref": "#/$defs/e%20f"}),
    },
    "definitions": {"definitions": {"T": {"type": "integer"}}, **an_object(t={"$ref": "#/definitions/T"})},
    "reference with siblings": {
        "$defs": {"N": {"type": "integer"}},
        **an_object(n={"$ref": "#/$defs/N", "minimum": 500}),
    },
    "linked list": {
        "$ref": "#/$defs/Node",
        "$defs": {
            "Node": {
                **NODE,
                "properties": {**NODE["properties"], "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}},
            }
        },
    },
    "tree": an_object(label={"type": "string"}, children={"type": "array", "items": {"$ref": "#"}}),
    "expression": {
        "$ref": "#/$defs/Expression",
        "$defs": {
            "Expression": {"anyOf": [{"$ref": "#/$defs/Sum"}, {"$ref": "#/$defs/Literal"}]},
            "Sum": an_object(left={"$ref": "#/$defs/Expression"}, right={"$ref": "#/$defs/Expression"}),
            "Literal": an_object(value={"type": "number"}),
        },
    },
    "self under an option": {"properties": {"x": {"$ref": "#/properties/x"}, "y": {"type": "integer"}}},
    "allOf": {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "integer", "minimum": 5}}, "required": ["a"]},
            {"properties": {"a": {"maximum": 6}, "b": {"type": "string"}}, "required": ["b"]},
        ]
    },
    "allOf with patterns": {"type": "string", "allOf": [{"pattern": "^[a-z]+"}, {"pattern": "[0-9]$"}]},
    "closed parts": {
        "allOf": [
            {"type": "object", "properties": {"a": {}}, "additionalProperties": False},
            {"properties": {"b": {}, "a": {}}},
        ]
    },
    "anyOf with an impossible branch": {"anyOf": [{"type": "integer", "minimum": 5, "maximum": 4}, {"type": "string"}]},
    "oneOf that overlaps": {"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 3}]},
    "discriminated": {
        "oneOf": [
            an_object(kind={"const": "cat"}, lives={"type": "integer"}),
            an_object(kind={"const": "dog"}, tricks={"type": "array", "items": {"type": "string"}}),
        ]
    },
    "if then else": {
        "type": "object",
        "properties": {"kind": {"enum": ["a", "b"]}},
        "required": ["kind"],
        "if": {"properties": {"kind": {"const": "a"}}},
        "then": {"properties": {"x": {"type": "integer"}}, "required": ["x"]},
        "else": {"properties": {"y": {"type": "integer"}}, "required": ["y"]},
    },
    "not": {"type": "integer", "minimum": 1, "maximum": 3, "not": {"const": 2}},
    "unevaluated": {
        "allOf": [{"properties": {"a": {"type": "string"}}}],
        "properties": {"b": {"type": "integer"}},
        "required": ["b"],
        "unevaluatedProperties": False,
    },
    "nullable of OpenAPI": an_object(x={"type": "string", "nullable": True}),
    "deep": an_object(
        a=an_object(
            b=an_object(
                c=an_object(d=an_object(e=an_object(f={"type": "array", "items": an_object(g={"type": "string"})})))
            )
        )
    ),
}


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_value_is_valid(schema: Any) -> None:
    Draft202012Validator.check_schema(schema)
    for seed in range(12):
        made = make(schema, seed)
        assert is_valid(made, schema), made


@pytest.mark.parametrize(
    "pattern",
    [
        "^[A-Z]{3}-[0-9]{4}$",
        r"^\d{5}(-\d{4})?$",
        r"^(?=.*[A-Z])(?=.*\d).{8,}$",
        r"^\+?[1-9]\d{1,14}$",
        "^(red|green|blue)(, (red|green|blue))*$",
        r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$",
        r"(\w)\1",
        "^(?P<a>x|y)-(?P=a)$",
        r"^#?([a-fA-F0-9]{6}|[a-fA-F0-9]{3})$",
        r"^[\]\-^]+$",
        r"^[-a\[]{2}$",
        r"^a{,2}b{2,}c{3}$",
        r"^\u0041\x42[\u00e0-\u00ff]$",
        r"^(?:https?)://[\w.-]+(?:/\S*)?$",
        r"\bword\b",
        r"^[\[:x]{2}$",
        "^$",
        "^(?i:abc)+?$",
        r"^\S+\W\D$",
        r"a|",
        r"^.{0,3}\.$",
        r"^x{y}$",
        r"^(a(b(c)?)*)+\2?$",
        "^x((){900}){5}$",
    ],
)
def test_string_matches_its_pattern(pattern: str) -> None:
    for seed in range(8):
        assert re.search(pattern, make({"type": "string", "pattern": pattern}, seed))


@pytest.mark.parametrize(
    ("pattern", "python"),
    [
        (r"^(?<year>\d{4})-\k<year>$", r"^(\d{4})-\1$"),
        (r"^\p{Lu}\p{L}+$", "^[A-Z][a-zA-Z]+$"),
        (r"^[\p{L}\p{N}_]{3}$", "^[a-zA-Z0-9_]{3}$"),
        (r"^\u{1F600}$", "^😀$"),
        (r"^\/\/x$", "^//x$"),
        ("^[[:x]{2}$", r"^[\[:x]{2}$"),
    ],
)
def test_patterns_of_javascript_are_understood(pattern: str, python: str) -> None:
    assert re.search(python, make({"type": "string", "pattern": pattern}))


@pytest.mark.parametrize(("low", "high"), [(0, 2), (20, 25), (60, 60), (500, 600)])
def test_pattern_and_length_agree(low: int, high: int) -> None:
    made = make({"type": "string", "pattern": "^[a-z]+$", "minLength": low, "maxLength": high})

    assert re.fullmatch("[a-z]+", made)
    assert low <= len(made) <= high


@pytest.mark.parametrize(
    "name",
    [
        "date-time",
        "date",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "uuid",
        "uri",
        "json-pointer",
        "regex",
    ],
)
def test_string_has_its_format(name: str) -> None:
    schema = {"type": "string", "format": name}
    for seed in range(8):
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(make(schema, seed))


def test_time_has_seconds_and_an_offset() -> None:
    assert re.fullmatch(r"\d\d:\d\d:\d\dZ", make({"type": "string", "format": "time"}))


def test_unknown_format_demands_nothing() -> None:
    assert make(an_object(city={"type": "string", "format": "place"})) == {"city": "Paris"}


def test_values_suit_their_names_and_the_prompt() -> None:
    texts = {name: {"type": "string"} for name in ("name", "city", "location", "title", "question", "email")}
    made = make(an_object(**texts, age={"type": "integer"}, degrees={"type": "number"}))

    assert made == {
        "name": "Alice Smith",
        "city": "Paris",
        "location": "Paris",
        "title": "Weather in Paris",
        "question": "Does Alice Smith, aged 34, like the weather in Paris at 4.5 degrees",
        "email": made["email"],
        "age": 34,
        "degrees": 4.5,
    }
    assert made["email"].endswith("@example.com")


def test_examples_are_used_where_nothing_else_tells() -> None:
    assert make(an_object(zone={"type": "string", "examples": ["Europe/Vienna"]})) == {"zone": "Europe/Vienna"}


def test_properties_come_in_the_order_of_the_schema_with_optional_ones() -> None:
    schema = {"properties": {name: {"type": "integer"} for name in "zyxa"}, "required": ["extra", "x"]}

    assert list(make(schema)) == ["z", "y", "x", "a", "extra"]


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        (
            {"type": "object", "properties": {"x": {"type": "str"}}},
            "In context=('properties', 'x'), 'str' is not valid",
        ),
        ({"$ref": "#/$defs/Missing"}, "In context=(), reference to component '#/$defs/Missing' which was not found"),
        ({"$ref": "https://example.com/schema"}, "reference to 'https://example.com/schema' is not a JSON pointer"),
        ({"items": {"pattern": "("}}, "In context=('items',), '(' is not a valid regular expression"),
        ({"properties": []}, "In context=(), [] is not of type 'object' ('properties')."),
        ({"required": "x"}, "'x' is not an array of strings ('required')."),
        ({"items": [{}]}, "In context=('items',), [{}] is not of type 'object', 'boolean'."),
        ({"minLength": -1}, "-1 is not a non-negative integer ('minLength')."),
        ({"anyOf": []}, "[] is not a non-empty array ('anyOf')."),
        ({"minimum": "1"}, "'1' is not of type 'number' ('minimum')."),
        (
            an_object(x={"type": "integer", "minimum": 5, "maximum": 4}),
            "In context=('properties', 'x'), no integer lies",
        ),
        (an_object(x={"type": "string", "minLength": 5, "maxLength": 4}), "minLength 5 is more than maxLength 4."),
        (an_object(x={"type": "string", "pattern": "^a$", "minLength": 2}), "no string of the right length was found"),
        (
            an_object(x={"allOf": [{"type": "string"}, {"type": "null"}]}),
            "the types that are demanded exclude each other.",
        ),
        (an_object(x={"$ref": "#"}), "no value ends"),
        ({"$ref": "#"}, "no value ends"),
        (False, "nothing is allowed"),
        ({"type": "array", "minItems": 10**9}, "no value of less than"),
        ({"type": "string", "minLength": 10**9}, "minLength 1000000000 is more than"),
        ({"type": "array", "items": {"const": 1}, "uniqueItems": True, "minItems": 2}, "not enough different items."),
        ({"not": {}}, "no value"),
        ({"maxProperties": 1, "required": ["a", "b"]}, "more than 1 properties are required."),
    ],
)
def test_unusable_schema_is_told_with_its_place(schema: Any, problem: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(problem)):
        make(schema)


@pytest.mark.parametrize("pattern", ["(" * 2000 + ")" * 2000, "((a{900}){900}){900}", "a{1000000}"])
def test_hostile_pattern_is_refused_in_time(pattern: str) -> None:
    with pytest.raises(SchemaError):
        make({"type": "string", "pattern": f"^x{pattern}$"})


def test_open_pattern_is_filled_up() -> None:
    assert len(make({"type": "string", "pattern": "^x-", "minLength": 12})) == 12


def test_nesting_has_a_limit() -> None:
    schema: Any = {"type": "string"}
    for _ in range(400):
        schema = {"type": "array", "items": schema, "minItems": 1}

    with pytest.raises(SchemaError, match="nested more than"):
        make(schema)


def test_thirty_levels_are_fine() -> None:
    schema: Any = {"type": "string"}
    for _ in range(30):
        schema = an_object(inner=schema)

    assert is_valid(make(schema), schema)


def structured(schema: Any, **options: Any) -> TextReply:
    wanted = TextWanted(prompts=(Prompt(text="Weather in Paris?"),), schema=schema, **options)
    reply = Generator().generate(wanted, "9e" * 32)
    assert isinstance(reply, TextReply)
    return reply


def test_answer_is_compact_json_of_the_schema() -> None:
    content = structured(an_object(city={"type": "string"}, sunny={"const": True})).choices[0].content

    assert content == '{"city":"Paris","sunny":true}'


def test_json_is_cut_like_any_text() -> None:
    schema = an_object(city={"type": "string"})
    cut = structured(schema, max_tokens=3).choices[0]

    assert (cut.content, cut.finish_reason) == ('{"city":"', "length")


def test_unusable_response_format_is_refused() -> None:
    with pytest.raises(BadRequest) as raised:
        structured({"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}})

    error = raised.value
    assert error.message == (
        "Invalid schema for response_format: In context=('properties', 'a'), "
        "reference to component '#/$defs/A' which was not found in the schema."
    )
    assert (error.status, error.param, error.code) == (400, "response_format", "invalid_json_schema")


@pytest.mark.parametrize(
    ("prompt", "fields"),
    [
        ("Tell me about dogs in JSON", ["topic", "answer", "keywords"]),
        ("Give JSON with the keys name, age and city for Alice", ["name", "age", "city"]),
        ('Answer as {"verdict": ..., "score": ...}', ["verdict", "score"]),
    ],
)
def test_json_mode_gives_a_small_object(prompt: str, fields: list[str]) -> None:
    wanted = TextWanted(prompts=(Prompt(text=prompt),), json_object=True)
    reply = Generator().generate(wanted, "9e" * 32)
    assert isinstance(reply, TextReply)

    assert list(json.loads(reply.choices[0].content or "")) == fields


def test_json_mode_finds_its_fields_in_the_other_messages() -> None:
    wanted = TextWanted(
        prompts=(Prompt(text="Vienna", context=("Reply with fields: city, country.",)),), json_object=True
    )
    reply = Generator().generate(wanted, "9e" * 32)
    assert isinstance(reply, TextReply)

    assert list(json.loads(reply.choices[0].content or "")) == ["city", "country"]


# Any schema at all ---------------------------------------------------------------------------------------------------

small = st.integers(0, 4)
names = st.sampled_from(["name", "city", "x", "count", "tags"])
scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["a", "blue", ""])
patterns = st.sampled_from(["^[a-z]+$", "^[A-Z]{2}\\d*$", "x", "^(a|b)?$", "^.{2,5}$"])


def some(**keywords: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keywords)


def typed(name: str, **keywords: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return some(**keywords).map(lambda schema: {"type": name, **schema})


numbers = {
    "minimum": st.integers(-50, 50) | st.floats(-50, 50),
    "maximum": st.integers(-50, 50) | st.floats(-50, 50),
    "exclusiveMinimum": st.integers(-50, 50),
    "exclusiveMaximum": st.integers(-50, 50),
    "multipleOf": st.sampled_from([1, 2, 0.5, 0.1, 3]),
}
leaves = st.one_of(
    st.sampled_from([{}, True, False, {"type": "boolean"}, {"type": "null"}, {"type": ["null", "integer"]}]),
    typed("integer", **numbers),
    typed("number", **numbers),
    typed("string", minLength=small, maxLength=small.map(lambda size: size + 3), pattern=patterns),
    typed("string", format=st.sampled_from(["date", "email", "uuid"])),
    st.lists(scalars, min_size=1, max_size=4).map(lambda values: {"enum": values}),
    scalars.map(lambda constant: {"const": constant}),
)


def grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    of_names = st.dictionaries(names, inner, max_size=3)
    return st.one_of(
        typed(
            "object",
            properties=of_names,
            required=st.lists(names, max_size=2, unique=True),
            additionalProperties=inner,
            patternProperties=st.dictionaries(st.sampled_from(["^x", "a"]), inner, max_size=1),
            minProperties=small,
            maxProperties=small,
            propertyNames=st.sampled_from([True, {"maxLength": 4}, {"pattern": "^[a-z]+$"}]),
            dependentRequired=st.dictionaries(names, st.lists(names, max_size=2, unique=True), max_size=2),
        ),
        typed(
            "array",
            items=inner,
            prefixItems=several,
            contains=inner,
            minContains=small,
            maxContains=small,
            minItems=small,
            maxItems=small,
            uniqueItems=st.booleans(),
        ),
        some(anyOf=several, oneOf=several, allOf=several, type=st.sampled_from(["object", "string", "integer"])),
        st.fixed_dictionaries({"if": inner, "then": inner}, optional={"else": inner, "not": inner}),
    )


schemas = st.recursive(leaves, grown, max_leaves=8)


@given(schemas, st.integers(0, 3))
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_value_is_valid(schema: Any, seed: int) -> None:
    try:
        made = make(schema, seed)
    except SchemaError:
        return  # none was found; that some is found where there is one, the tables above show
    assert is_valid(made, schema), made
