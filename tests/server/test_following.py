"""The journal live, as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest

from replay_server.replay.journal import Filter
from replay_server.replay.state import MemoryState
from replay_server.server.control.journal import Follower
from tests.replay.test_state import fields

HELLO = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello."}]}
DEADLINE = 10.0


async def chat(http: aiohttp.ClientSession, url: str, session: str) -> None:
    async with http.post(f"{url}/__replay/s/{session}/v1/chat/completions", json=HELLO) as response:
        assert response.status == 200


async def events(response: aiohttp.ClientResponse, count: int) -> list[str]:
    """The ids of the next events, which their data have too."""
    found: list[str] = []
    async with asyncio.timeout(DEADLINE):
        while len(found) < count:
            event = (await response.content.readuntil(b"\n\n")).decode()
            if event.startswith("id: "):
                name, data = event.strip().split("\n")
                found.append(name.removeprefix("id: "))
                assert orjson.loads(data.removeprefix("data: "))["id"] == found[-1]
    return found


@pytest.mark.parametrize(
    ("query", "headers"),
    [("?follow=1&session=one", {}), ("?session=one", {"Accept": "text/event-stream"})],
    ids=["query", "header"],
)
async def test_a_follower_gets_what_is_there_and_what_comes(serve: Any, query: str, headers: dict[str, str]) -> None:
    server = await serve()
    async with aiohttp.ClientSession() as http:
        await chat(http, server.url, "one")
        async with http.get(f"{server.url}/__replay/journal{query}", headers=headers) as response:
            before = await events(response, 1)
            await chat(http, server.url, "two")
            await chat(http, server.url, "one")
            after = await events(response, 1)

    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (before, after) == (["one#1"], ["one#2"])


async def test_a_follower_goes_on_behind_the_last_event_that_it_saw(serve: Any) -> None:
    server = await serve()
    async with aiohttp.ClientSession() as http:
        for _ in range(3):
            await chat(http, server.url, "one")
        headers = {"Accept": "text/event-stream", "Last-Event-ID": "one#1"}
        async with http.get(f"{server.url}/__replay/journal", headers=headers) as response:
            assert await events(response, 2) == ["one#2", "one#3"]


async def test_a_follower_that_leaves_early_is_forgotten(serve: Any) -> None:
    server = await serve()
    state = server._app.ready.result().state
    async with aiohttp.ClientSession() as http:
        response = await http.get(f"{server.url}/__replay/journal?follow=1")
        listening = len(state._listeners)
        response.close()

        while state._listeners:
            async with asyncio.timeout(DEADLINE):
                await chat(http, server.url, "one")

    assert listening == 1


async def test_a_server_that_stops_lets_its_followers_go(serve: Any) -> None:
    server = await serve()
    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/__replay/journal?follow=1") as response:
        stopping = asyncio.create_task(server.stop())
        async with asyncio.timeout(DEADLINE):
            assert await response.content.read() == b": nothing new\n\n"
            await stopping


async def collect(entries: AsyncIterator[Any]) -> list[str]:
    return [noted.id async for noted in entries]


async def test_a_follower_that_reads_too_slowly_is_let_go_and_costs_no_more_memory() -> None:
    state, follower = MemoryState(), Follower(Filter(session="one"), most=3)
    state.listen(follower.hear)
    for session in ("one", "two", "one", "one", "one", "one"):
        state.note(fields(session))

    assert follower.too_slow
    assert follower._waiting.qsize() == 4
    assert await collect(follower.entries()) == ["one#1", "one#2", "one#3"]


async def test_a_follower_that_keeps_up_hears_all() -> None:
    state, follower = MemoryState(), Follower(Filter(), most=1)
    state.listen(follower.hear)
    entries, heard = follower.entries(), []
    for _ in range(5):
        state.note(fields("one"))
        heard.append(await anext(entries))
    state.close()

    assert [noted and noted.id for noted in heard] == [f"one#{number}" for number in range(1, 6)]
    assert await collect(entries) == []
