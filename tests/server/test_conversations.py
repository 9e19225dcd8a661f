"""Conversations and their items, as the `openai` client sees them."""

from typing import Any

import openai
import pytest

from replay_server.endpoints.conversation_items import items_of, with_items
from replay_server.endpoints.objects import Kept
from tests.described import faults
from tests.server.test_files import client


def message(text: str, role: str = "user") -> Any:
    return {"type": "message", "role": role, "content": text}


async def test_a_conversation_begins_with_its_items(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        made = await api.conversations.create(items=[message("Hi")], metadata={"topic": "greetings"})
        found = await api.conversations.retrieve(made.id)
        items = await api.conversations.items.list(made.id)

    assert (made.id[:5], len(made.id)) == ("conv_", 53)
    assert made.to_dict() == {
        "id": made.id,
        "object": "conversation",
        "created_at": 1_700_000_000,
        "metadata": {"topic": "greetings"},
    }
    (item,) = items.data
    assert item.to_dict() == {
        "type": "message",
        "id": item.id,
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_text", "text": "Hi"}],
    }
    assert (found, item.id and item.id[:4]) == (made, "msg_")
    assert faults("createConversation", made.to_dict()) + faults("listConversationItems", items.to_dict()) == []


async def test_a_conversation_is_changed_and_deleted(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        made = await api.conversations.create()
        changed = await api.conversations.update(made.id, metadata={"a": "b"})
        deleted = await api.conversations.delete(made.id)
        with pytest.raises(openai.NotFoundError, match=f"Conversation with id '{made.id}' not found"):
            await api.conversations.retrieve(made.id)

    assert (made.metadata, changed.metadata) == ({}, {"a": "b"})
    assert deleted.to_dict() == {"id": made.id, "object": "conversation.deleted", "deleted": True}
    assert faults("updateConversation", changed.to_dict()) + faults("deleteConversation", deleted.to_dict()) == []


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (
            message("Hello.", "assistant"),
            {
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "Hello.", "annotations": [], "logprobs": []}],
            },
        ),
        (
            {"role": "user", "content": [{"type": "input_image", "image_url": "https://a.test/b.png"}]},
            {
                "type": "message",
                "status": "completed",
                "role": "user",
                "content": [{"type": "input_image", "image_url": "https://a.test/b.png", "detail": "auto"}],
            },
        ),
        (
            {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}", "status": None},
            {"type": "function_call", "status": "completed", "call_id": "call_1", "name": "look", "arguments": "{}"},
        ),
        (
            {"type": "function_call_output", "call_id": "call_1", "output": "seen"},
            {"type": "function_call_output", "status": "completed", "call_id": "call_1", "output": "seen"},
        ),
        (
            {"type": "reasoning", "id": "rs_old", "summary": []},
            {"type": "reasoning", "summary": []},
        ),
        (
            {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True},
            {
                "type": "mcp_approval_response",
                "approval_request_id": "mcpr_1",
                "approve": True,
                "request_id": "mcpr_1",
            },
        ),
    ],
    ids=["said before", "picture", "call", "output", "reasoning", "approval"],
)
async def test_an_item_is_shown_with_all_that_belongs_to_it(serve: Any, given: Any, shown: dict[str, Any]) -> None:
    server = await serve()

    async with client(server.url) as api:
        conversation = (await api.conversations.create()).id
        raw = await api.conversations.items.with_raw_response.create(conversation, items=[given])
        added: Any = raw.http_response.json()
        found = await api.conversations.items.with_raw_response.retrieve(
            added["first_id"], conversation_id=conversation
        )

    (item,) = added["data"]
    assert {name: value for name, value in item.items() if name != "id"} == shown
    assert found.http_response.json() == item
    assert faults("createConversationItems", added) + faults("getConversationItem", item) == []


