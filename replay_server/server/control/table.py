"""The operations of the control API. Another group is one module with `OPERATIONS`, and its name here."""

from collections.abc import Awaitable, Callable
from functools import cache
from importlib import import_module

from aiohttp import web

from replay_server.endpoints import refusals
from replay_server.endpoints.openai import parse_object
from replay_server.endpoints.table import match
from replay_server.endpoints.validation import check
from replay_server.errors import MethodNotAllowed, NotFound
from replay_server.interaction import Json
from replay_server.replay.decision import Replay
from replay_server.server.access import Access
from replay_server.server.control.operation import Asked, Operation

GROUPS = ("sessions", "journal", "interactions", "faults", "explain", "verify", "report", "reset")


@cache
def operations() -> tuple[Operation, ...]:
    """All of them."""
    modules = (import_module(f"replay_server.server.control.{group}") for group in GROUPS)
    return tuple(operation for module in modules for operation in module.OPERATIONS)


async def respond(
    request: web.BaseRequest,
    access: Access,
    ready: Callable[[], Awaitable[Replay]],
    read_body: Callable[[], Awaitable[bytes]],
) -> web.StreamResponse:
    """The answer to a request of the control API. Raises ApiError."""
    access.check(request.remote, request.headers)
    operation, parameters = _find(request)
    query = dict(request.query)
    for name in query.keys() - operation.query.keys():
        raise refusals.unknown(name)
    body = _read(operation, await read_body())
    return await operation.act(Asked(http=request, replay=await ready(), parameters=parameters, query=query, body=body))


def _find(request: web.BaseRequest) -> tuple[Operation, dict[str, str]]:
    method, path = "GET" if request.method == "HEAD" else request.method, request.path
    found = [(each, held) for each in operations() if (held := match(each.route.path, path)) is not None]
    if not found:
        raise NotFound(f"Invalid URL ({request.method} {path})")
    for operation, parameters in found:
        if operation.route.method == method:
            return operation, parameters
    raise MethodNotAllowed(f"Not allowed to {request.method} on {path}.", code="method_not_supported")


def _read(operation: Operation, data: bytes) -> dict[str, Json]:
    if operation.body is None or not (data.strip() or operation.body_required):
        return {}
    body = parse_object(data)
    check(body, operation.body)
    return body
