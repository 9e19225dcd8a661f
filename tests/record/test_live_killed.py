"""Recorders that are killed, and recorders side by side: whole files only, and no finished answer lost."""

import asyncio
import itertools
from collections import defaultdict
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from replay_server.cassettes.atomic import is_temporary
from replay_server.cassettes.file import sweep
from replay_server.cassettes.library import Library
from replay_server.cassettes.reader import read_cassette
from tests.record.processes import serving
from tests.record.upstreams import asked, asking, chat, chat_events, upstream

ROUNDS = 20
CLIENTS = 6
NUMBERS = itertools.count(1)


async def answer(request: web.Request) -> web.StreamResponse:
    """Something else each time."""
    number = next(NUMBERS)
    if not (await request.json()).get("stream"):
        return web.Response(body=chat(f"answer {number}", number), content_type="application/json")
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    for event in chat_events("answer ", str(number)):
        await response.write(event)
        await asyncio.sleep(0)
    return response


class Clients:
    """Ask one thing after the other, distinct and equal, plain and streamed; `whole` has what came to its end."""

    def __init__(self) -> None:
        self.whole: dict[str, list[bytes]] = defaultdict(list)
        self.count = 0

    async def work(self, url: str, name: str, enough: asyncio.Event, wanted: int) -> None:
        for number in itertools.count():
            content = "the same" if number % 3 == 0 else f"{name} {number}"
            try:
                async with asking(url, asked(content, stream=number % 2 == 0)) as response:
                    body, source = await response.read(), response.headers["x-replay-source"]
            except (aiohttp.ClientError, OSError):  # it has been killed
                return
            if source != "cassette":  # what is recorded may be replayed in the other mode, with other bytes
                self.whole[content].append(body)
            self.count += 1
            if self.count >= wanted:
                enough.set()


@pytest.mark.slow
async def test_a_recorder_that_is_killed_leaves_whole_files_and_loses_no_finished_answer(tmp_path: Path) -> None:
    clients, cassettes = Clients(), tmp_path / "cassettes"
    async with upstream(answer) as url:
        for place in range(ROUNDS):
            async with serving(cassettes, "--upstream", url, "--record-mode", "new_episodes") as (process, server):
                enough = asyncio.Event()
                wanted = clients.count + 5 + place * 7 % 23
                names = [f"round {place}, client {number}" for number in range(CLIENTS)]
                working = [asyncio.create_task(clients.work(server, name, enough, wanted)) for name in names]
                await enough.wait()
                process.kill()
                await asyncio.gather(*working)
            check_files(cassettes)

    assert lost(clients, cassettes) == []
    sweep(cassettes)
    assert [path for path in cassettes.rglob("*") if path.is_file() and path.suffix != ".yaml"] == []


def check_files(cassettes: Path) -> None:
    """Each file is whole, also one that has no name of its own yet."""
    for path in cassettes.rglob("*"):
        if path.is_file():
            assert path.suffix == ".yaml" or is_temporary(path.name)
            assert list(read_cassette(path.name, path.read_bytes()))


def lost(clients: Clients, cassettes: Path) -> list[bytes]:
    """The answers that somebody has and no cassette holds."""
    kept = defaultdict(set)
    for candidate in Library.load(cassettes):
        interaction = candidate.interaction
        kept[interaction.request["messages"][0]["content"]] |= {response.body for response in interaction.responses}
    return [body for content, bodies in clients.whole.items() for body in bodies if body not in kept[content]]


@pytest.mark.slow
async def test_two_processes_that_record_into_one_directory_lose_nothing(tmp_path: Path) -> None:
    cassettes, clients, enough = tmp_path / "cassettes", Clients(), asyncio.Event()
    options = ("--record-mode", "new_episodes", "--upstream")
    async with (
        upstream(answer) as url,
        serving(cassettes, *options, url) as (one, first),
        serving(cassettes, *options, url) as (other, second),
    ):
        working = [
            asyncio.create_task(clients.work(server, f"{server} {number}", enough, 200))
            for server in (first, second)
            for number in range(3)
        ]
        await enough.wait()
        for process in (one, other):
            process.terminate()
        await asyncio.gather(*working)
        codes = [await asyncio.to_thread(process.wait) for process in (one, other)]

    # The first answer to the same request is element 1, whoever has it first: the other's is not kept beside it.
    del clients.whole["the same"]
    assert (codes, lost(clients, cassettes)) == ([0, 0], [])
    assert [path for path in cassettes.rglob("*") if path.is_file() and path.suffix != ".yaml"] == []
