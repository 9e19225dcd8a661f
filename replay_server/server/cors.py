"""What browsers ask before they let a page talk to us (CORS)."""

from collections.abc import Mapping

from aiohttp import web

_EXPOSED = (
    "X-Request-ID",
    "openai-processing-ms",
    "x-replay-source",
    "x-replay-interaction",
    "x-replay-key",
    "x-replay-drift",
    "x-replay-stale",
    "x-replay-fault",
)
CORS: Mapping[str, str] = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": ", ".join(_EXPOSED),
}
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_ONE_DAY = "86400"


def preflight(headers: Mapping[str, str]) -> web.Response:
    """The answer to OPTIONS: every method and every header asked for, `x-stainless-*` too."""
    allowed = {
        "allow": _METHODS,
        "access-control-allow-methods": _METHODS,
        "access-control-allow-headers": headers.get("access-control-request-headers", "*"),
        "access-control-max-age": _ONE_DAY,
    }
    return web.Response(status=204, headers=allowed)
