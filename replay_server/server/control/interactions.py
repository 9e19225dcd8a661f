"""Interactions: what is there, and what is added or taken out at run time. No file is ever touched."""

from collections.abc import Iterator

import orjson
from aiohttp import web

from replay_server.cassettes.inventory import Row, matcher_row, row
from replay_server.endpoints.base import Route
from replay_server.errors import BadRequest, CassetteError, NotFound
from replay_server.interaction import Interaction, Json
from replay_server.replay.additions import cassette_name, interactions, is_added
from replay_server.replay.session import Addition
from replay_server.server.control.operation import OBJECT, SESSION, TEXT, Asked, Operation, answer, listed

_QUERY = {
    "session": {**SESSION, "description": "As this session sees them; without it, as all do"},
    "endpoint": TEXT,
    "model": TEXT,
    "cassette": {**TEXT, "description": "Only those whose cassette starts with this"},
}


async def _list(asked: Asked) -> web.StreamResponse:
    query = asked.query
    found = [
        each
        for each in await _rows(asked)
        if query.get("endpoint") in (None, each.endpoint)
        and query.get("model") in (None, each.model)
        and each.interaction.startswith(query.get("cassette", ""))
    ]
    return answer({"interactions": [each.as_json() for each in found]})


async def _rows(asked: Asked) -> list[Row]:
    """The rows of all that may answer: added ones come first, the others as their cassettes do."""
    view = await asked.replay.view_of(asked.session or "")
    rows = [(candidate.interaction, row(candidate)) for candidate in view.candidates]
    rows += [(matcher.interaction, matcher_row(matcher)) for matcher in view.matchers]
    return [found for _, found in sorted(rows, key=lambda each: _place(each[0]))]


def _place(interaction: Interaction) -> tuple[bool, str, int]:
    return not is_added(interaction), interaction.cassette, interaction.place


async def _add(asked: Asked) -> web.StreamResponse:
    session, text = asked.session or "", "".join(_texts(asked))
    name = cassette_name(1, session)
    try:
        read = list(interactions(Addition(1, text), session))
    except CassetteError as error:
        raise BadRequest(f"line {error.line}: {error.problem}", code="invalid_interaction") from None
    if not read:
        raise BadRequest(f"{name} holds no interaction", code="invalid_interaction")
    addition = await asked.replay.state.add(session, text)
    return answer({"interactions": [each.id for each in interactions(addition, session)]}, status=201)


def _texts(asked: Asked) -> Iterator[str]:
    """The text of a cassette: `yaml` as it is, `documents` as YAML's JSON."""
    given = [name for name in ("yaml", "documents") if name in asked.body]
    if len(given) != 1:
        raise BadRequest("give either yaml or documents", param="documents")
    yaml, documents = asked.body.get("yaml"), asked.body.get("documents")
    if isinstance(yaml, str):
        yield yaml
    for document in documents if isinstance(documents, list) else ():
        yield f"--- {orjson.dumps(document).decode()}\n"


async def _delete(asked: Asked) -> web.StreamResponse:
    name, session = asked.parameters["interaction"], asked.session or ""
    if name not in [each.interaction for each in await _rows(asked)]:
        raise NotFound(f"there is no interaction {name[:200]!r}", code="no_interaction")
    await asked.replay.state.take_out(session, name)
    removed: dict[str, Json] = {"removed": name}
    return answer(removed)


OPERATIONS = (
    Operation(
        route=Route("GET", "/__replay/interactions", "listInteractions", "List what can answer"),
        act=_list,
        query=_QUERY,
        answer=listed("interactions"),
    ),
    Operation(
        route=Route("POST", "/__replay/interactions", "addInteractions", "Add interactions until a reset"),
        act=_add,
        status=201,
        body={
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "yaml": {**TEXT, "description": "The text of a cassette"},
                "documents": {"type": "array", "items": OBJECT, "description": "Or its documents as JSON"},
                "session": {**SESSION, "description": "For this one; without it, for all of them"},
            },
        },
        example={
            "documents": [
                {
                    "request": {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hullo."}]},
                    "response": {"content": "Hullo!"},
                }
            ]
        },
        answer={
            "type": "object",
            "properties": {"interactions": {"type": "array", "items": TEXT}},
            "required": ["interactions"],
        },
    ),
    Operation(
        route=Route(
            "DELETE", "/__replay/interactions/{interaction+}", "removeInteraction", "Take one out until a reset"
        ),
        act=_delete,
        path={"interaction": {**TEXT, "description": "Its id, such as `weather.yaml#3`"}},
        query={"session": {**SESSION, "description": "For this one; without it, for all of them"}},
        answer={"type": "object", "properties": {"removed": TEXT}, "required": ["removed"]},
        failures={404: "There is no such interaction"},
    ),
)
