"""What was imported is replayed: each recorded request, sent over a socket, gets the recorded bytes."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import openai
import pytest
from yarl import URL

from replay_server.cassettes.config import Config
from replay_server.cassettes.importers.formats import READERS, detect
from replay_server.cassettes.importers.http import Asked, Given, exchange
from replay_server.cassettes.importers.items import Imported, Unimportable
from replay_server.cassettes.importers.run import Options, import_source
from replay_server.cassettes.importers.sources import Source
from replay_server.endpoints.address import OWN_PAGES
from replay_server.interaction import Exchange
from replay_server.replay.check import check_directory
from replay_server.server.pages import Pages

DATA = Path(__file__).parents[1] / "data" / "recordings"
FILES = sorted(path for path in DATA.rglob("*.*") if path.is_file())


def imported(path: Path, directory: Path) -> list[Exchange]:
    """Import a file into a directory, and give what is in it."""
    outcome = import_source(Source(path, path.name, cassette="a.yaml"), Config(), Options(cassettes=directory))
    assert outcome.refused == ()
    data = path.read_bytes()
    items = READERS[detect(data, path.name)](data, ())
    return [item.exchange for item in items if isinstance(item, Imported)]


async def ask(url: str, recorded: Exchange) -> tuple[int, bytes, str | None]:
    asked = recorded.request
    target = URL(f"{url}{quote(asked.path)}?{urlencode(asked.query)}", encoded=True)
    headers = {name: value for name, value in asked.headers.items() if name == "content-type"}
    async with (
        aiohttp.ClientSession() as session,
        session.request(asked.method, target, data=asked.body, headers=headers) as response,
    ):
        return response.status, await response.read(), response.headers.get("x-replay-source")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem[:40])
async def test_a_recorded_request_gets_the_recorded_bytes(path: Path, serve: Any, tmp_path: Path) -> None:
    exchanges = imported(path, tmp_path)
    server = await serve(tmp_path, on_miss="error")

    for recorded in exchanges:
        answer = recorded.answer
        assert await ask(server.url, recorded) == (answer.status, answer.body, "cassette")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem[:40])
def test_check_finds_nothing_wrong_with_what_was_imported(path: Path, tmp_path: Path) -> None:
    imported(path, tmp_path)

    assert check_directory(tmp_path).findings == ()


async def test_the_clients_of_a_recording_are_answered(serve: Any, tmp_path: Path) -> None:
    imported(DATA / "vcrpy" / "test_azure__test_chat_reasoning.yaml", tmp_path)
    server = await serve(tmp_path, on_miss="error")
    asked: Any = {"model": "gpt-5-nano", "messages": [{"role": "user", "content": "Count r's in strawberry"}]}

    async with openai.AsyncAzureOpenAI(azure_endpoint=server.url, api_key="any", api_version="2024-02-01") as client:
        azure = await client.chat.completions.create(**asked, reasoning_effort="low")
    async with openai.AsyncOpenAI(base_url=f"{server.url}/__replay/s/plain/v1", api_key="any") as plain:
        answer = await plain.chat.completions.create(**asked, reasoning_effort="low")

    assert (azure.id, azure.choices[0].message.content) == ("chatcmpl-C6EJeKZdEaC0VeeKH3lWwJBjCTcpd", "3")
    assert answer.choices[0].message.content == "3"


async def test_the_servers_own_pages_cannot_be_imported() -> None:
    pages = Pages(asyncio.get_running_loop().create_future())
    asked = [Asked(method="GET", url=f"http://h{path}", headers={}) for path in OWN_PAGES]

    assert all(map(pages.find, OWN_PAGES))
    for request in asked:
        with pytest.raises(Unimportable, match="where this server has a page of its own"):
            exchange(request, Given(status=200, headers={}))


async def test_a_sequence_is_answered_in_its_order(serve: Any, tmp_path: Path) -> None:
    source = tmp_path / "in.yaml"
    one = "- request: {method: POST, uri: 'http://h/v1/x', body: '{}', headers: {}}\n"
    texts = [f"{one}  response: {{status: {{code: 200}}, body: {{string: '{text}'}}}}\n" for text in "abb"]
    source.write_text("interactions:\n" + "".join(texts))
    exchanges = imported(source, tmp_path / "out")
    server = await serve(tmp_path / "out", on_miss="error")

    answers = [(await ask(server.url, exchanges[0]))[1] for _ in range(4)]

    assert answers == [b"a", b"b", b"b", b"b"]
