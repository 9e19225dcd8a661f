"""What the server says of itself: health, readiness, the API description and its page; and the pictures it paints."""

import asyncio
import time
from collections.abc import Callable

import orjson
from aiohttp import web

from replay_server import __version__
from replay_server.endpoints.address import IMAGES
from replay_server.endpoints.base import Route
from replay_server.endpoints.table import all_routes
from replay_server.errors import ApiError
from replay_server.replay.decision import Replay

ROUTES = (
    Route("GET", "/healthz", "health", "Whether the server can answer"),
    Route("GET", "/readyz", "ready", "Whether the cassettes are indexed"),
)


class Pages:
    """The server's own pages, by path. `ready` holds the library once it is indexed."""

    def __init__(self, ready: "asyncio.Future[Replay]") -> None:
        self._ready = ready
        self._started = time.monotonic()
        self._pages: dict[str, Callable[[], web.Response]] = {
            "/healthz": self._health,
            "/readyz": self._readiness,
            "/metrics": self._metrics,
            "/openapi.json": _description,
            "/docs": _docs,
            "/docs/": lambda: _redirect("../docs"),  # the page's own addresses are relative
            "/": lambda: _redirect("docs"),
        }

    def find(self, path: str) -> Callable[[], web.Response] | None:
        """The page at a path."""
        if page := self._pages.get(path):
            return page
        folder, _, name = path.rpartition("/")
        if folder == IMAGES:
            return _image(name)
        return _asset(name) if folder == "/docs" else None

    def _health(self) -> web.Response:
        library = self._ready.result().library if self._ready.done() else None
        return _json(
            {
                "status": "ok",
                "version": __version__,
                "ready": library is not None,
                "cassettes": library.cassettes if library else 0,
                "interactions": len(library) if library else 0,
                "uptime": round(time.monotonic() - self._started, 3),
            }
        )

    def _readiness(self) -> web.Response:
        if self._ready.done():
            # Still ready: the last good version of a cassette that broke goes on answering.
            stale = self._ready.result().library.stale
            return _json({"status": "ready", "stale": stale} if stale else {"status": "ready"})
        return _json({"status": "indexing cassettes"}, status=503)

    def _metrics(self) -> web.Response:
        try:
            from replay_server.server.metrics import CONTENT_TYPE, metrics  # its library comes with an extra
        except ModuleNotFoundError:
            raise ApiError(
                "/metrics needs the package prometheus-client: pip install 'replay-server[metrics]'",
                status=501,
                code="no_metrics",
            ) from None
        text = metrics(self._ready.result() if self._ready.done() else None)
        return web.Response(body=text, headers={"content-type": CONTENT_TYPE})


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value), headers={"content-type": "application/json"})


# The description and the page are imported when they are asked for: most servers never are.


def _description() -> web.Response:
    from replay_server.server.control.table import operations
    from replay_server.server.openapi import document

    return _json(document((*all_routes(), *ROUTES), control=operations()))


def _docs() -> web.Response:
    from replay_server.server.docs import page

    return web.Response(body=page(), headers={"content-type": "text/html; charset=utf-8"})


def _asset(name: str) -> Callable[[], web.Response] | None:
    from replay_server.server.docs import asset

    found = asset(name)
    if found is None:
        return None
    packed, content_type = found
    headers = {"content-type": content_type, "content-encoding": "gzip", "cache-control": "max-age=86400"}
    return lambda: web.Response(body=packed, headers=headers)


def _image(name: str) -> Callable[[], web.Response] | None:
    """A picture that an answer names by its URL: all of it is in its name."""
    from replay_server.endpoints.image_urls import read_name
    from replay_server.fallback.pictures import picture

    painted = read_name(name)
    if painted is None:
        return None
    headers = {"content-type": f"image/{painted.format}", "cache-control": "max-age=86400"}
    return lambda: web.Response(body=picture(*painted), headers=headers)


def _redirect(location: str) -> web.Response:
    return web.Response(status=307, headers={"location": location})
