"""Faults: what is to go wrong with the answers from now on, until it is taken back or a reset."""

from aiohttp import web

from replay_server.endpoints.base import Route
from replay_server.endpoints.table import ENDPOINTS
from replay_server.errors import ApiError, BadRequest, NotFound
from replay_server.faults.fault import Fault
from replay_server.faults.reading import BadFault, parse_fault, read_fault
from replay_server.interaction import Json
from replay_server.replay.fault_rules import MAX_RULES, FaultRule
from replay_server.server.control.operation import OBJECT, SESSION, TEXT, Asked, Operation, answer, listed

_PATH = "/__replay/faults"


async def _list(asked: Asked) -> web.StreamResponse:
    return answer({"faults": [rule.as_json() for rule in await asked.replay.state.faults(asked.session)]})


async def _set(asked: Asked) -> web.StreamResponse:
    fault, only, session = _fault(asked.body.get("fault")), _only(asked), asked.session or ""
    if len(await _set_for(asked, session)) >= MAX_RULES:
        raise ApiError(f"there are {MAX_RULES} faults already: take some back", status=409, code="too_many_faults")
    rule = await asked.replay.state.set_fault(session, fault, **only)
    return answer(rule.as_json(), status=201)


def _fault(written: Json) -> Fault:
    try:
        return read_fault(written) if isinstance(written, dict) else parse_fault(str(written))
    except BadFault as error:
        in_mapping = isinstance(written, dict) and error.member in written
        param = f"fault.{error.member}" if in_mapping else "fault"
        raise BadRequest(f"{written!r} is no fault: {error}", param=param, code="invalid_fault") from None


def _only(asked: Asked) -> dict[str, str | None]:
    """What the fault is for, in the session that it is for."""
    endpoint, model = asked.body.get("endpoint"), asked.body.get("model")
    # An endpoint that is not known here is called by its method and path.
    if isinstance(endpoint, str) and endpoint not in ENDPOINTS and " " not in endpoint:
        names = ", ".join(ENDPOINTS)
        raise BadRequest(f"endpoint {endpoint[:50]!r} is none of {names}, nor a method and path", param="endpoint")
    return {
        "endpoint": endpoint if isinstance(endpoint, str) else None,
        "model": model if isinstance(model, str) else None,
    }


async def _clear(asked: Asked) -> web.StreamResponse:
    faults = await asked.replay.state.faults(None) if asked.session is None else await _set_for(asked, asked.session)
    return await _cleared(asked, faults)


async def _delete(asked: Asked) -> web.StreamResponse:
    name = asked.parameters["fault"]
    faults = [rule for rule in await asked.replay.state.faults(None) if rule.id == name]
    if not faults:
        raise NotFound(f"there is no fault {name[:50]!r}, or no longer", code="no_fault")
    return await _cleared(asked, faults)


async def _set_for(asked: Asked, session: str) -> list[FaultRule]:
    """Those that were set for a session alone; for the empty one, those of all sessions."""
    return [rule for rule in await asked.replay.state.faults(session) if rule.session == session]


async def _cleared(asked: Asked, faults: list[FaultRule]) -> web.StreamResponse:
    ids = [rule.id for rule in faults]
    await asked.replay.state.clear_faults(ids)
    return answer({"removed": ids})


_REMOVED = {
    "type": "object",
    "properties": {"removed": {"type": "array", "items": TEXT}},
    "required": ["removed"],
}
OPERATIONS = (
    Operation(
        route=Route("GET", _PATH, "listFaults", "List the faults that were set"),
        act=_list,
        query={"session": {**SESSION, "description": "Those that hit this session; without it, all"}},
        answer=listed("faults"),
    ),
    Operation(
        route=Route("POST", _PATH, "setFault", "Have answers fail until a reset"),
        act=_set,
        status=201,
        body={
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "fault": {
                    "anyOf": [TEXT, OBJECT],
                    "description": "As the header x-replay-fault says it, or the same as an object",
                },
                "session": {**SESSION, "description": "For this one; without it, for all of them"},
                "endpoint": {**TEXT, "description": "Only requests of this endpoint, such as `chat/completions`"},
                "model": {**TEXT, "description": "Only requests for these models: a name, or a pattern such as gpt-4*"},
            },
            "required": ["fault"],
        },
        example={"fault": "status=429, retry_after=1, times=2", "session": "test-1", "model": "gpt-4*"},
        answer=OBJECT,
        failures={409: "There are too many"},
    ),
    Operation(
        route=Route("DELETE", _PATH, "clearFaults", "Take back all faults that were set"),
        act=_clear,
        query={"session": {**SESSION, "description": "Those that were set for this one alone"}},
        answer=_REMOVED,
    ),
    Operation(
        route=Route("DELETE", f"{_PATH}/{{fault}}", "clearFault", "Take back a fault"),
        act=_delete,
        path={"fault": {**TEXT, "description": "Its id, such as `fault-3`"}},
        answer=_REMOVED,
        failures={404: "There is no such fault"},
    ),
)
