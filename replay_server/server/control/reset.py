"""Reset: as if nothing had been asked."""

from aiohttp import web

from replay_server.endpoints.base import Route
from replay_server.server.control.operation import SESSION, Asked, Operation, answer


async def _reset(asked: Asked) -> web.StreamResponse:
    await asked.replay.state.reset(asked.session)
    return answer({"reset": asked.session or "all"})


OPERATIONS = (
    Operation(
        route=Route(
            "POST", "/__replay/reset", "reset", "Forget sequences' places, the journal, what was added and set"
        ),
        act=_reset,
        body={
            "type": "object",
            "additionalProperties": False,
            "properties": {"session": {**SESSION, "description": "Only this one; without it, all of them"}},
        },
        body_required=False,
        answer={"type": "object", "properties": {"reset": {"type": "string"}}, "required": ["reset"]},
    ),
)
