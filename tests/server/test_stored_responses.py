"""Responses that are kept, as the `openai` client sees them."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import openai
import pytest
import pytest_asyncio

from tests.described import faults

ASKED: dict[str, Any] = {"model": "gpt-4o", "input": "Say hello."}
GOES_ON = """\
request: {model: gpt-4o, input: Say hello.}
endpoint: responses
response: {content: Hello.}
---
request:
  model: gpt-4o
  input: And again.
  previous_response_id: %s
endpoint: responses
response: {content: Hello again.}
"""


@pytest_asyncio.fixture
async def api(serve: Any) -> AsyncIterator[openai.AsyncOpenAI]:
    server = await serve()
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
        yield client


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
async def test_a_response_is_retrieved_as_it_was_given(api: openai.AsyncOpenAI, stream: bool) -> None:
    given = await api.responses.create(**ASKED, store=not stream)
    if stream:
        async for _ in await api.responses.create(**ASKED, stream=True):
            continue

    found = await api.responses.retrieve(given.id)

    unlike = {"store": None, "billing": None}  # a stream does not say who pays
    assert found.to_dict() | unlike == given.to_dict() | unlike
    assert found.output_text == given.output_text


async def test_what_was_not_to_be_kept_is_not_found(api: openai.AsyncOpenAI) -> None:
    given = await api.responses.create(**ASKED, store=False)

    with pytest.raises(openai.NotFoundError, match=f"Response with id '{given.id}' not found"):
        await api.responses.retrieve(given.id)


async def test_a_kept_response_is_streamed_from_where_the_client_was(api: openai.AsyncOpenAI) -> None:
    given = await api.responses.create(**ASKED)

    everything = [event async for event in await api.responses.retrieve(given.id, stream=True)]
    rest = [event async for event in await api.responses.retrieve(given.id, stream=True, starting_after=3)]

    assert [event.sequence_number for event in everything] == list(range(len(everything)))
    assert [event.to_dict() for event in rest] == [event.to_dict() for event in everything[4:]]
    assert everything[-1].type == "response.completed"
    assert everything[-1].response.output_text == given.output_text


async def test_a_response_in_the_background_goes_a_step_further_each_time(api: openai.AsyncOpenAI) -> None:
    given = await api.responses.create(**ASKED, background=True)

    found = [await api.responses.retrieve(given.id) for _ in range(3)]

    assert [response.status for response in (given, *found)] == ["queued", "in_progress", "completed", "completed"]
    assert {response.id for response in found} == {given.id}
    assert found[1].output_text == (await api.responses.create(**ASKED)).output_text
    assert (found[1].background, found[1].store) == (True, True)


async def test_only_a_response_in_the_background_is_cancelled(api: openai.AsyncOpenAI) -> None:
    background = await api.responses.create(**ASKED, background=True)
    foreground = await api.responses.create(model="gpt-4o", input="Say nothing.")

    cancelled = await api.responses.cancel(background.id)
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        await api.responses.cancel(foreground.id)

    assert cancelled.status == "cancelled"
    assert (await api.responses.retrieve(background.id)).status == "cancelled"


async def test_a_deleted_response_is_gone(api: openai.AsyncOpenAI) -> None:
    given = await api.responses.create(**ASKED)

    await api.responses.delete(given.id)

    with pytest.raises(openai.NotFoundError):
        await api.responses.retrieve(given.id)


async def test_the_items_of_the_input_are_listed(api: openai.AsyncOpenAI) -> None:
    call: Any = {"type": "function_call", "call_id": "c1", "name": "now", "arguments": "{}"}
    result: Any = {"type": "function_call_output", "call_id": "c1", "output": "noon"}
    given = await api.responses.create(model="gpt-4o", input=[{"role": "user", "content": "When?"}, call, result])

    listed = await api.responses.input_items.list(given.id, order="asc")
    latest = await api.responses.input_items.list(given.id, limit=1)

    shown = [item.to_dict() for item in listed.data]
    assert [item["type"] for item in shown] == ["message", "function_call", "function_call_output"]
    assert shown[0]["content"] == [{"type": "input_text", "text": "When?"}]
    assert [item.to_dict() for item in latest.data] == shown[-1:]
    assert faults("listInputItems", listed.to_dict()) == []


async def test_what_went_before_counts_as_what_it_says_and_not_by_its_id(
    serve: Any, write: Callable[[str, str], Path]
) -> None:
    """A session of its own gets other ids for what it made; the key of the earlier request is the same."""
    server = await serve()
    answers = []
    for session in ("a", "b"):
        url = f"{server.url}/__replay/s/{session}/v1"
        async with openai.AsyncOpenAI(base_url=url, api_key="any") as client:
            made = await client.conversations.create(items=[{"role": "user", "content": "I am " + "Ada."}])
            spoken = await client.responses.create(model="gpt-4o", input="Who am I?", conversation=made.id)
            answers.append((made.id, spoken.output_text))

    assert answers[0][0] != answers[1][0]
    assert answers[0][1] == answers[1][1]


async def test_input_and_output_join_the_conversation(api: openai.AsyncOpenAI) -> None:
    conversation = await api.conversations.create()

    given = await api.responses.create(**ASKED, conversation=conversation.id)
    items = [item.to_dict() async for item in api.conversations.items.list(conversation.id, order="asc")]

    assert [item["role"] for item in items] == ["user", "assistant"]
    assert items[1]["id"] == given.output[0].id


@pytest.mark.parametrize(
    ("asked", "status", "message"),
    [
        ({"previous_response_id": "resp_0"}, 400, "Previous response with id 'resp_0' not found."),
        ({"conversation": "conv_0"}, 404, "Conversation with id 'conv_0' not found."),
    ],
    ids=["response", "conversation"],
)
async def test_what_is_not_kept_cannot_be_gone_on_from(
    api: openai.AsyncOpenAI, asked: Any, status: int, message: str
) -> None:
    with pytest.raises(openai.APIStatusError, match=message) as refused:
        await api.responses.create(**ASKED, **asked)

    assert refused.value.status_code == status


async def test_a_recorded_response_is_kept_too(serve: Any, write: Callable[[str, str], Path]) -> None:
    server = await serve(write("a.yaml", GOES_ON % "resp_of_then"), on_miss="error")

    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as api:
        given = await api.responses.create(**ASKED)
        found = await api.responses.retrieve(given.id)
        recorded = await api.responses.create(model="gpt-4o", input="And again.", previous_response_id="resp_of_then")

    assert (found.output_text, recorded.output_text) == ("Hello.", "Hello again.")
