"""serve --watch: what changes in the directory is taken while requests are answered."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from replay_server.settings import Upstream
from tests.record.upstreams import chat as chat_body
from tests.record.upstreams import upstream
from tests.server.test_control import SAYS

DEADLINE = 60.0


def asked(text: str) -> dict[str, Any]:
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]}


async def chat(url: str, text: str) -> tuple[str, str, dict[str, str]]:
    """Source, text and headers of the answer."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url}/v1/chat/completions", json=asked(text)) as response,
    ):
        answer = await response.json()
        assert response.status == 200, answer
        headers = {name.lower(): value for name, value in response.headers.items()}
        return headers["x-replay-source"], answer["choices"][0]["message"]["content"], headers


async def readiness(url: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as http, http.get(f"{url}/readyz") as response:
        return response.status, await response.json()


async def until(ask: Callable[[], Awaitable[Any]], expected: Any) -> None:
    """Ask until the answer is as expected: each question is a whole request, so nothing is waited for but that."""
    got = None
    try:
        async with asyncio.timeout(DEADLINE):
            while (got := await ask()) != expected:
                continue
    except TimeoutError:
        pytest.fail(f"expected {expected}, but it stayed {got}")


def says(url: str, text: str) -> Callable[[], Awaitable[tuple[str, str]]]:
    async def ask() -> tuple[str, str]:
        return (await chat(url, text))[:2]

    return ask


async def test_a_changed_cassette_is_taken(serve: Any, write: Any) -> None:
    directory = write("a.yaml", SAYS.format("x", "Before."))
    server = await serve(directory, watch=True)
    assert await says(server.url, "x")() == ("cassette", "Before.")

    write("a.yaml", SAYS.format("x", "After that."))

    await until(says(server.url, "x"), ("cassette", "After that."))


async def test_added_and_deleted_cassettes_are_taken_in_new_folders_too(serve: Any, write: Any) -> None:
    directory: Path = write("a.yaml", SAYS.format("x", "Old."))
    server = await serve(directory, watch=True)

    write("new/folder/b.yaml", SAYS.format("y", "New."))
    await until(says(server.url, "y"), ("cassette", "New."))
    shutil.rmtree(directory / "new")

    await until(lambda: source(server.url, "y"), "generated")
    assert await says(server.url, "x")() == ("cassette", "Old.")


async def source(url: str, text: str) -> str:
    return (await chat(url, text))[0]


async def test_a_cassette_that_broke_says_so_until_it_is_mended(serve: Any, write: Any) -> None:
    directory = write("a.yaml", SAYS.format("x", "Good."))
    server = await serve(directory, watch=True)

    write("a.yaml", "request: {messages: []}\n")
    problem = f"{directory}/a.yaml:1: interaction 1 has no response"
    await until(lambda: readiness(server.url), (200, {"status": "ready", "stale": {"a.yaml": problem}}))
    answered_by, text, headers = await chat(server.url, "x")
    write("a.yaml", SAYS.format("x", "Mended."))

    assert (answered_by, text, headers["x-replay-stale"]) == ("cassette", "Good.", "a.yaml")
    await until(lambda: readiness(server.url), (200, {"status": "ready"}))
    answered_by, text, headers = await chat(server.url, "x")
    assert (text, "x-replay-stale" in headers) == ("Mended.", False)


async def test_new_rules_hold_at_once(serve: Any, write: Any) -> None:
    directory = write("a.yaml", SAYS.format("It is 2024-05-01.", "Wednesday."))
    server = await serve(directory, watch=True)
    assert await source(server.url, "It is 2031-12-24.") == "generated"

    write("replay.yaml", "volatile: [date]\nmodels: [one, gpt-4o-mini]\n")

    await until(lambda: source(server.url, "It is 2031-12-24."), "cassette")
    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/v1/models") as response:
        assert [model["id"] for model in (await response.json())["data"]] == ["gpt-4o-mini", "one"]


async def test_the_directory_may_come_later_and_be_another_one(serve: Any, tmp_path: Path) -> None:
    directory = tmp_path / "cassettes"
    server = await serve(directory, watch=True)

    make(directory, "First.")
    await until(says(server.url, "x"), ("cassette", "First."))
    make(tmp_path / "other", "Second.")
    shutil.rmtree(directory)
    (tmp_path / "other").rename(directory)

    await until(says(server.url, "x"), ("cassette", "Second."))


def make(directory: Path, text: str) -> None:
    directory.mkdir()
    (directory / "a.yaml").write_text(SAYS.format("x", text))


async def test_files_that_are_links_into_a_folder_that_is_exchanged_are_taken(serve: Any, tmp_path: Path) -> None:
    """As Kubernetes mounts a ConfigMap: `a.yaml -> ..data/a.yaml`, and `..data` becomes another link."""
    directory = tmp_path / "cassettes"
    for name, text in (("..first", "First."), ("..second", "Second.")):
        directory.mkdir(exist_ok=True)
        make(directory / name, text)
    (directory / "..data").symlink_to("..first")
    (directory / "a.yaml").symlink_to("..data/a.yaml")
    server = await serve(directory, watch=True)
    assert await says(server.url, "x")() == ("cassette", "First.")

    (directory / "..new").symlink_to("..second")
    os.replace(directory / "..new", directory / "..data")  # noqa: PTH105 - what kubelet does

    await until(says(server.url, "x"), ("cassette", "Second."))


async def test_no_request_is_dropped_while_cassettes_change(serve: Any, write: Any) -> None:
    directory = write("a.yaml", SAYS.format("x", "n0"))
    server = await serve(directory, watch=True)
    answers: list[str] = []

    async def ask() -> None:
        while answers[-1:] != ["n5"]:
            _, text, _ = await chat(server.url, "x")
            answers.append(text)

    async def change() -> None:
        for number in range(1, 6):
            seen = len(answers)
            write("a.yaml", SAYS.format("x", f"n{number}"))
            while len(answers) < seen + 3:
                await chat(server.url, "y")

    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(ask(), change())

    assert sorted(set(answers), key=lambda text: int(text[1:])) == list(dict.fromkeys(answers))


async def test_what_the_server_records_is_not_read_again(serve: Any, tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=chat_body("Recorded."), content_type="application/json")

    async with upstream(answer) as url:
        server = await serve(tmp_path, watch=True, upstreams=(Upstream("", url),), record_mode="new_episodes")
        first = await says(server.url, "x")()
        await until(lambda: interactions(server.url), 1)

    assert first == ("upstream", "Recorded.")
    assert server._watch._reloader.read() == []


async def interactions(url: str) -> int:
    async with aiohttp.ClientSession() as http, http.get(f"{url}/healthz") as response:
        return int((await response.json())["interactions"])
