"""What a chat request says: its messages in canonical form, the shape of the answer, what it wants. Total functions."""

from collections.abc import Iterator

from replay_server.endpoints.text import integer, stop_sequences
from replay_server.interaction import Json, JsonObject, Prompt, Request, TextWanted, Tool
from replay_server.keys import normalise, normalise_arguments

# OpenAI's published way to count a chat: 3 tokens to prime the answer, 3 around each message, 1 for a name.
_PRIMING_TOKENS = 3
_MESSAGE_TOKENS = 3
_NAME_TOKENS = 1
_IMAGE_TOKENS = 85
"""An image at low detail; what more it costs depends on a size that only the real model sees."""


# Canonical -----------------------------------------------------------------------------------------------------------


def canonical_messages(messages: Json) -> Json:
    """The messages, normalised, with tool-call ids numbered by first use and tool arguments as JSON."""
    if not isinstance(messages, list):
        return normalise(messages)
    numbers: dict[str, str] = {}
    return [_canonical_message(message, numbers) for message in messages]


_PLAIN = {"role", "content"}


def is_plain(message: Json) -> bool:
    """Whether a message is two texts, neither empty."""
    return (
        isinstance(message, dict)
        and message.keys() == _PLAIN
        and all(text.__class__ is str and text for text in message.values())
    )


def _canonical_message(message: Json, numbers: dict[str, str]) -> Json:
    if is_plain(message):  # nearly always: there is nothing to normalise
        return message
    plain = normalise(message)
    if not isinstance(message, dict) or not isinstance(plain, dict):
        return plain
    if isinstance(calls := message.get("tool_calls"), list) and calls:
        plain["tool_calls"] = [_canonical_call(call, numbers) for call in calls]
    if isinstance(call_id := plain.get("tool_call_id"), str):
        plain["tool_call_id"] = numbered(call_id, numbers)
    if isinstance(call := plain.get("function_call"), dict):
        plain["function_call"] = {**call, "arguments": normalise_arguments(call.get("arguments"))}
    return plain


def _canonical_call(call: Json, numbers: dict[str, str]) -> Json:
    plain = normalise(call)
    if not isinstance(call, dict) or not isinstance(plain, dict):
        return plain
    plain.pop("index", None)  # left by those who send a stream's deltas back
    if plain.get("type") == "function":
        del plain["type"]
    if isinstance(call_id := plain.get("id"), str):
        plain["id"] = numbered(call_id, numbers)
    if isinstance(function := call.get("function"), dict):
        plain["function"] = {
            "name": function.get("name"),
            "arguments": normalise_arguments(function.get("arguments")),
        }
    return plain


def numbered(call_id: str, numbers: dict[str, str]) -> str:
    """What stands for the id of a tool call: its number by first use."""
    return numbers.setdefault(call_id, f"call {len(numbers) + 1}")


# Shape ---------------------------------------------------------------------------------------------------------------


def shape_of_tools(body: JsonObject) -> Json:
    """Names and parameter schemas: a reworded description is drift."""
    tools = body["tools"]
    if not isinstance(tools, list):
        return normalise(tools)
    return [_shape_of_tool(tool) for tool in tools] or None


def _shape_of_tool(tool: Json) -> Json:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict):
        return normalise(tool)
    return {"name": function.get("name"), "parameters": without_prose(normalise(function.get("parameters")))}


