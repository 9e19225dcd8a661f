"""Answers that are written piece by piece, each when it is due."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from aiohttp import web

from replay_server.interaction import TimedFrame
from replay_server.replay.timing import write_stream
from replay_server.server.pauses import Pauses


async def begin(request: web.BaseRequest, status: int, headers: Mapping[str, str]) -> web.StreamResponse:
    """Send the head of an answer. One whose length nobody knows yet comes in chunks, or up to the connection's end."""
    response = web.StreamResponse(status=status, headers=headers)
    if request.version >= (1, 1) and "content-length" not in headers:
        response.enable_chunked_encoding()
    await response.prepare(request)
    return response


def _ignored(*_: float) -> None:
    """Nobody wants to hear it."""


async def stream_in_time(
    request: web.BaseRequest,
    status: int,
    headers: Mapping[str, str],
    frames: Iterable[TimedFrame],
    pauses: Pauses,
    begun: Callable[[], None] = _ignored,
    late: Callable[[float], None] = _ignored,
) -> web.StreamResponse:
    """Send each frame when it is due; the head comes with the first one, and then `begun` is called.

    `late` hears by how many seconds a frame is later than it should be.
    """
    response: web.StreamResponse | None = None

    async def send(data: bytes) -> None:
        nonlocal response
        if response is None:
            response = await begin(request, status, headers)
            begun()
        await response.write(data)

    await write_stream(frames, send, asyncio.get_running_loop().time, partial(pauses.sleep, request), late)
    return response or await begin(request, status, headers)
