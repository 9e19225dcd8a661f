"""Stored chat completions: what was asked for with `store`. Wire facts: OpenAI's API description 2.3.0."""

from collections.abc import Sequence

import orjson

from replay_server.endpoints.base import Route
from replay_server.endpoints.objects import Kept, Objects
from replay_server.endpoints.openai import json_response
from replay_server.endpoints.operation import Call, Operation, page, with_metadata
from replay_server.errors import BadRequest
from replay_server.interaction import Json, JsonObject, Request, WireResponse

_KIND = "chat.completion"
_PATH = "/chat/completions/{completion_id}"


async def keep_chat(request: Request, said: Json, key: str, objects: Objects) -> None:
    """Keep a completion. A recording that is none cannot be asked for again."""
    if not isinstance(said, dict) or not isinstance(said.get("id"), str):
        return
    stored = {**said, "metadata": request.body.get("metadata") or {}}
    messages = orjson.dumps(request.body.get("messages"))  # they can be listed
    await objects.put(_KIND, Kept(str(said["id"]), stored, messages, key))


async def _list(call: Call) -> WireResponse:
    kept = [each.value for each in await call.objects.all(_KIND)]
    if model := call.query.get("model"):
        kept = [value for value in kept if value.get("model") == model or str(value["model"]).startswith(f"{model}-")]
    return json_response(page(call, with_metadata(call, kept), order="asc"), call.stamp)


async def _retrieve(call: Call) -> WireResponse:
    return json_response((await _found(call)).value, call.stamp)


async def _update(call: Call) -> WireResponse:
    kept = await _found(call)
    metadata = call.json().get("metadata")
    if not isinstance(metadata, dict):
        problem = "Missing required parameter" if metadata is None else "Invalid type for"
        code = "missing_required_parameter" if metadata is None else "invalid_type"
        raise BadRequest(f"{problem}: 'metadata'.", param="metadata", code=code)
    changed = kept._replace(value={**kept.value, "metadata": metadata})
    await call.objects.put(_KIND, changed)
    return json_response(changed.value, call.stamp)


async def _delete(call: Call) -> WireResponse:
    kept = await _found(call)
    await call.objects.remove(_KIND, kept.id)
    return json_response({"object": "chat.completion.deleted", "id": kept.id, "deleted": True}, call.stamp)


async def _messages(call: Call) -> WireResponse:
    kept = await _found(call)
    shown = _shown(kept.id, orjson.loads(kept.content))
    return json_response(page(call, shown, order="asc"), call.stamp)


def _shown(id: str, messages: Json) -> Sequence[JsonObject]:
    """The messages of the request, as the API lists them: a text as the content, parts beside it."""
    listed = [message for message in messages if isinstance(message, dict)] if isinstance(messages, list) else []
    return [{"id": f"{id}-{place}", **_message(message)} for place, message in enumerate(listed)]


def _message(message: dict[str, Json]) -> dict[str, Json]:
    content = message.get("content")
    if not isinstance(content, list):
        return {"refusal": None, **message, "content": content, "content_parts": None}
    texts = [part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)]
    return {"refusal": None, **message, "content": "".join(map(str, texts)) or None, "content_parts": content}


async def _found(call: Call) -> Kept:
    wanted = call.parameters["completion_id"]
    return await call.found(_KIND, wanted, f"No completion found with id '{wanted}'")


OPERATIONS = (
    Operation(Route("GET", "/chat/completions", "listChatCompletions", "List stored chat completions"), _list),
    Operation(Route("GET", _PATH, "getChatCompletion", "Retrieve a stored chat completion"), _retrieve),
    Operation(Route("POST", _PATH, "updateChatCompletion", "Change a stored completion's metadata"), _update),
    Operation(Route("DELETE", _PATH, "deleteChatCompletion", "Delete a stored chat completion"), _delete),
    Operation(Route("GET", f"{_PATH}/messages", "getChatCompletionMessages", "List its messages"), _messages),
)