def without_prose(schema: Json) -> Json:
    """A JSON Schema without its titles and descriptions. A property may bear either name, and stays."""
    if isinstance(schema, list):
        return [without_prose(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _named_schemas(value) if name in _NAMED_SCHEMAS else without_prose(value)
        for name, value in schema.items()
        if not (name in ("title", "description") and isinstance(value, str))
    }


_NAMED_SCHEMAS = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")


def _named_schemas(schemas: Json) -> Json:
    if not isinstance(schemas, dict):
        return schemas
    return {name: without_prose(schema) for name, schema in schemas.items()}


def shape_of_tool_choice(body: JsonObject) -> Json:
    """The choice; None where it is what the API takes anyway."""
    default = "auto" if body.get("tools") else "none"
    choice = normalise(body["tool_choice"])
    return None if choice == default else choice


def shape_of_response_format(body: JsonObject) -> Json:
    """The kind of text, and its schema without descriptions; None for plain text."""
    wanted = normalise(body["response_format"])
    if not isinstance(wanted, dict):
        return wanted
    if isinstance(named := wanted.get("json_schema"), dict):
        return {"type": wanted.get("type"), "schema": without_prose(named.get("schema"))}
    return None if wanted == {"type": "text"} else wanted


# Wanted --------------------------------------------------------------------------------------------------------------


def stream_options(body: JsonObject) -> JsonObject:
    """The stream options, empty where there are none."""
    options = body.get("stream_options")
    return options if isinstance(options, dict) else {}


def wanted(request: Request) -> TextWanted:
    """What a chat request asks for. What cannot be read counts as absent."""
    body = request.body
    messages = [message for message in _list(body.get("messages")) if isinstance(message, dict)]
    limit = integer(body, "max_completion_tokens")
    json_object, schema = _response_format(body.get("response_format"))
    tools, must_call, named = _callable_tools(body)
    return TextWanted(
        prompts=(prompt_of(messages),),
        n=integer(body, "n") or 1,
        max_tokens=integer(body, "max_tokens") if limit is None else limit,
        stop=stop_sequences(body.get("stop")),
        logprobs=(integer(body, "top_logprobs") or 0) if body.get("logprobs") is True else None,
        json_object=json_object,
        schema=schema,
        tools=tools,
        must_call=must_call,
        parallel=body.get("parallel_tool_calls") is not False,
        call_finish_reason="stop" if named else "tool_calls",  # the live API says stop for a call it was told to make
        after_tool_result=bool(messages) and messages[-1].get("role") in ("tool", "function"),
        seed=integer(body, "seed"),
        stream=request.stream,
    )


def prompt_of(messages: list[dict[str, Json]]) -> Prompt:
    """The last that the user said, and all the rest that costs tokens."""
    last_user = next((at for at in reversed(range(len(messages))) if messages[at].get("role") == "user"), None)
    texts = [list(_texts(message)) for message in messages]
    subject = "" if last_user is None else "\n".join(texts[last_user])
    context = [text for at, found in enumerate(texts) if at != last_user for text in found]
    names = [text for message in messages for name in ("role", "name") if isinstance(text := message.get(name), str)]
    framing = _PRIMING_TOKENS + sum(map(_framing, messages))
    return Prompt(text=subject, context=(*context, *names), framing_tokens=framing)


def _framing(message: JsonObject) -> int:
    images = sum(isinstance(part, dict) and part.get("type") == "image_url" for part in _list(message.get("content")))
    return _MESSAGE_TOKENS + (_NAME_TOKENS if message.get("name") else 0) + images * _IMAGE_TOKENS


def _texts(message: JsonObject) -> Iterator[str]:
    content = message.get("content")
    if isinstance(content, str):
        yield content
    for part in _list(content):
        if isinstance(part, dict) and isinstance(text := part.get("text"), str):
            yield text
    for call in _list(message.get("tool_calls")):
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            yield from (text for name in ("name", "arguments") if isinstance(text := function.get(name), str))


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _response_format(value: Json) -> tuple[bool, JsonObject | None]:
    if not isinstance(value, dict):
        return False, None
    named = value.get("json_schema")
    schema = named.get("schema") if isinstance(named, dict) else None
    if value.get("type") == "json_schema":
        return not isinstance(schema, dict), schema if isinstance(schema, dict) else None
    return value.get("type") == "json_object", None


# Tools ---------------------------------------------------------------------------------------------------------------


def _callable_tools(body: JsonObject) -> tuple[tuple[Tool, ...], bool, bool]:
    """The tools that tool_choice lets the model call; whether it must call one; whether it was told which."""
    tools = tuple(tool for item in _list(body.get("tools")) if (tool := _tool(item)) is not None)
    choice = body.get("tool_choice")
    if choice == "none":
        return (), False, False
    if not isinstance(choice, dict):
        return tools, choice == "required", False
    if isinstance(allowed := choice.get("allowed_tools"), dict):
        names = [_name_of(item) for item in _list(allowed.get("tools"))]
        return _named(tools, names), allowed.get("mode") == "required", False
    return _named(tools, [_name_of(choice)]), True, True


def _named(tools: tuple[Tool, ...], names: list[Json]) -> tuple[Tool, ...]:
    return tuple(tool for tool in tools if tool.name in names)


def _name_of(item: Json) -> Json:
    if not isinstance(item, dict):
        return None
    named = item.get("function") or item.get("custom") or item
    return named.get("name") if isinstance(named, dict) else None


def _tool(item: Json) -> Tool | None:
    if not isinstance(item, dict):
        return None
    kind = "custom" if item.get("type") == "custom" else "function"
    declared = item.get(kind)
    if not isinstance(declared, dict) or not isinstance(name := declared.get("name"), str):
        return None
    description, parameters = declared.get("description"), declared.get("parameters")
    return Tool(
        name=name,
        description=description if isinstance(description, str) else "",
        parameters=parameters if isinstance(parameters, dict) else {},
        kind=kind,
    )
