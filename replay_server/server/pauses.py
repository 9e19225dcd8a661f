"""The pauses of answers that have a pace: each ends at its time, when its client leaves, or when the server stops."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from replay_server.server.protocol import Protocol


class Pauses:
    """Knows how many answers are under way, and which of them wait."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()
        self._answers = 0
        self._hurried = False

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Count an answer as under way."""
        self._answers += 1
        try:
            yield
        finally:
            self._answers -= 1

    def others(self) -> int:
        """How many answers are under way beside the one that asks."""
        return self._answers - 1

    def hurry(self) -> None:
        """End all pauses, now and from now on: what is left of the answers goes out at once."""
        self._hurried = True
        for pause in self._waiting:
            _end(pause)

    async def sleep(self, request: web.BaseRequest, seconds: float) -> None:
        """Wait. Raises ConnectionError as soon as the client leaves."""
        connection = request.protocol
        if self._hurried or not isinstance(connection, Protocol):
            return
        if connection.transport is None:
            raise ConnectionResetError("the client has left")
        loop = asyncio.get_running_loop()
        pause = connection.pause = loop.create_future()
        timer = loop.call_later(seconds, _end, pause)
        self._waiting.add(pause)
        try:
            await pause
        finally:
            connection.pause = None
            timer.cancel()
            self._waiting.discard(pause)


def _end(pause: "asyncio.Future[None]") -> None:
    if not pause.done():
        pause.set_result(None)