async def test_items_are_listed_in_pages_the_latest_first(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        conversation = (await api.conversations.create(items=[message("0")])).id
        for number in (1, 2):
            await api.conversations.items.create(conversation, items=[message(str(number))])
        latest: list[Any] = [item async for item in api.conversations.items.list(conversation, limit=1)]
        first = await api.conversations.items.list(conversation, limit=2, order="asc")
        after = await api.conversations.items.list(conversation, order="asc", after=first.last_id)

    assert [item.content[0].text for item in latest] == ["2", "1", "0"]
    assert ([item.id for item in first.data], first.has_more) == ([latest[2].id, latest[1].id], True)
    assert [item.id for item in after.data] == [latest[0].id]


async def test_a_deleted_item_is_gone(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        made = await api.conversations.create()
        added = await api.conversations.items.create(made.id, items=[message("a"), message("b")])
        answer = await api.conversations.items.delete(added.first_id, conversation_id=made.id)
        left = [item.id async for item in api.conversations.items.list(made.id)]
        with pytest.raises(openai.NotFoundError, match=f"Item with id '{added.first_id}' not found"):
            await api.conversations.items.delete(added.first_id, conversation_id=made.id)

    assert (answer, left) == (made, [added.last_id])
    assert faults("deleteConversationItem", answer.to_dict()) == []


async def test_an_item_can_be_said_again_by_its_id(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        conversation = (await api.conversations.create()).id
        added = await api.conversations.items.create(conversation, items=[message("a")])
        again: Any = {"type": "item_reference", "id": added.first_id}
        copied: Any = await api.conversations.items.create(conversation, items=[again])
        with pytest.raises(openai.NotFoundError, match="Item with id 'msg_none' not found"):
            await api.conversations.items.create(conversation, items=[{**again, "id": "msg_none"}])

    assert copied.data[0].content[0].text == "a"
    assert copied.first_id != added.first_id


@pytest.mark.parametrize(
    ("asked", "param", "code"),
    [
        ({"items": [message(str(number)) for number in range(21)]}, "items", "array_above_max_length"),
        ({"items": [{"type": "message", "role": "user"}]}, "items[0].content", "missing_required_parameter"),
        ({"items": [{"role": "robot", "content": "a"}]}, "items[0].role", "invalid_value"),
        ({"items": [{"type": "thought"}]}, "items[0].type", "invalid_value"),
        ({"items": "a"}, "items", "invalid_type"),
        ({"metadata": {"a": 1}}, "metadata.a", "invalid_type"),
    ],
    ids=["too many", "no content", "another role", "another type", "no list", "metadata"],
)
async def test_a_conversation_that_the_api_refuses_is_not_begun(serve: Any, asked: Any, param: str, code: str) -> None:
    server = await serve()

    async with client(server.url) as api:
        with pytest.raises(openai.BadRequestError) as raised:
            await api.conversations.create(**asked)

    assert (raised.value.param, raised.value.code) == (param, code)


async def test_items_without_a_conversation_are_not_found(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        for ask in (
            api.conversations.items.create("conv_none", items=[message("a")]),
            api.conversations.items.list("conv_none"),
            api.conversations.items.retrieve("msg_1", conversation_id="conv_none"),
        ):
            with pytest.raises(openai.NotFoundError, match="Conversation with id 'conv_none' not found"):
                await ask


async def test_sessions_have_their_own_conversations(serve: Any) -> None:
    server = await serve()

    async with (
        client(server.url, default_headers={"x-replay-session": "ours"}) as ours,
        client(server.url, default_headers={"x-replay-session": "theirs"}) as theirs,
    ):
        made = await ours.conversations.create()
        with pytest.raises(openai.NotFoundError):
            await theirs.conversations.retrieve(made.id)
        assert (await theirs.conversations.create()).id != made.id


def test_a_conversation_means_what_its_items_say_and_not_their_ids() -> None:
    empty = Kept("conv_1", {})

    one, same, other = (
        with_items(empty, [{"id": name, "type": "message", "content": text}])
        for name, text in (("msg_1", "a"), ("msg_2", "a"), ("msg_1", "b"))
    )

    assert one.stands_for == same.stands_for
    assert len({empty.stands_for, with_items(empty, []).stands_for, one.stands_for, other.stands_for}) == 4
    assert items_of(one) == [{"id": "msg_1", "type": "message", "content": "a"}]
