"""Upstreams to record from: real HTTP servers on loopback whose answers are functions."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def upstream(handler: Handler) -> AsyncIterator[str]:
    """An upstream that answers every request by `handler`; its base URL, without /v1."""
    app = web.Application(client_max_size=2**30)
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("")).rstrip("/")


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
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    envelope = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 7, "model": "m-1"}
    return b"data: %b\n\n" % orjson.dumps({**envelope, "choices": [choice]})
