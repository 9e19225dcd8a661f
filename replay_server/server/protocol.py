"""aiohttp's server, with our errors for requests that are no HTTP, and our limit for bodies."""

import asyncio
import logging
from typing import Any

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage

from replay_server.endpoints.openai import error_response
from replay_server.errors import ApiError
from replay_server.interaction import WireResponse
from replay_server.stamp import Stamp

log = logging.getLogger("replay_server")


class Protocol(web.RequestHandler):
    """One connection. `pause` is what the answer under way waits for, if it waits."""

    pause: "asyncio.Future[None] | None" = None

    def connection_lost(self, exc: BaseException | None) -> None:
        """The client has left: nobody needs to wait for the rest of its answer."""
        super().connection_lost(exc)
        if self.pause is not None and not self.pause.done():
            self.pause.set_exception(ConnectionResetError("the client has left"))

    def log_exception(self, *args: Any, **options: Any) -> None:
        """Log what went wrong here; a body that a client has spoiled has been answered."""
        if not isinstance(options.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **options)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what the parser refused, in the API's own shape, and close."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun, so no error can be sent")
        if status >= 500 and not isinstance(exc, ConnectionError):
            log.error("cannot answer a request", exc_info=exc)
        reason = (message or str(exc) or "the request is not HTTP").splitlines()[0]
        error = ApiError(f"Bad request: {reason}", status=status, type="server_error" if status >= 500 else _REFUSED)
        response = plain(error_response(error, Stamp(reason)))
        response.force_close()
        return response


_REFUSED = "invalid_request_error"


_LINGERING_SECONDS = 1.0
"""How long an answered request's body is read, so that the client gets to see the answer."""


class HttpServer(web.Server):
    """Makes a `Protocol` for each connection."""

    def __init__(self, handler: Any, *, max_body: int) -> None:
        super().__init__(handler, request_factory=self._request, access_log=None)
        self._max_body = max_body
        self._handler_options: dict[str, Any] = {"access_log": None, "lingering_time": _LINGERING_SECONDS}

    def __call__(self) -> web.RequestHandler:
        return Protocol(self, loop=asyncio.get_running_loop(), **self._handler_options)

    def _request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        loop = asyncio.get_running_loop()
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=self._max_body)


def plain(wire: WireResponse) -> web.Response:
    """A whole answer as aiohttp sends it."""
    return web.Response(status=wire.status, headers=wire.headers, body=wire.body)
