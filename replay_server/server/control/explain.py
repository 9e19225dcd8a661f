"""Explain: what a request matches and why, or why it matches nothing."""

from aiohttp import web

from replay_server.endpoints.base import Resource, Route
from replay_server.endpoints.table import ENDPOINTS, implied_endpoint, resource_named
from replay_server.errors import ApiError, BadRequest
from replay_server.interaction import Request
from replay_server.replay.explanation import explain
from replay_server.server.control.journal import noted_as
from replay_server.server.control.operation import OBJECT, SESSION, TEXT, Asked, Operation, answer


async def _explain(asked: Asked) -> web.StreamResponse:
    entry = asked.body.get("entry")
    if isinstance(entry, str):
        noted = await noted_as(asked, entry)
        if noted.entry.body is None:
            raise ApiError(f"the request of {entry} had to make room: send it here", status=409, code="not_kept")
        session, (resource, request) = noted.entry.session, noted.entry.request()
    else:
        session, (resource, request) = asked.session or "", _request(asked)
    keyed = asked.replay.library.key(resource, request)
    return answer(explain(await asked.replay.view_of(session), keyed, asked.replay.remedy).as_json())


def _request(asked: Asked) -> tuple[Resource, Request]:
    fields = asked.body.get("request")
    if not isinstance(fields, dict):
        raise BadRequest("name an entry of the journal, or give a request", param="request")
    endpoint = asked.body.get("endpoint") or implied_endpoint(fields)
    if endpoint is None:
        raise BadRequest("request has neither messages nor prompt: name its endpoint", param="endpoint")
    if endpoint not in ENDPOINTS:
        raise BadRequest(f"endpoint {endpoint!r} is none of {', '.join(ENDPOINTS)}", param="endpoint")
    resource = resource_named(str(endpoint))
    return resource, resource.from_cassette(fields)


OPERATIONS = (
    Operation(
        route=Route("POST", "/__replay/explain", "explain", "What a request matches, or the nearest interactions"),
        act=_explain,
        body={
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "entry": {**TEXT, "description": "The id of an entry of the journal"},
                "request": {"type": "object", "description": "Or the body of a request"},
                "endpoint": {**TEXT, "description": "Of the request, where messages or prompt don't tell it"},
                "session": {**SESSION, "description": "In which the request would be made"},
            },
        },
        example={"request": {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hullo."}]}},
        answer=OBJECT,
        failures={404: "The journal has no such entry", 409: "The request had to make room for others"},
    ),
)
