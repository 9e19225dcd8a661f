"""The page at `/docs`: Swagger UI, shipped with the package, so that it works without internet.

The page is at `docs` and asks for `docs/swagger-ui.css`, `docs/swagger-ui-bundle.js` and `openapi.json`, all relative
to itself, so that it works behind any path prefix.
"""

from functools import cache
from importlib.resources import files

ASSETS = {"swagger-ui-bundle.js": "text/javascript; charset=utf-8", "swagger-ui.css": "text/css; charset=utf-8"}
"""What the page asks for, with content types."""


def page() -> bytes:
    """The page itself, HTML in UTF-8."""
    return _read("docs.html")


def asset(name: str) -> tuple[bytes, str] | None:
    """An asset, gzipped, and its content type. None: there is no such asset."""
    return (_read(f"{name}.gz"), ASSETS[name]) if name in ASSETS else None


@cache
def _read(name: str) -> bytes:
    return (files("replay_server.server") / "static" / name).read_bytes()
