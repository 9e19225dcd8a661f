"""Conversations and their items. Wire facts: OpenAI's API description 2.3.0; refusals as the live API gave them."""

from collections.abc import Sequence

from replay_server.endpoints.base import Route
from replay_server.endpoints.conversation_items import Item, id_prefix, items_of, kind_of, shown_item, with_items
from replay_server.endpoints.description import request_schema
from replay_server.endpoints.objects import Kept
from replay_server.endpoints.openai import json_response
from replay_server.endpoints.operation import Call, Operation, page
from replay_server.endpoints.validation import check
from replay_server.errors import NotFound
from replay_server.interaction import Json, WireResponse

CONVERSATION = "conversation"
"""The kind of conversations, and of ids in requests that mean one."""

_PATH = "/conversations/{conversation_id}"
_ITEMS = f"{_PATH}/items"
_ITEM = f"{_ITEMS}/{{item_id}}"


async def _create(call: Call) -> WireResponse:
    asked = call.json()
    check(asked, request_schema("createConversation"))
    new = await call.new(CONVERSATION)
    value: dict[str, Json] = {
        "id": f"conv_{new.stamp.hex('conversation', 48)}",
        "object": "conversation",
        "created_at": new.created,
        "metadata": asked.get("metadata") or {},
    }
    empty = Kept(str(value["id"]), value)
    kept = with_items(empty, await _shown(call, empty, asked.get("items")))
    await call.objects.put(CONVERSATION, kept)
    return json_response(value, call.stamp)


async def _retrieve(call: Call) -> WireResponse:
    return json_response((await _found(call)).value, call.stamp)


async def _update(call: Call) -> WireResponse:
    kept = await _found(call)
    asked = call.json()
    check(asked, request_schema("updateConversation"))
    changed = kept._replace(value={**kept.value, "metadata": asked["metadata"] or {}})
    await call.objects.put(CONVERSATION, changed)
    return json_response(changed.value, call.stamp)


async def _delete(call: Call) -> WireResponse:
    kept = await _found(call)
    await call.objects.remove(CONVERSATION, kept.id)
    return json_response({"id": kept.id, "object": "conversation.deleted", "deleted": True}, call.stamp)


async def _found(call: Call) -> Kept:
    wanted = call.parameters["conversation_id"]
    return await call.found(CONVERSATION, wanted, f"Conversation with id '{wanted}' not found.")


# Items ---------------------------------------------------------------------------------------------------------------


async def _shown(call: Call, conversation: Kept, asked: Json) -> list[Item]:
    """Items that a client gives, as the API shows them. Raises NotFound for a reference to one that is not there."""
    items = [item for item in asked if isinstance(item, dict)] if isinstance(asked, list) else []
    referred = [_referred(conversation, item) for item in items]
    return [shown_item(item, await _new_id(call, item)) for item in referred]


def _referred(conversation: Kept, item: Item) -> Item:
    return _item(items_of(conversation), str(item.get("id"))) if kind_of(item) == "item_reference" else item


async def _new_id(call: Call, item: Item) -> str:
    return id_prefix(item) + (await call.new("conversation.item")).stamp.hex("item", 48)


def _item(items: Sequence[Item], wanted: str) -> Item:
    found = next((item for item in items if item["id"] == wanted), None)
    if found is None:
        raise NotFound(f"Item with id '{wanted}' not found.")
    return found


async def _add_items(call: Call) -> WireResponse:
    kept = await _found(call)
    asked = call.json()
    check(asked, request_schema("createConversationItems"))
    added = await _shown(call, kept, asked["items"])
    await call.objects.put(CONVERSATION, with_items(kept, [*items_of(kept), *added]))
    ids = {"first_id": added[0]["id"], "last_id": added[-1]["id"]} if added else {"first_id": "", "last_id": ""}
    return json_response({"object": "list", "data": added, **ids, "has_more": False}, call.stamp)


async def _list_items(call: Call) -> WireResponse:
    return json_response(page(call, items_of(await _found(call))), call.stamp)


async def _retrieve_item(call: Call) -> WireResponse:
    kept = await _found(call)
    return json_response(_item(items_of(kept), call.parameters["item_id"]), call.stamp)


async def _delete_item(call: Call) -> WireResponse:
    kept = await _found(call)
    items = items_of(kept)
    items.remove(_item(items, call.parameters["item_id"]))
    await call.objects.put(CONVERSATION, with_items(kept, items))
    return json_response(kept.value, call.stamp)


OPERATIONS = (
    Operation(Route("POST", "/conversations", "createConversation", "Begin a conversation"), _create),
    Operation(Route("GET", _PATH, "getConversation", "Retrieve a conversation"), _retrieve),
    Operation(Route("POST", _PATH, "updateConversation", "Change a conversation's metadata"), _update),
    Operation(Route("DELETE", _PATH, "deleteConversation", "Delete a conversation"), _delete),
    Operation(Route("POST", _ITEMS, "createConversationItems", "Add items to a conversation"), _add_items),
    Operation(Route("GET", _ITEMS, "listConversationItems", "List the items of a conversation"), _list_items),
    Operation(Route("GET", _ITEM, "getConversationItem", "Retrieve an item of a conversation"), _retrieve_item),
    Operation(Route("DELETE", _ITEM, "deleteConversationItem", "Delete an item of a conversation"), _delete_item),
)
