"""What stands behind and beside a recording server: an upstream, and a bare reverse proxy to compare with.

python benchmarks/behind.py upstream PORT
python benchmarks/behind.py proxy PORT URL

The upstream answers at once with the same bytes; a stream sends events a few milliseconds apart, each with the
moment at which it was sent, on the clock that all processes of a machine share. The proxy is an aiohttp application
that passes on what it gets, headers and all, and does nothing else. Neither imports anything of ours.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

EVENTS = 20
GAP = 0.003
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 7,
        "model": "gpt-4o-mini",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "The lamp burns. " * 20, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 20, "completion_tokens": 100, "total_tokens": 120},
    },
    indent=2,
).encode()
_HOP = ("connection", "keep-alive", "transfer-encoding", "host", "content-length")


async def answer(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    if not body.get("stream"):
        return web.Response(body=ANSWER, content_type="application/json")
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    for _ in range(EVENTS):
        await asyncio.sleep(GAP)
        delta = {"index": 0, "delta": {"content": f"{time.monotonic_ns()}"}, "finish_reason": None}
        await response.write(b"data: %b\n\n" % json.dumps({"id": "chatcmpl-1", "choices": [delta]}).encode())
    await response.write(b"data: [DONE]\n\n")
    return response


def proxy(url: str) -> web.Application:
    async def session(app: web.Application) -> AsyncIterator[None]:
        app[_SESSION] = aiohttp.ClientSession(auto_decompress=False, connector=aiohttp.TCPConnector(limit=0))
        yield
        await app[_SESSION].close()

    async def pass_on(request: web.Request) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        data, target = await request.read(), url + request.path_qs
        async with request.app[_SESSION].request(request.method, target, data=data, headers=headers) as given:
            kept = {name: value for name, value in given.headers.items() if name.lower() not in _HOP[:3]}
            response = web.StreamResponse(status=given.status, headers=kept)
            await response.prepare(request)
            async for piece in given.content.iter_any():
                await response.write(piece)
            return response

    app = web.Application()
    app.cleanup_ctx.append(session)
    app.router.add_route("*", "/{path:.*}", pass_on)
    return app


_SESSION = web.AppKey("session", aiohttp.ClientSession)


def main() -> None:
    what, port = sys.argv[1], int(sys.argv[2])
    if what == "proxy":
        app = proxy(sys.argv[3])
    else:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", answer)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main()
