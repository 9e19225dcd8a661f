"""Sessions: begin or configure one, look at one or all, end one."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from replay_server.cassettes.matching import is_part_of
from replay_server.endpoints.base import Route
from replay_server.errors import BadRequest, NotFound
from replay_server.interaction import Json
from replay_server.replay.decision import OnMiss
from replay_server.replay.session import Summary
from replay_server.server.control.operation import OBJECT, SESSION, TEXT, Asked, Operation, answer, listed

_PATH = "/__replay/s/{session}"
_TOLD = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "cassettes": {
            "type": "array",
            "items": TEXT,
            "description": "The cassettes that answer first, in this order: names of files without .yaml, or folders."
            " `*`: all files that lie in no folder. None: the one that is called as the session",
        },
        "only": {"type": "boolean", "description": "Nothing but these cassettes answers"},
        "on_miss": {
            "type": "string",
            "enum": [word.value for word in OnMiss],
            "description": "What answers a miss in this session, in place of what the server does",
        },
        "pace": {**TEXT, "description": "Of the answers in this session, such as `ttft=300ms,itl=20ms`"},
    },
}


async def _put(asked: Asked) -> web.StreamResponse:
    given: Mapping[str, Any] = asked.body
    on_miss = given.get("on_miss")
    if on_miss == OnMiss.UPSTREAM and not asked.replay.forwards:
        raise BadRequest("on_miss upstream needs an upstream: serve with --upstream URL", param="on_miss")
    cassettes = tuple(name.removesuffix(".yaml").removesuffix(".yml") for name in given.get("cassettes") or ())
    only = given.get("only") is True
    if only and not cassettes:
        raise BadRequest("only needs cassettes: name those that may answer", param="only")
    await asked.replay.state.tell(
        asked.session or "", cassettes=cassettes, only=only, on_miss=on_miss, pace=_pace(given.get("pace"))
    )
    return await _get(asked)


def _pace(text: str | None) -> str | None:
    """A pace as it was given. Raises BadRequest."""
    from replay_server.pace import BadPace, parse_pace  # nobody needs it who wants no pace

    try:
        if text is not None:
            parse_pace(text)
    except BadPace as error:
        raise BadRequest(f"pace: {error}", param="pace") from None
    return text


async def _get(asked: Asked) -> web.StreamResponse:
    return answer(_shown(await asked.replay.state.session(asked.session or ""), asked))


async def _delete(asked: Asked) -> web.StreamResponse:
    return answer(_shown(await asked.replay.state.end(asked.session or ""), asked))


async def _list(asked: Asked) -> web.StreamResponse:
    return answer({"sessions": [summary.as_json() for summary in await asked.replay.state.sessions()]})


def _shown(summary: Summary | None, asked: Asked) -> dict[str, Json]:
    if summary is None:
        raise NotFound(f"there is no session {asked.session!r}: its first request begins it", code="no_session")
    files = {candidate.interaction.cassette for candidate in asked.replay.library} if summary.told.cassettes else set()
    empty: list[Json] = [name for name in summary.told.cassettes if not any(is_part_of(file, name) for file in files)]
    return {**summary.as_json(), "empty_cassettes": empty}


OPERATIONS = (
    Operation(
        route=Route("GET", "/__replay/s", "listSessions", "List the sessions"),
        act=_list,
        answer=listed("sessions"),
    ),
    Operation(
        route=Route("PUT", _PATH, "putSession", "Begin a session, or change what it was told"),
        act=_put,
        path={"session": SESSION},
        body=_TOLD,
        example={"cassettes": ["greeting"], "only": True, "on_miss": "error"},
        answer=OBJECT,
    ),
    Operation(
        route=Route("GET", _PATH, "getSession", "Look at a session"),
        act=_get,
        path={"session": SESSION},
        answer=OBJECT,
        failures={404: "There is no such session"},
    ),
    Operation(
        route=Route("DELETE", _PATH, "endSession", "End a session, and say what it did"),
        act=_delete,
        path={"session": SESSION},
        answer=OBJECT,
        failures={404: "There is no such session"},
    ),
)
