"""The items of a conversation: as a client gives them, and as the API shows them, with all that belongs to them."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from replay_server.endpoints.description import SCHEMAS
from replay_server.endpoints.objects import Kept
from replay_server.endpoints.shapes import Shape, alternatives
from replay_server.interaction import Json, JsonObject
from replay_server.keys import canonical_json, normalise

Item = dict[str, Json]

_ITEM: Shape = {"$ref": f"{SCHEMAS}ConversationItem"}
_PREFIXES: Mapping[str, str] = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "web_search_call": "ws",
    "file_search_call": "fs",
    "code_interpreter_call": "ci",
    "image_generation_call": "ig",
    "computer_call": "cu",
    "computer_call_output": "cuo",
    "mcp_list_tools": "mcpl",
    "mcp_call": "mcp",
    "mcp_approval_request": "mcpr",
    "mcp_approval_response": "mcpa",
    "compaction": "cmp",
}

_GIVEN_OR: Mapping[str, JsonObject] = {"input_image": {"detail": "auto"}}
"""What a part of a message has, where the client does not say it."""


def items_of(conversation: Kept) -> list[Item]:
    """The items of a conversation, the first one first."""
    items: list[Item] = orjson.loads(conversation.content or b"[]")
    return items


def with_items(conversation: Kept, items: Sequence[JsonObject]) -> Kept:
    """The conversation with these items in place of its own. In a key its id means what they say."""
    said = [{name: normalise(value) for name, value in item.items() if name != "id"} for item in items]
    meaning = hashlib.sha256(canonical_json(said)).hexdigest()
    return conversation._replace(content=orjson.dumps([dict(item) for item in items]), stands_for=meaning)


def kind_of(item: JsonObject) -> str:
    """The type of an item: what has none is a message."""
    return str(item.get("type") or "message")


def id_prefix(item: JsonObject) -> str:
    """What the id of an item begins with: `msg_`."""
    return f"{_PREFIXES.get(kind_of(item), 'item')}_"


def shown_item(item: JsonObject, name: str) -> Item:
    """An item as the API shows it, under this id."""
    kind = kind_of(item)
    shape = _shape(alternatives(_ITEM), kind)
    given: Item = {**item, "type": kind, "id": name}
    if kind == "message":
        given["content"] = _content(item, shape)
    if kind == "mcp_approval_response":
        given["request_id"] = item.get("approval_request_id")
    filled = _filled(given, shape)
    head: Item = {field: filled[field] for field in ("type", "id", "status") if field in filled}
    return {**head, **filled}


def _content(message: JsonObject, shape: Shape) -> Json:
    """The parts of a message: a text alone is one of them."""
    content = message.get("content")
    if isinstance(content, str):
        content = [{"type": "output_text" if message.get("role") == "assistant" else "input_text", "text": content}]
    parts = alternatives(shape.get("properties", {}).get("content", {}).get("items", {}))
    return [_part(part, parts) for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _part(part: JsonObject, shapes: Sequence[Shape]) -> Item:
    kind = str(part.get("type"))
    return _filled({**_GIVEN_OR.get(kind, {}), **part}, _shape(shapes, kind))


def _shape(shapes: Sequence[Shape], kind: str) -> Shape:
    """The one whose `type` is this; none asks for nothing."""
    return next((shape for shape in shapes if kind in _type(shape).get("enum", ())), {})


def _type(shape: Shape) -> Shape:
    found: Shape = shape.get("properties", {}).get("type", {})
    return found


def _filled(value: Mapping[str, Json], shape: Shape) -> Item:
    """The value, with what the API always shows and nobody has to give. What a client left null is not given."""
    properties: Mapping[str, Any] = shape.get("properties", {})
    given = {name: member for name, member in value.items() if member is not None}
    absent = [name for name in shape.get("required", ()) if name not in given and name in properties]
    return {**given, **{name: _usual(alternatives(properties[name])) for name in absent}}


def _usual(shapes: Sequence[Shape]) -> Json:
    words = [word for shape in shapes for word in shape.get("enum", ())]
    if usual := next((word for word in ("completed", "auto") if word in words), None):
        return usual
    return [] if any(shape["type"] == "array" for shape in shapes) else None
