"""Answers that are written piece by piece, over a socket."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from aiohttp import web

from replay_server.server.api_keys import ApiKeys
from replay_server.server.app import App
from replay_server.server.protocol import HttpServer
from replay_server.server.writer import begin
from tests.server.test_http import raw, request

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Start = Callable[[Handler], Awaitable[str]]


@pytest_asyncio.fixture
async def start() -> AsyncIterator[Start]:
    """Start a server with one handler; its URL."""
    runners: list[web.ServerRunner] = []

    async def start(handler: Handler) -> str:
        runner = web.ServerRunner(HttpServer(handler, max_body=1000))
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        return f"http://{host}:{port}"

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("version", "body"),
    [("1.1", b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"), ("1.0", b"abc")],
    ids=["in chunks", "up to the end of the connection"],
)
async def test_pieces_are_sent_as_they_come(start: Start, version: str, body: bytes) -> None:
    async def handle(asked: web.BaseRequest) -> web.StreamResponse:
        response = await begin(asked, 201, {"x-answer": "yes"})
        await response.write(b"a")
        await response.write(b"bc")
        return response

    head, _, found = (await raw(await start(handle), request(b"", version=version))).partition(b"\r\n\r\n")

    assert head.startswith(f"HTTP/{version} 201 Created".encode())
    assert b"x-answer: yes" in head.lower()
    assert found == body


async def test_an_answer_that_fails_when_it_has_begun_is_cut_and_not_followed_by_an_error(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def respond(_app: App, asked: web.BaseRequest) -> web.StreamResponse:
        await (await begin(asked, 200, {})).write(b"a")
        raise ValueError("of no use")

    monkeypatch.setattr(App, "_respond", respond)
    app = App(ApiKeys(()), 1000)

    _, _, found = (await raw(await start(app.handle), request(b"", version="1.1"))).partition(b"\r\n\r\n")

    assert found == b"1\r\na\r\n"
    assert [record.getMessage() for record in caplog.records] == ["cannot answer POST /v1/chat/completions"]
