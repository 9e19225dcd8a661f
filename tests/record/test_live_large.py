"""Large answers and slow readers take no memory; a server that is told to stop finishes recordings."""

import asyncio
import hashlib
import re
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from replay_server.cassettes.library import Library
from tests.record.processes import serving
from tests.record.upstreams import asked, chat_events, upstream

MEGABYTE = b"0123456789abcdef" * 65536
SIZE = 100


async def large(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "application/octet-stream"})
    await response.prepare(request)
    for _ in range(SIZE):
        await response.write(MEGABYTE)
    return response


def peak_megabytes(pid: int) -> int:
    """The most memory that a process has had so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) // 1024


needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")


@needs_proc
@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "most"), [("none", 30), ("new_episodes", 60)], ids=["passed on", "too large to record"]
)
async def test_an_answer_of_100_megabytes_passes_in_bounded_memory(tmp_path: Path, mode: str, most: int) -> None:
    options = ("--record-mode", mode, "--max-body", "10000000", "--upstream")
    async with (
        upstream(large) as url,
        serving(tmp_path / "cassettes", *options, url) as (process, server),
        aiohttp.ClientSession() as session,
    ):
        before = peak_megabytes(process.pid)
        digest, size = hashlib.sha256(), 0
        async with session.post(f"{server}/v1/files/f1/content", json={}) as response:
            async for data in response.content.iter_any():
                digest.update(data)
                size += len(data)
                if size % 7 == 0:
                    await asyncio.sleep(0)  # a reader that does other things too
        grown = peak_megabytes(process.pid) - before

    assert (size, digest.hexdigest()) == (SIZE << 20, hashlib.sha256(MEGABYTE * SIZE).hexdigest())
    assert grown < most
    assert list(tmp_path.rglob("*.yaml")) == []


@needs_proc
@pytest.mark.slow
async def test_a_reader_that_does_not_read_holds_the_upstream_back(tmp_path: Path) -> None:
    given, stuck = 0, asyncio.Event()

    async def until_nobody_takes_it(request: web.Request) -> web.StreamResponse:
        nonlocal given
        response = web.StreamResponse(headers={"content-type": "application/octet-stream"})
        await response.prepare(request)
        try:
            while given < 1000:
                await asyncio.wait_for(response.write(MEGABYTE), 0.5)
                given += 1
        finally:
            stuck.set()
        return response

    async with (
        upstream(until_nobody_takes_it) as url,
        serving(tmp_path / "cassettes", "--upstream", url) as (process, server),
        aiohttp.ClientSession() as session,
    ):
        before = peak_megabytes(process.pid)
        async with session.post(f"{server}/v1/files/f1/content", json={}):
            await stuck.wait()
            grown = peak_megabytes(process.pid) - before

    assert (grown < 30, given < 100) == (True, True)


@pytest.mark.slow
async def test_sigterm_lets_a_stream_that_is_recorded_come_to_its_end(tmp_path: Path) -> None:
    first, rest = asyncio.Event(), asyncio.Event()
    events = chat_events("Hel", "lo.")

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await response.write(events[0])
        first.set()
        await rest.wait()
        for event in events[1:]:
            await response.write(event)
        return response

    cassettes = tmp_path / "cassettes"
    async with (
        upstream(answer) as url,
        serving(cassettes, "--upstream", url, "--record-mode", "new_episodes") as (process, server),
        aiohttp.ClientSession() as session,
        session.post(f"{server}/v1/chat/completions", json=asked(stream=True)) as response,
    ):
        await first.wait()
        await response.content.readany()
        process.terminate()
        rest.set()
        received = await response.read()
        code = await asyncio.to_thread(process.wait)

    assert (received.endswith(events[-1]), code) == (True, 0)
    (candidate,) = Library.load(cassettes)
    assert candidate.interaction.responses[0].body == b"".join(events)
