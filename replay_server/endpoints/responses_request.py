"""What a request of the Responses API says: its input in canonical form, the shape of the answer. Total functions."""

from replay_server.endpoints.chat_request import is_plain, numbered, without_prose
from replay_server.interaction import Json, JsonObject
from replay_server.keys import normalise, normalise_arguments

LOGPROBS = "message.output_text.logprobs"
_TEXT_PARTS = ("input_text", "output_text", "text")
_NOT_SAID = ("id", "status")
"""What an item of an earlier answer brings along, new with every answer."""
_OF_A_PART = ("annotations", "logprobs")


# Canonical -----------------------------------------------------------------------------------------------------------


def canonical_request(body: JsonObject) -> JsonObject:
    """Model, instructions, input and what went before, normalised."""
    carried = {"instructions": normalise(body.get("instructions")), **context(body), "prompt": _prompt(body)}
    return {
        "model": normalise(body.get("model")),
        **{name: value for name, value in carried.items() if value not in (None, "", {})},
        "input": canonical_input(body.get("input")),
    }


def context(body: JsonObject) -> dict[str, Json]:
    """What went before, by its id: the one place that says so, where an id can become what it stands for."""
    conversation = body.get("conversation")
    if isinstance(conversation, dict):
        conversation = conversation.get("id")
    return {"previous_response_id": body.get("previous_response_id"), "conversation": conversation}


def _prompt(body: JsonObject) -> Json:
    """A prompt that is kept by the API: its id, version and variables."""
    return normalise(body.get("prompt"))


def canonical_input(value: Json) -> Json:
    """The items, normalised, calls numbered by first use and their arguments as JSON. A text is what the user says."""
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    if not isinstance(value, list):
        return normalise(value)
    numbers: dict[str, str] = {}
    # Thoughts are the model's own, and new each time; some clients send them back, others do not.
    said = [item for item in value if not (isinstance(item, dict) and item.get("type") == "reasoning")]
    return [item if is_plain(item) else _canonical_item(item, numbers) for item in said]


def _canonical_item(item: Json, numbers: dict[str, str]) -> Json:
    plain = normalise(item)
    if not isinstance(item, dict) or not isinstance(plain, dict):
        return plain
    kind = plain.get("type", "message")
    if kind in ("item_reference", "mcp_approval_request"):
        return plain if kind == "item_reference" else _approved(plain, "id", numbers)
    for name in _NOT_SAID:
        plain.pop(name, None)
    if kind == "message":
        return _canonical_message(plain)
    if isinstance(call_id := plain.get("call_id"), str):
        plain["call_id"] = numbered(call_id, numbers)
    if "arguments" in item:
        plain["arguments"] = normalise_arguments(item["arguments"])
    if "output" in plain:
        plain["output"] = _one_text(plain["output"])
    return _approved(plain, "approval_request_id", numbers)


def _canonical_message(plain: dict[str, Json]) -> Json:
    plain.pop("type", None)
    if "content" in plain:
        plain["content"] = _one_text(plain["content"])
    return plain


def _approved(plain: dict[str, Json], name: str, numbers: dict[str, str]) -> Json:
    """The item with the id by which a request is approved numbered, too."""
    if isinstance(request_id := plain.get(name), str):
        plain[name] = numbered(request_id, numbers)
    return plain


def _one_text(content: Json) -> Json:
    """The parts of a content; the text itself, where there is nothing else."""
    if not isinstance(content, list):
        return content
    parts = [_canonical_part(part) for part in content]
    if len(parts) == 1 and isinstance(part := parts[0], dict) and _is_text(part):
        return part.get("text", "")
    return parts


def _is_text(part: JsonObject) -> bool:
    return part.get("type") in _TEXT_PARTS and part.keys() <= {"type", "text"}


def _canonical_part(part: Json) -> Json:
    if not isinstance(part, dict):
        return part
    kept = {name: value for name, value in part.items() if name not in _OF_A_PART}
    if kept.get("detail") == "auto":
        del kept["detail"]
    return kept


# Shape ---------------------------------------------------------------------------------------------------------------


def shape_of_tools(body: JsonObject) -> Json:
    """Names and parameter schemas of the client's tools, kinds of the API's own: all else is drift."""
    tools = body["tools"]
    if not isinstance(tools, list):
        return normalise(tools)
    return [_shape_of_tool(tool) for tool in tools] or None


def _shape_of_tool(tool: Json) -> Json:
    if not isinstance(tool, dict):
        return normalise(tool)
    if tool.get("type") == "function":
        return {"name": tool.get("name"), "parameters": without_prose(normalise(tool.get("parameters")))}
    return {name: tool[name] for name in ("type", "name", "server_label") if name in tool}


def shape_of_tool_choice(body: JsonObject) -> Json:
    """The choice; None where it is what the API takes anyway."""
    choice = normalise(body["tool_choice"])
    return None if choice == "auto" or (choice == "none" and not body.get("tools")) else choice


def shape_of_text(body: JsonObject) -> Json:
    """The format: its kind, and its schema without descriptions; None for plain text."""
    text = normalise(body["text"])
    form = text.get("format") if isinstance(text, dict) else text
    if isinstance(form, dict) and form.get("type") == "json_schema":
        return {"type": "json_schema", "schema": without_prose(form.get("schema"))}
    return None if form == {"type": "text"} else form


def shape_of_include(body: JsonObject) -> Json:
    """Whether logprobs are included: all else only adds to what is there."""
    return [LOGPROBS] if includes(body, LOGPROBS) else None


def includes(body: JsonObject, name: str) -> bool:
    """Whether the request asks for more of the answer than it has by itself."""
    include = body.get("include")
    return isinstance(include, list) and name in include
