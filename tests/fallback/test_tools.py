import json

import pytest
from jsonschema import Draft202012Validator

from replay_server.errors import BadRequest
from replay_server.fallback import Generator, count
from replay_server.interaction import Choice, JsonObject, Prompt, TextReply, TextWanted, Tool

KEY = "77" * 32


def tool(name: str, description: str = "", **properties: JsonObject) -> Tool:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return Tool(name=name, description=description, parameters=parameters)


WEATHER = tool(
    "get_weather",
    "Get the current weather",
    location={"type": "string"},
    unit={"type": "string", "enum": ["celsius", "fahrenheit"]},
)
MAIL = tool("send_email", "Send an email", to={"type": "string", "format": "email"}, body={"type": "string"})
CLOCK = tool("local_time", "What time it is in a city", city={"type": "string"})


def generate(text: str, *tools: Tool, key: str = KEY, **options: object) -> TextReply:
    wanted = TextWanted(prompts=(Prompt(text=text),), tools=tools, **options)
    reply = Generator().generate(wanted, key)
    assert isinstance(reply, TextReply)
    return reply


def answer(text: str, *tools: Tool, **options: object) -> Choice:
    return generate(text, *tools, **options).choices[0]


def names(choice: Choice) -> list[str]:
    return [call.name for call in choice.tool_calls]


@pytest.mark.parametrize(
    ("prompt", "options", "called"),
    [
        ("What's the weather in Paris?", {}, ["get_weather"]),
        ("Please draft two emails for Anna", {}, ["send_email"]),
        ("Who wrote Faust?", {}, []),
        ("Who wrote Faust?", {"must_call": True}, ["get_weather"]),
        ("Email the weather report", {}, ["get_weather", "send_email"]),
        ("Email the weather report", {"parallel": False}, ["get_weather"]),
        ("Time, weather and email, please", {}, ["get_weather", "send_email"]),
        ("What's the weather in Paris?", {"after_tool_result": True}, []),
        ("What's the weather in Paris?", {"after_tool_result": True, "must_call": True}, ["get_weather"]),
    ],
)
def test_tools_are_called_by_the_rule(prompt: str, options: dict[str, object], called: list[str]) -> None:
    choice = answer(prompt, WEATHER, MAIL, CLOCK, **options)

    assert names(choice) == called
    assert (choice.content is None) == bool(called)
    assert choice.finish_reason == ("tool_calls" if called else "stop")


def test_arguments_come_from_the_prompt() -> None:
    (call,) = answer("What's the weather in San Francisco, in fahrenheit?", WEATHER).tool_calls

    assert call.arguments == '{"location":"San Francisco","unit":"fahrenheit"}'
    assert call.id is None


def test_numbers_come_from_the_prompt() -> None:
    add = tool("add", "Add two numbers", a={"type": "integer"}, b={"type": "number"})

    assert answer("Add 17 and 4.5", add, must_call=True).tool_calls[0].arguments == '{"a":17,"b":4.5}'


@pytest.mark.parametrize("chosen", [WEATHER, MAIL, CLOCK, Tool(name="ping")], ids=lambda chosen: str(chosen.name))
def test_arguments_are_valid(chosen: Tool) -> None:
    for place in range(10):
        (call,) = answer("Tell Bob at bob@host.org about it", chosen, must_call=True, seed=place).tool_calls
        Draft202012Validator(chosen.parameters).validate(json.loads(call.arguments))


def test_tool_without_parameters_gets_an_empty_object() -> None:
    assert answer("ping", Tool(name="ping"), must_call=True).tool_calls[0].arguments == "{}"


def test_custom_tool_gets_free_text() -> None:
    (call,) = answer("Run ls in the shell", Tool(name="shell", kind="custom")).tool_calls

    assert (call.kind, call.arguments) == ("custom", "Run ls in the shell")


def test_text_after_a_tool_result_speaks_of_the_prompt() -> None:
    assert "the weather in Paris" in (
        answer("How is the weather in Paris?", WEATHER, after_tool_result=True).content or ""
    )


def test_endpoint_says_what_a_call_ends_with() -> None:
    assert answer("weather", WEATHER, call_finish_reason="stop").finish_reason == "stop"


def test_arguments_are_streamed_in_pieces() -> None:
    (call,) = answer("weather in Rome", WEATHER, stream=True).tool_calls

    assert "".join(call.deltas or ()) == call.arguments
    assert len(call.deltas or ()) > 3
    assert answer("weather in Rome", WEATHER).tool_calls[0].deltas is None


@pytest.mark.parametrize("limit", range(12))
def test_limit_cuts_arguments(limit: int) -> None:
    whole = answer("weather in Rome", WEATHER).tool_calls[0].arguments
    reply = generate("weather in Rome", WEATHER, max_tokens=limit)
    choice = reply.choices[0]

    assert reply.usage is not None
    assert reply.usage.completion_tokens <= limit
    assert choice.finish_reason == "length"
    assert all(whole.startswith(call.arguments) and call.arguments != whole for call in choice.tool_calls)


def test_second_call_is_dropped_when_the_first_takes_all() -> None:
    both = answer("Email the weather report", WEATHER, MAIL).tool_calls
    cost = count(both[0].name) + count(both[0].arguments)

    assert names(answer("Email the weather report", WEATHER, MAIL, max_tokens=cost)) == ["get_weather"]


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"type": "string"}, "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"string\"'."),
        ({"type": "object", "properties": {"x": {"type": "text"}}}, "In context=('properties', 'x'), 'text' is not"),
        ({"$ref": "#/$defs/Nothing"}, "reference to component '#/$defs/Nothing' which was not found in the schema."),
    ],
)
def test_unusable_parameters_are_refused_even_if_not_called(parameters: JsonObject, problem: str) -> None:
    with pytest.raises(BadRequest) as raised:
        generate("Hello", Tool(name="bad", parameters=parameters))

    error = raised.value
    assert error.message.startswith("Invalid schema for function 'bad': In context=(")
    assert problem in error.message
    assert (error.param, error.code) == ("tools", "invalid_function_parameters")


def test_parameters_without_any_value_are_refused() -> None:
    never = Tool(name="never", parameters={"properties": {"x": False}, "required": ["x"]})

    with pytest.raises(BadRequest, match="function 'never'"):
        generate("Hello", never, must_call=True)
