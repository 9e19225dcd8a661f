"""`ref`, what every ratio is taken against: a bare aiohttp `web.Application` whose handler returns canned bytes.

python benchmarks/ref.py PORT ANSWER   (ANSWER: a JSON file with `headers` and the base64 of the `body`)

With `waits` in the file it is a paced stream, as one writes it at first: a sleep before each frame that has to wait.

It imports nothing of ours, so that its start is aiohttp's own.
"""

import asyncio
import base64
import json
import sys
from pathlib import Path

from aiohttp import web


def application(headers: dict[str, str], body: bytes) -> web.Application:
    async def handle(_request: web.Request) -> web.Response:
        return web.Response(body=body, headers=headers)

    app = web.Application()
    app.router.add_post("/v1/chat/completions", handle)
    return app


def paced_application(headers: dict[str, str], body: bytes, waits: list[float]) -> web.Application:
    frames = [frame + b"\n\n" for frame in body.removesuffix(b"\n\n").split(b"\n\n")]

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        for wait, frame in zip(waits, frames, strict=True):
            if wait:
                await asyncio.sleep(wait)
            await response.write(frame)
        return response

    app = web.Application()
    app.router.add_post("/v1/chat/completions", handle)
    return app


def main() -> None:
    port, answer = int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_bytes())
    headers, body = answer["headers"], base64.b64decode(answer["body"])
    app = paced_application(headers, body, answer["waits"]) if "waits" in answer else application(headers, body)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main()
