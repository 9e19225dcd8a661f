"""The report of a running server: what of it was used, by clients of all kinds."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio
from aiohttp import web
from openai import AsyncOpenAI

from replay_server.replay.report import Report
from replay_server.replay.report_file import parse_report
from replay_server.settings import Upstream
from tests.record.upstreams import chat, upstream

CHAT = "chat/completions"
MATCHER = "match: {model: m, last_user: {contains: weather}}\nresponse: {content: It rains.}\n"
WRITTEN = "request: {model: m, messages: [{role: user, content: hello}]}\nresponse: {content: Hello!}\n"


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def ask(http: aiohttp.ClientSession, url: str, text: str, **fields: Any) -> str:
    body = {"model": "m", "messages": [{"role": "user", "content": text}], **fields}
    async with http.post(f"{url}/v1/chat/completions", json=body) as response:
        await response.read()
        return response.headers["x-replay-source"]


async def report(http: aiohttp.ClientSession, url: str) -> Report:
    async with http.get(f"{url}/__replay/report") as response:
        assert response.content_type == "application/json"
        return parse_report(await response.read(), "report")


async def test_it_says_what_was_used_how_often_and_adrift(serve: Any, write: Any, http: Any) -> None:
    directory = write("a.yaml", f"{WRITTEN}---\n{MATCHER}---\n{WRITTEN.replace('hello', 'never')}")
    server = await serve(directory)
    client = AsyncOpenAI(base_url=f"{server.url}/__replay/s/one/v1", api_key="any")

    messages: Any = [{"role": "user", "content": "hello"}]
    await client.chat.completions.create(model="m", messages=messages)
    async for _ in await client.chat.completions.create(model="m", messages=messages, stream=True):
        pass
    await ask(http, server.url, "the weather")
    await ask(http, server.url, "something else")
    await client.close()
    told = await report(http, server.url)

    assert [(row.interaction, row.kind.value, row.hits) for row in told.interactions] == [
        ("a.yaml#1", "written", 2),
        ("a.yaml#2", "matcher", 1),
        ("a.yaml#3", "written", 0),
    ]
    assert told.sources == {"cassette": 2, "generated": 1, "matcher": 1}
    assert told.sessions == {"": {"generated": 1, "matcher": 1}, "one": {"cassette": 2}}


async def test_drift_is_counted_by_field(serve: Any, write: Any, http: Any) -> None:
    directory = write("a.yaml", WRITTEN.replace("model: m", "model: m, temperature: 0"))
    server = await serve(directory)

    for temperature in (0, 1, 2):
        await ask(http, server.url, "hello", temperature=temperature)

    (row,) = (await report(http, server.url)).interactions
    assert (row.hits, row.drift) == (3, {"temperature": 2})


async def test_a_miss_is_told_with_what_it_said(serve: Any, write: Any, http: Any) -> None:
    server = await serve(write("a.yaml", WRITTEN), on_miss="error")

    sources = [await ask(http, server.url, text) for text in ("hullo", "hullo", "hi")]
    told = await report(http, server.url)

    assert (sources, told.sources) == (["miss"] * 3, {"miss": 3})
    assert sorted(told.misses.values()) == [1, 2]
    assert all("nearest: a.yaml#1" in explanation for explanation in told.misses)


async def test_a_document_whose_fault_answers_is_used(serve: Any, write: Any, http: Any) -> None:
    server = await serve(write("a.yaml", f"fault: status=503\n{WRITTEN}"))

    source = await ask(http, server.url, "hello")
    told = await report(http, server.url)

    assert (source, told.sources, told.unused) == ("fault", {"fault": 1}, ())


async def test_refused_requests_and_unknown_paths_are_counted_too(serve: Any, http: Any) -> None:
    server = await serve(api_keys=("right",))
    for path, key in (("chat/completions", "wrong"), ("made/up", "right")):
        async with http.post(f"{server.url}/v1/{path}", headers={"authorization": f"Bearer {key}"}, json={}):
            pass

    told = await report(http, server.url)

    assert {(each.endpoint, each.source, each.status, each.count) for each in told.answers} == {
        ("other", "error", 401, 1),
        ("other", "error", 404, 1),
    }


async def test_neither_a_reset_nor_the_end_of_a_session_loses_anything(serve: Any, write: Any, http: Any) -> None:
    server = await serve(write("a.yaml", WRITTEN))
    await ask(http, f"{server.url}/__replay/s/one", "hello")

    async with http.post(f"{server.url}/__replay/reset"), http.delete(f"{server.url}/__replay/s/one"):
        pass

    assert (await report(http, server.url)).sessions == {"one": {"cassette": 1}}


async def test_what_was_recorded_is_used(serve: Any, tmp_path: Path, http: Any) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=chat("Hello!"), content_type="application/json")

    async with upstream(answer) as url:
        server = await serve(tmp_path, upstreams=(Upstream("", url),), record_mode="all")
        sources = [await ask(http, f"{server.url}/__replay/s/one", text) for text in ("hello", "hi", "hello")]
        async with asyncio.timeout(10):
            while sum(_recorded(told := await report(http, server.url))) < 3:
                continue  # until the last of them has been written

    assert sources == ["upstream"] * 3
    assert [(row.kind.value, row.hits) for row in told.kept] == [("recorded", 0)] * 2
    assert (sorted(_recorded(told)), told.unused, told.sources) == ([1, 2], (), {"upstream": 3})


def _recorded(told: Report) -> list[int]:
    return [row.recorded for row in told.kept]


async def test_neither_prompts_nor_keys_are_in_it(serve: Any, http: Any) -> None:
    server = await serve(on_miss="generate")
    key, prompt = "sk-" + "aB3dE6gH9jK2mN5pQ8sT1vW4", "a prompt of its own"
    http.headers["authorization"] = f"Bearer {key}"
    await ask(http, f"{server.url}/__replay/s/one", prompt, user=key)

    async with http.get(f"{server.url}/__replay/report") as asked, http.get(f"{server.url}/metrics") as metrics:
        text = await asked.text() + await metrics.text()

    assert orjson.loads(text.partition("\n}\n")[0] + "}")["totals"]["requests"] == 1
    assert (key in text, prompt in text) == (False, False)


@pytest.mark.parametrize(
    ("written", "media", "first"),
    [("text", "text/plain", "0 requests\n"), ("markdown", "text/markdown", "## replay-server\n")],
)
async def test_it_comes_as_people_read_it_too(serve: Any, http: Any, written: str, media: str, first: str) -> None:
    server = await serve()

    async with http.get(f"{server.url}/__replay/report", params={"format": written}) as response:
        text = await response.text()

    assert (response.status, response.content_type) == (200, media)
    assert text.startswith(first)


async def test_a_format_that_there_is_not_is_refused(serve: Any, http: Any) -> None:
    server = await serve()

    async with http.get(f"{server.url}/__replay/report?format=xml") as response:
        error = (await response.json())["error"]

    assert (response.status, error["message"]) == (400, "format 'xml' is none of json, text, markdown")
