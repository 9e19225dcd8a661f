"""Verify: how often, and in which order, requests were made."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from aiohttp import web

from replay_server.endpoints.base import Route
from replay_server.errors import ApiError, BadRequest
from replay_server.replay.answer import Source
from replay_server.replay.journal import Filter
from replay_server.replay.verification import Count, Expected, called, in_order
from replay_server.server.control.operation import SESSION, TEXT, Asked, Operation, Schema, answer

_COUNT = {"type": "integer", "minimum": 0}
_EXPECTED: Mapping[str, Schema] = {
    "endpoint": {**TEXT, "description": "Such as `chat/completions`"},
    "model": TEXT,
    "interaction": {**TEXT, "description": "The one that answered, such as `weather.yaml#3`"},
    "key": {**TEXT, "pattern": "^[0-9a-f]{16,64}$"},
    "source": {"type": "string", "enum": [source.value for source in Source]},
    "status": {"type": "integer"},
    "contains": {**TEXT, "description": "What some text of the request's body holds"},
}
_TIMES: Mapping[str, Schema] = {"times": _COUNT, "at_least": _COUNT, "at_most": _COUNT}
_ORDER: Schema = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "object", "additionalProperties": False, "properties": _EXPECTED},
    "description": "Requests that were made one after the other, with any others in between",
}


async def _verify(asked: Asked) -> web.StreamResponse:
    given: Mapping[str, Any] = asked.body
    session = asked.session
    journal = await asked.replay.state.journal(Filter(session=session))
    if "order" in given:
        _check_alone(given)
        verdict = in_order(journal, [_expected(each) for each in given["order"]])
    else:
        count = Count(exactly=given.get("times"), at_least=given.get("at_least"), at_most=given.get("at_most"))
        verdict = called(journal, await asked.replay.state.forgotten(session), _expected(given), count)
    if verdict.problem:
        raise ApiError(asked.replay.library.config.redactor.text(verdict.problem), status=409, code="not_verified")
    return answer(verdict.as_json())


def _check_alone(given: Mapping[str, Any]) -> None:
    if others := [name for name in given if name not in ("order", "session")]:
        raise BadRequest(f"{others[0]} does not go with order: say it within", param=others[0])


def _expected(given: Mapping[str, Any]) -> Expected:
    return Expected(**{each.name: given.get(each.name) for each in fields(Expected)})


OPERATIONS = (
    Operation(
        route=Route("POST", "/__replay/verify", "verify", "Whether requests were made: how often, in which order"),
        act=_verify,
        body={
            "type": "object",
            "additionalProperties": False,
            "properties": {
                **_EXPECTED,
                **_TIMES,
                "order": _ORDER,
                "session": {**SESSION, "description": "Only requests of this one"},
            },
        },
        example={"endpoint": "chat/completions", "contains": "Say hello.", "at_least": 1},
        answer={
            "type": "object",
            "properties": {
                "verified": {"type": "boolean"},
                "count": {"type": "integer"},
                "requests": {"type": "array", "items": TEXT},
            },
            "required": ["verified", "count", "requests"],
        },
        failures={409: "It is not so: the message says what there was"},
    ),
)
