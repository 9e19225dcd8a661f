"""The journal: what was asked and answered, and what is being asked just now."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import orjson
from aiohttp import web

from replay_server.endpoints.base import Route
from replay_server.errors import BadRequest, NotFound
from replay_server.interaction import Json
from replay_server.replay.answer import Source
from replay_server.replay.journal import Filter, Noted
from replay_server.server.control.operation import OBJECT, SESSION, TEXT, Asked, Operation, answer
from replay_server.server.headers import SERVER

MOST_WAITING = 1_000
"""Entries that wait for a follower at most: one that reads more slowly is let go."""
_SILENCE_SECONDS = 15.0
_STREAM = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store", "server": SERVER}
_MOST_LISTED = 10_000
_DEFAULT_LISTED = 100
_QUERY = {
    "session": {**SESSION, "description": "Only requests of this session"},
    "source": {"type": "string", "enum": [source.value for source in Source], "description": "Only these answers"},
    "endpoint": {**TEXT, "description": "Only requests of this endpoint, such as `chat/completions`"},
    "limit": {"type": "integer", "minimum": 1, "maximum": _MOST_LISTED, "default": _DEFAULT_LISTED},
    "after": {**TEXT, "description": "Only what came after the entry with this id"},
    "request": {"type": "boolean", "description": "Show the bodies of the requests, without secrets"},
    "follow": {"type": "boolean", "description": "Go on with what comes, as server-sent events"},
}


async def _list(asked: Asked) -> web.StreamResponse:
    wanted = Filter(session=asked.session, source=_source(asked), endpoint=asked.query.get("endpoint"))
    follows = asked.flag("follow") or "text/event-stream" in asked.http.headers.get("accept", "")
    if follows and asked.http.method != "HEAD":
        return await _follow(asked, wanted)
    entries: list[Json] = [_shown(noted, asked) for noted in await _listed(asked, wanted)]
    return answer({"entries": entries, "forgotten": await asked.replay.state.forgotten(asked.session)})


async def _get(asked: Asked) -> web.StreamResponse:
    return answer(_shown(await noted_as(asked, asked.parameters["entry"]), asked, whole=True))


async def noted_as(asked: Asked, name: str) -> Noted:
    """The entry that is called so. Raises NotFound."""
    session, _, number = name.rpartition("#")
    for noted in await asked.replay.state.journal(Filter(session=session)):
        if str(noted.number) == number:
            return noted
    raise NotFound(f"the journal has no entry {name[:150]!r}, or no longer", code="no_entry")


def _source(asked: Asked) -> str | None:
    source = asked.query.get("source")
    if source is not None and source not in list(Source):
        raise BadRequest(f"source {source[:50]!r} is none of {', '.join(Source)}", param="source")
    return source


async def _listed(asked: Asked, wanted: Filter) -> list[Noted]:
    """The latest ones, or the first ones after the one that is named."""
    limit = asked.number("limit", _DEFAULT_LISTED, _MOST_LISTED)
    entries = await asked.replay.state.journal(wanted)
    after = asked.query.get("after") or asked.http.headers.get("last-event-id")
    if after is None:
        return entries[-limit:]
    order = (await noted_as(asked, after)).order
    return [noted for noted in entries if noted.order > order][:limit]


def _shown(noted: Noted, asked: Asked, *, whole: bool = False) -> dict[str, Json]:
    redactor = asked.replay.library.config.redactor
    entry = noted.as_json(redactor)
    return {**entry, "request": noted.request(redactor)} if whole or asked.flag("request") else entry


# Live ----------------------------------------------------------------------------------------------------------------


class Follower:
    """What waits to be sent to one who follows the journal."""

    def __init__(self, wanted: Filter, most: int = MOST_WAITING) -> None:
        self._wanted = wanted
        self._most = most
        self._waiting: asyncio.Queue[Noted | None] = asyncio.Queue()
        self._ended = False
        self.too_slow = False

    def hear(self, noted: Noted | None) -> None:
        """Take an entry; one too many, or None, is the last."""
        if self._ended or (noted is not None and not self._wanted.passes(noted.entry)):
            return
        self.too_slow = self._waiting.qsize() >= self._most
        self._ended = noted is None or self.too_slow
        self._waiting.put_nowait(None if self._ended else noted)

    async def entries(self) -> AsyncIterator[Noted | None]:
        """The entries as they come, and None where none has come for a while."""
        while True:
            try:
                noted = await asyncio.wait_for(self._waiting.get(), _SILENCE_SECONDS)
            except TimeoutError:
                yield None
                continue
            if noted is None:
                return
            yield noted


async def _follow(asked: Asked, wanted: Filter) -> web.StreamResponse:
    """Those that are there, then those that come."""
    follower = Follower(wanted)
    stop = asked.replay.state.listen(follower.hear)  # before the journal is read, so that nothing is lost in between
    try:
        before = await _listed(asked, wanted)
        response = web.StreamResponse(headers=_STREAM)
        await response.prepare(asked.http)
        await _send(response, before, asked)
        last = before[-1].order if before else -1
        async for noted in follower.entries():
            if noted is None or noted.order > last:
                await _send(response, filter(None, (noted,)), asked)
        if follower.too_slow:
            await response.write(b'event: too_slow\ndata: {"message": "you read more slowly than entries come"}\n\n')
    finally:
        stop()
    return response


async def _send(response: web.StreamResponse, entries: Iterable[Noted], asked: Asked) -> None:
    events = (b"id: %b\ndata: %b\n\n" % (each.id.encode(), orjson.dumps(_shown(each, asked))) for each in entries)
    await response.write(b"".join(events) or b": nothing new\n\n")  # whoever has left is noticed by that


OPERATIONS = (
    Operation(
        route=Route("GET", "/__replay/journal", "listJournal", "What was asked and answered, the latest last"),
        act=_list,
        query=_QUERY,
        answer={
            "type": "object",
            "properties": {"entries": {"type": "array", "items": OBJECT}, "forgotten": {"type": "integer"}},
            "required": ["entries", "forgotten"],
        },
        failures={404: "The journal has no entry that is called as `after`"},
        streams=True,
    ),
    Operation(
        route=Route("GET", "/__replay/journal/{entry}", "getJournalEntry", "One entry, with the body of its request"),
        act=_get,
        path={"entry": {**TEXT, "description": "The id of an entry, such as `one#3`"}},
        answer=OBJECT,
        failures={404: "The journal has no such entry"},
    ),
)
