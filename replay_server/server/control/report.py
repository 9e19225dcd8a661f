"""The report: what has been used so far."""

import asyncio
from collections.abc import Callable, Mapping

from aiohttp import web

from replay_server.endpoints.base import Route
from replay_server.errors import BadRequest
from replay_server.replay.report import Report
from replay_server.replay.report_file import SCHEMA, report_text
from replay_server.server.control.operation import Asked, Operation


async def _report(asked: Asked) -> web.StreamResponse:
    written = asked.query.get("format", "json")
    if written not in _WRITERS:
        raise BadRequest(f"format {written[:50]!r} is none of {', '.join(_WRITERS)}", param="format")
    snapshot = asked.replay.tally.snapshot(asked.replay.library)
    # In a thread: of a large library it takes a while.
    body = await asyncio.to_thread(lambda: _WRITERS[written](snapshot.report()))
    return web.Response(body=body, headers={"content-type": _MEDIA[written]})


def _text(report: Report) -> bytes:
    from replay_server.replay.report_text import lines

    return "".join(f"{line}\n" for line in lines(report)).encode()


def _markdown(report: Report) -> bytes:
    from replay_server.replay.report_text import markdown

    return markdown(report).encode()


_WRITERS: Mapping[str, Callable[[Report], bytes]] = {"json": report_text, "text": _text, "markdown": _markdown}
_MEDIA = {
    "json": "application/json",
    "text": "text/plain; charset=utf-8",
    "markdown": "text/markdown; charset=utf-8",
}


OPERATIONS = (
    Operation(
        route=Route(
            "GET", "/__replay/report", "getReport", "What has been used so far: a reset does not begin it anew"
        ),
        act=_report,
        query={"format": {"type": "string", "enum": [*_WRITERS], "default": "json"}},
        answer=SCHEMA,
    ),
)
