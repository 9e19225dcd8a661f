"""Upstreams to record from: real HTTP servers on loopback whose answers are functions, or bytes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def upstream(handler: Handler) -> AsyncIterator[str]:
    """An upstream that answers every request by `handler`; its base URL, without /v1."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    app = web.Application(client_max_size=2**30)
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("")).rstrip("/")


@asynccontextmanager
async def raw_upstream(talk: Talk) -> AsyncIterator[str]:
    """An upstream that talks bytes: `talk` is called when a request has been read. Its base URL."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await read_request(reader)
            await talk(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """The head and the body of a request with a length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
    return head + await reader.readexactly(int(length.partition(b":")[2]))


def saying(*pieces: bytes) -> Talk:
    """Say these bytes, and close."""

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return talk


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """The pieces as chunks of a body."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + end


def head(content_type: str, *lines: str) -> bytes:
    """The head of an answer."""
    return "\r\n".join(["HTTP/1.1 200 OK", f"content-type: {content_type}", *lines, "", ""]).encode()


CHUNKED_EVENTS = head("text/event-stream", "transfer-encoding: chunked")


def asked(content: str = "Hi", **fields: Any) -> dict[str, Any]:
    """The body of a request for a chat completion."""
    return {"model": "m-1", "messages": [{"role": "user", "content": content}], **fields}


async def ask(url: str, body: object = None, path: str = "/v1/chat/completions", **options: Any) -> tuple[int, bytes]:
    """Status and body of an answer to `body`, as it came."""
    async with asking(url, body, path, **options) as response:
        return response.status, await response.read()


@asynccontextmanager
async def asking(
    url: str, body: object = None, path: str = "/v1/chat/completions", **options: Any
) -> AsyncIterator[aiohttp.ClientResponse]:
    """An answer to `body`, while it comes. Nothing of it is decoded."""
    given = {"json": asked() if body is None else body} if "data" not in options else {}
    method = options.pop("method", "POST")
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.request(method, url + path, allow_redirects=False, **given, **options) as response,
    ):
        yield response


def recorded(directory: Path) -> dict[str, str]:
    """All files below a directory, with what is in them."""
    return {path.relative_to(directory).as_posix(): path.read_text() for path in directory.rglob("*") if path.is_file()}


def chat(text: str, number: int = 1) -> bytes:
    """The body of a chat completion, as a live API spaces it."""
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    body = {"id": f"chatcmpl-{number}", "object": "chat.completion", "created": 7, "model": "m-1", "choices": [choice]}
    return orjson.dumps({**body, "usage": usage}, option=orjson.OPT_INDENT_2)


def chat_events(*texts: str) -> list[bytes]:
    """The frames of a chat stream, up to `[DONE]`."""
    deltas = [{"role": "assistant", "content": ""}, *({"content": text} for text in texts), {}]
    return [*(chunk(delta, None if delta else "stop") for delta in deltas), b"data: [DONE]\n\n"]


def chunk(delta: dict[str, object], finish_reason: str | None) -> bytes:
    """The frame of one chunk."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    envelope = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 7, "model": "m-1"}
    return b"data: %b\n\n" % orjson.dumps({**envelope, "choices": [choice]})


class Answers:
    """A handler that answers each request with the next text, as a completion; the last one again and again."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        number = len(self.requests)
        text = self.texts[min(number, len(self.texts)) - 1]
        return web.Response(body=chat(text, number), content_type="application/json")
