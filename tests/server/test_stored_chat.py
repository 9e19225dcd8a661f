"""Stored chat completions, as the `openai` client sees them."""

from typing import Any

import aiohttp
import openai
import pytest

ASKED: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Say hello."}]}


def client(url: str, **options: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0, **options)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
async def test_a_completion_that_was_stored_is_retrieved_as_it_was_given(serve: Any, stream: bool) -> None:
    server = await serve()

    async with client(server.url) as api:
        given = await api.chat.completions.create(**ASKED, store=not stream, metadata={"run": "7"})
        if stream:
            streamed = await api.chat.completions.create(**ASKED, store=True, metadata={"run": "7"}, stream=True)
            assert {chunk.id async for chunk in streamed} == {given.id}
        found = await api.chat.completions.retrieve(given.id)

    assert found.to_dict() == {**given.to_dict(), "metadata": {"run": "7"}}


async def test_what_was_not_to_be_stored_is_not_found(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        given = await api.chat.completions.create(**ASKED)
        with pytest.raises(openai.NotFoundError, match=f"No completion found with id '{given.id}'"):
            await api.chat.completions.retrieve(given.id)


async def test_stored_completions_are_listed_in_pages_by_model_and_metadata(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        for number in range(3):
            asked = {
                "model": f"gpt-4o{'-mini' if number else ''}",
                "messages": [{"role": "user", "content": str(number)}],
            }
            await api.chat.completions.create(**asked, store=True, metadata={"odd": str(number % 2)})
        everything = [each.id async for each in api.chat.completions.list(limit=1)]
        first = await api.chat.completions.list(limit=2)
        odd = [each.id async for each in api.chat.completions.list(metadata={"odd": "1"})]
        mini = [each.id async for each in api.chat.completions.list(model="gpt-4o-mini", order="desc")]

    assert len(set(everything)) == 3
    assert ([each.id for each in first.data], first.has_more) == (everything[:2], True)
    assert odd == everything[1:2]
    assert mini == everything[:0:-1]


async def test_a_stored_completion_is_changed_and_deleted(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        given = await api.chat.completions.create(**ASKED, store=True)
        changed = await api.chat.completions.update(given.id, metadata={"kept": "no"})
        deleted = await api.chat.completions.delete(given.id)
        left = [each async for each in api.chat.completions.list()]

    assert changed.to_dict()["metadata"] == {"kept": "no"}
    assert deleted.to_dict() == {"object": "chat.completion.deleted", "id": given.id, "deleted": True}
    assert left == []


async def test_the_messages_of_a_stored_completion_are_listed(serve: Any) -> None:
    parts = [{"type": "text", "text": "Say "}, {"type": "text", "text": "hello."}]
    messages: Any = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": parts}]
    server = await serve()

    async with client(server.url) as api:
        given = await api.chat.completions.create(model="gpt-4o", messages=messages, store=True)
        listed = await api.chat.completions.messages.list(given.id)

    assert [each.to_dict() for each in listed.data] == [
        {"id": f"{given.id}-0", "refusal": None, "role": "system", "content": "Be kind.", "content_parts": None},
        {"id": f"{given.id}-1", "refusal": None, "role": "user", "content": "Say hello.", "content_parts": parts},
    ]


async def test_sessions_keep_their_own_completions(serve: Any) -> None:
    server = await serve()
    ours = client(server.url, default_headers={"x-replay-session": "ours"})
    theirs = client(server.url, default_headers={"x-replay-session": "theirs"})

    async with ours, theirs:
        given = await ours.chat.completions.create(**ASKED, store=True)
        with pytest.raises(openai.NotFoundError):
            await theirs.chat.completions.retrieve(given.id)
        async with aiohttp.ClientSession() as http:
            await http.delete(f"{server.url}/__replay/s/ours")
        with pytest.raises(openai.NotFoundError):
            await ours.chat.completions.retrieve(given.id)


@pytest.mark.parametrize(
    ("query", "param", "code"),
    [
        ("limit=0", "limit", "integer_below_min_value"),
        ("limit=101", "limit", "integer_above_max_value"),
        ("limit=x", "limit", "invalid_type"),
        ("order=up", "order", "invalid_value"),
        ("after=chatcmpl-none", "after", "invalid_value"),
    ],
)
async def test_a_page_that_there_is_not_is_refused(serve: Any, query: str, param: str, code: str) -> None:
    server = await serve()

    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/v1/chat/completions?{query}") as response:
        error = (await response.json())["error"]

    assert (response.status, error["param"], error["code"]) == (400, param, code)


async def test_the_answer_comes_from_what_the_session_keeps(serve: Any) -> None:
    server = await serve()

    async with aiohttp.ClientSession() as http:
        listed = await http.get(f"{server.url}/v1/chat/completions")
        refused = await http.put(f"{server.url}/v1/chat/completions")

    assert listed.headers["x-replay-source"] == "state"
    assert (refused.status, (await refused.json())["error"]["code"]) == (405, "method_not_supported")
