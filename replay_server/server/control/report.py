"""The report: what has been used so far."""

import asyncio

from aiohttp import web

from replay_server.endpoints.base import Route
from replay_server.errors import BadRequest
from replay_server.replay.report import Report
from replay_server.replay.report_file import SCHEMA, as_json
from replay_server.server.control.operation import Asked, Operation, answer

_FORMATS = ("json", "text", "markdown")


async def _report(asked: Asked) -> web.StreamResponse:
    written = asked.query.get("format", "json")
    if written not in _FORMATS:
        raise BadRequest(f"format {written[:50]!r} is none of {', '.join(_FORMATS)}", param="format")
    snapshot = asked.replay.tally.snapshot(asked.replay.library)
    report = await asyncio.to_thread(snapshot.report)  # of a large library it takes a while
    return answer(as_json(report)) if written == "json" else _text(report, written)


def _text(report: Report, written: str) -> web.StreamResponse:
    from replay_server.replay.report_text import lines, markdown

    text = markdown(report) if written == "markdown" else "".join(f"{line}\n" for line in lines(report))
    media = "text/markdown" if written == "markdown" else "text/plain"
    return web.Response(body=text.encode(), headers={"content-type": f"{media}; charset=utf-8"})


OPERATIONS = (
    Operation(
        route=Route(
            "GET", "/__replay/report", "getReport", "What has been used so far: a reset does not begin it anew"
        ),
        act=_report,
        query={"format": {"type": "string", "enum": [*_FORMATS], "default": "json"}},
        answer=SCHEMA,
    ),
)
