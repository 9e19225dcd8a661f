"""Every operation of OpenAI's description answers every request that the description allows, and as it says."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from replay_server.endpoints.apis import openai
from replay_server.endpoints.described.answers import EVENT_STREAM
from replay_server.endpoints.described.api import Described
from replay_server.endpoints.described.collections import JSON
from replay_server.errors import ApiError
from replay_server.interaction import WireStream
from replay_server.replay.state import MemoryState
from tests.endpoints.described.calls import call, request

OPERATIONS = {each.operation_id: each for each in openai().api.operations}


def test_all_operations_are_there() -> None:
    assert len(OPERATIONS) == 288


async def answered(described: Described, seed: int, *, lenient: bool) -> tuple[int, str, bytes]:
    api = openai()
    raw, parameters = request(api, described, seed)
    wire = await api.answer(call(raw, parameters, MemoryState(), lenient=lenient), described)
    body = b"".join(wire.frames) if isinstance(wire, WireStream) else wire.body
    return wire.status, wire.headers.get("content-type", ""), body


def faults(schema: Any, said: Any) -> list[str]:
    validator = Draft202012Validator(dict(openai().api.rooted(schema)))
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(said)]


def check(described: Described, status: int, media: str, body: bytes) -> None:
    assert status == described.status
    kind = media.partition(";")[0]
    if kind == JSON:
        assert faults(described.answers[JSON], json.loads(body)) == []
    elif kind == EVENT_STREAM:
        check_events(described, body)
    else:
        assert kind in described.answers or not (kind and described.answers)


def check_events(described: Described, body: bytes) -> None:
    """An event of the assistants is described with its name, any other is what its data says."""
    schema = described.answers.get(EVENT_STREAM) or openai().api.named("AssistantStreamEvent")
    events = [dict(line.split(": ", 1) for line in frame.splitlines()) for frame in body.decode().split("\n\n")[:-1]]
    for event in events:
        if event["data"] != "[DONE]":
            data = json.loads(event["data"])
            named = EVENT_STREAM not in described.answers
            assert faults(schema, {"event": event["event"], "data": data} if named else data) == []
    assert events


@pytest.mark.parametrize("name", OPERATIONS)
async def test_leniently_any_id_is_answered_as_described(name: str) -> None:
    described = OPERATIONS[name]

    check(described, *await answered(described, 0, lenient=True))


@pytest.mark.parametrize("name", OPERATIONS)
async def test_exactly_only_an_unknown_id_is_refused(name: str) -> None:
    described = OPERATIONS[name]

    refusal = await refused_or_checked(described, 0)

    assert refusal is None or (refusal.status == 404 and "{" in described.path), refusal


@pytest.mark.slow
@pytest.mark.parametrize("name", OPERATIONS)
async def test_every_valid_request_is_answered_as_described(name: str) -> None:
    described = OPERATIONS[name]

    for seed in range(1, 12):
        check(described, *await answered(described, seed, lenient=True))
        refusal = await refused_or_checked(described, seed)
        assert refusal is None or refusal.status == 404, (seed, refusal)


async def refused_or_checked(described: Described, seed: int) -> ApiError | None:
    """The refusal of a request; None for a right answer."""
    try:
        answer = await answered(described, seed, lenient=False)
    except ApiError as error:
        return error
    check(described, *answer)
    return None
