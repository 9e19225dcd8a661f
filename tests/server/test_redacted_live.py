"""Live traffic with secrets: they go to the upstream, and to nothing that stays."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio
from aiohttp import web

from replay_server.settings import Upstream
from tests.cassettes.redaction.secrets import LETTERS
from tests.record.upstreams import chat, chat_events, upstream

KEY, OTHER = "sk-" + LETTERS, "sk-" + LETTERS[::-1]
MARK = "<redacted:openai-key:1>"


class Echo:
    """An upstream that repeats the last message, a stream four letters at a time, and sets a cookie."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append((request.path_qs, request.headers.get("authorization"), body))
        headers = {"set-cookie": f"session={LETTERS}", "x-request-id": KEY}
        text = body["messages"][-1]["content"] if "messages" in body else body["text"]
        if not body.get("stream"):
            return web.Response(body=chat(text), content_type="application/json", headers=headers)
        pieces = [text[at : at + 4] for at in range(0, len(text), 4)]
        return web.Response(body=b"".join(chat_events(*pieces)), content_type="text/event-stream", headers=headers)


@pytest_asyncio.fixture
async def echo() -> AsyncIterator[tuple[Echo, str]]:
    handler = Echo()
    async with upstream(handler.answer) as url:
        yield handler, url


async def post(url: str, path: str, body: dict[str, Any]) -> tuple[str, bytes]:
    headers = {"authorization": f"Bearer {KEY}"}
    async with aiohttp.ClientSession() as session, session.post(url + path, json=body, headers=headers) as response:
        return response.headers["x-replay-source"], await response.read()


def asking(secret: str, stream: bool) -> dict[str, Any]:
    return {"model": "m", "stream": stream, "messages": [{"role": "user", "content": f"Is {secret} a key?"}]}


def everything(directory: Path) -> str:
    """Names and contents of all files."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return "\n".join(f"{path}\n{path.read_text()}" for path in files)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_a_secret_passes_to_the_upstream_and_is_not_recorded(
    serve: Any, echo: tuple[Echo, str], tmp_path: Path, stream: bool
) -> None:
    handler, url = echo
    recording = await serve(tmp_path, upstreams=(Upstream("", url),), record_mode="new_episodes")

    source, passed = await post(recording.url, "/v1/chat/completions", asking(KEY, stream))
    await recording.stop()
    replaying = await serve(tmp_path, on_miss="error")
    replayed = await post(replaying.url, "/v1/chat/completions", asking(OTHER, stream))

    assert handler.asked == [("/v1/chat/completions", f"Bearer {KEY}", asking(KEY, stream))]
    assert (source, stream or f"Is {KEY} a key?".encode() in passed) == ("upstream", True)
    saved = everything(tmp_path)
    assert [piece for piece in (KEY, KEY[:12], KEY[-8:], LETTERS[8:12]) if piece in saved] == []
    assert "is-redacted-openai-key-a-key" in saved
    assert (replayed[0], MARK.encode() in replayed[1]) == ("cassette", True)


async def test_a_secret_in_a_path_or_query_is_not_recorded(serve: Any, echo: tuple[Echo, str], tmp_path: Path) -> None:
    handler, url = echo
    recording = await serve(tmp_path, upstreams=(Upstream("", url),), record_mode="new_episodes")
    path = "/v1/hooks/{0}/send?token={0}"

    await post(recording.url, path.format(KEY), {"text": KEY})
    await recording.stop()
    replaying = await serve(tmp_path, on_miss="error")
    replayed = await post(replaying.url, path.format(OTHER), {"text": OTHER})

    assert handler.asked[0][0] == path.format(KEY)
    assert KEY[:12] not in everything(tmp_path)
    assert f"endpoint: POST /hooks/{MARK}/send" in everything(tmp_path)
    assert (replayed[0], orjson.loads(replayed[1])["choices"][0]["message"]["content"]) == ("cassette", MARK)
