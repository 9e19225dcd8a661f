"""Responses that are kept: retrieved, streamed again, cancelled, deleted. Wire facts: OpenAI's API description 2.3.0.

A response is kept unless it was asked for with `store: false`. One in the background goes a step further each time it
is asked for: no clock runs here.
"""

from collections.abc import Iterator
from typing import NamedTuple

import orjson

from replay_server.endpoints.base import Route
from replay_server.endpoints.conversation_items import id_prefix, items_of, shown_item, with_items
from replay_server.endpoints.objects import Kept, Objects
from replay_server.endpoints.openai import headers, json_response
from replay_server.endpoints.operation import Call, Operation, page
from replay_server.endpoints.responses_events import Cuts, response_events
from replay_server.endpoints.responses_object import is_under_way
from replay_server.errors import BadRequest
from replay_server.interaction import Json, JsonObject, Request, WireResponse, WireStream
from replay_server.stamp import Stamp

RESPONSE = "response"
"""The kind of responses, and of ids in requests that mean one."""

_PATH = "/responses/{response_id}"


class _Asked(NamedTuple):
    """What a kept response answers: the body of its request, and the items of the input as the API shows them."""

    body: dict[str, Json]
    items: list[dict[str, Json]]

    def as_bytes(self) -> bytes:
        return orjson.dumps({"body": self.body, "items": self.items})


def _asked(kept: Kept) -> _Asked:
    return _Asked(**orjson.loads(kept.content))


# Kept ----------------------------------------------------------------------------------------------------------------


async def keep_response(request: Request, said: Json, key: str, objects: Objects) -> None:
    """Keep a response, and put input and output into the conversation that it belongs to.

    A recording that is none cannot be asked for again.
    """
    if not isinstance(said, dict) or not isinstance(said.get("id"), str):
        return
    asked = _Asked(dict(request.body), list(_input_items(request.body.get("input"), Stamp(key))))
    kept = Kept(str(said["id"]), said, asked.as_bytes(), key)
    await objects.put(RESPONSE, kept)
    if not is_under_way(said):
        await _tell_conversation(kept, asked, objects)


def _input_items(given: Json, stamp: Stamp) -> Iterator[dict[str, Json]]:
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    for place, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield shown_item(item, id_prefix(item) + stamp.hex(f"input {place}", 48))


async def _tell_conversation(kept: Kept, asked: _Asked, objects: Objects) -> None:
    named = asked.body.get("conversation")
    conversation_id = named.get("id") if isinstance(named, dict) else named
    conversation = await objects.get("conversation", str(conversation_id))
    if conversation is None:
        return
    output = kept.value.get("output")
    said = [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
    await objects.put("conversation", with_items(conversation, [*items_of(conversation), *asked.items, *said]))


# Asked for -----------------------------------------------------------------------------------------------------------


async def _retrieve(call: Call) -> WireResponse | WireStream:
    kept = await _found(call)
    if is_under_way(kept.value):
        kept = await _a_step_further(call, kept)
    if call.query.get("stream") == "true":
        return _streamed(call, kept)
    return json_response(kept.value, call.stamp)


async def _a_step_further(call: Call, kept: Kept) -> Kept:
    if kept.value["status"] == "queued":
        changed = kept._replace(value={**kept.value, "status": "in_progress"})
    else:
        changed = kept._replace(value=await _answered(call, kept))
        await _tell_conversation(changed, _asked(changed), call.objects)
    await call.objects.put(RESPONSE, changed)
    return changed


async def _answered(call: Call, kept: Kept) -> JsonObject:
    """What the request is answered with in the foreground, under the id that it was given."""
    body = {**_asked(kept).body, "background": False, "store": False, "stream": False}
    # Its conversation is told when the answer is known, and must not be told twice.
    raw = call.raw._replace(method="POST", path="/v1/responses", query=(), body=orjson.dumps(body), target="")
    wire = await call.ask(raw)
    if not isinstance(wire, WireResponse) or wire.status != 200:
        return {**kept.value, "status": "failed", "error": _failure(wire)}
    answered: dict[str, Json] = orjson.loads(wire.body)
    return {**answered, **{name: kept.value[name] for name in ("id", "background", "store") if name in kept.value}}


def _failure(wire: WireResponse | WireStream) -> Json:
    said = orjson.loads(wire.body) if isinstance(wire, WireResponse) else {}
    error = said.get("error") if isinstance(said, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return {"code": "server_error", "message": message or "The response could not be made."}


def _streamed(call: Call, kept: Kept) -> WireStream:
    after = _number(call.query.get("starting_after"), "starting_after")
    plain = call.query.get("include_obfuscation") == "false"
    padding = None if plain else Stamp(kept.stands_for).text("obfuscation", 1024)
    frames = response_events(dict(kept.value), Cuts(None), padding)
    shown = tuple(frame for frame in frames if after is None or _sequence_number(frame) > after)
    return WireStream(200, headers(call.stamp, "text/event-stream; charset=utf-8"), shown)


def _sequence_number(frame: bytes) -> int:
    number: int = orjson.loads(frame.partition(b"data: ")[2])["sequence_number"]
    return number


def _number(text: str | None, name: str) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        problem = f"Invalid type for '{name}': expected an integer, but got '{text[:20]}' instead."
        raise BadRequest(problem, param=name, code="invalid_type")
    return int(text[:12])


async def _delete(call: Call) -> WireResponse:
    kept = await _found(call)
    await call.objects.remove(RESPONSE, kept.id)
    return json_response({"id": kept.id, "object": "response", "deleted": True}, call.stamp)


async def _cancel(call: Call) -> WireResponse:
    kept = await _found(call)
    if kept.value.get("background") is not True:
        raise BadRequest("Cannot cancel a synchronous response.")
    if is_under_way(kept.value):
        kept = kept._replace(value={**kept.value, "status": "cancelled"})
        await call.objects.put(RESPONSE, kept)
    return json_response(kept.value, call.stamp)


async def _list_input_items(call: Call) -> WireResponse:
    return json_response(page(call, _asked(await _found(call)).items), call.stamp)


async def _found(call: Call) -> Kept:
    wanted = call.parameters["response_id"]
    return await call.found(RESPONSE, wanted, f"Response with id '{wanted}' not found.")


OPERATIONS = (
    Operation(Route("GET", _PATH, "getResponse", "Retrieve a response"), _retrieve),
    Operation(Route("DELETE", _PATH, "deleteResponse", "Delete a response"), _delete),
    Operation(Route("POST", f"{_PATH}/cancel", "cancelResponse", "Cancel a response in the background"), _cancel),
    Operation(Route("GET", f"{_PATH}/input_items", "listInputItems", "List its input items"), _list_input_items),
)
