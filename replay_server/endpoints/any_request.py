"""Any request at all: what no module knows is told by method, path, query and body, and answered as it was recorded.

Nothing is known of what such a request means, so all of it makes the key, nothing drifts, a recording is replayed in
the mode in which it came, and no answer is ever made up.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import orjson

from replay_server.endpoints.base import BadField, Resource, Route
from replay_server.endpoints.http_form import check_http_fields, flattened, http_fields
from replay_server.endpoints.openai import error_response, unknown_model
from replay_server.errors import ApiError, NotFound
from replay_server.interaction import Json, JsonObject, RawRequest, Reply, Request, Wanted, WireResponse, WireStream
from replay_server.keys import normalise
from replay_server.stamp import Stamp

if TYPE_CHECKING:
    from replay_server.conditions import Spoken
    from replay_server.endpoints.objects import Objects

_RESOURCES_REMEMBERED = 4096
# How streams that are no chat's end. Source: the APIs' own descriptions of their events.
_LAST_EVENTS = frozenset({"response.completed", "response.failed", "response.incomplete", "message_stop"})
_OTHERS_FOLLOW = ("response.", "chat.completion.chunk", "message_start", "message_delta", "content_block_", "ping")


class AnyRequest:
    """The resource of one method and path."""

    both_modes = False
    id_marks: tuple[bytes, ...] = ()
    rendered_from: tuple[str, ...] | None = None

    def __init__(self, method: str, path: str, *, known: bool) -> None:
        self.name = f"{method} {path}"
        self.known = known
        self.routes = (Route(method, path, operation_id=""),)

    def parse(self, raw: RawRequest) -> Request:
        """Read query and body, whatever they are."""
        return self._request(http_fields(raw.query, raw.headers.get("content-type", ""), raw.body))

    def from_cassette(self, fields: JsonObject) -> Request:
        """Read `{query, body | form | raw}`. Raises BadField."""
        check_http_fields(fields)
        return self._request(fields)

    def _request(self, fields: JsonObject) -> Request:
        return Request(self.name, _model(fields), fields)

    def canonical(self, request: Request) -> JsonObject:
        """All of it, normalised."""
        return {name: normalise(value) for name, value in flattened(request.body).items()}

    def prompt(self, request: Request) -> JsonObject:
        """All of it, as it came."""
        return flattened(request.body)

    def shape(self, request: Request) -> JsonObject:
        """Nothing: it is in the key."""
        return {}

    def shape_field(self, request: Request, name: str) -> Json:
        """None: it is in the key."""
        return None

    def drifting(self, request: Request) -> JsonObject:
        """Nothing: it is in the key."""
        return {}

    def drifting_field(self, request: Request, name: str) -> Json:
        """None: it is in the key."""
        return None

    def spoken(self, request: Request) -> "Spoken":
        """What its body says, as most APIs would mean it."""
        from replay_server.endpoints.spoken import spoken_in_body

        body = request.body.get("body")
        return spoken_in_body(body if isinstance(body, dict) else {})

    def validate(self, request: Request) -> None:
        """Refuse it: an answer to it cannot be made up."""
        method, _, path = self.name.partition(" ")
        raise NotFound(f"Invalid URL ({method} {path})")

    def unknown_model(self, model: str) -> ApiError:
        """The error of the live API for a model that there is not."""
        return unknown_model(model)

    def wanted(self, request: Request) -> Wanted:
        """Nobody knows what it asks for. Raises NotFound."""
        raise NotFound(f"{self.name} can only be recorded and replayed")

    def read_reply(self, short: JsonObject) -> Reply:
        """There is no short form: nobody knows what is meant."""
        raise BadField((), f"{self.name} has no short form: give error, body, stream or raw")

    def write_reply(self, reply: Reply) -> JsonObject:
        """There is no short form."""
        raise BadField((), f"{self.name} has no short form")

    def read_body(self, body: Json) -> Reply:
        """A recorded answer stays plain."""
        raise BadField((), "is of no endpoint that is known here")

    def read_stream(self, chunks: Sequence[Json]) -> Reply:
        """A recorded stream stays one."""
        raise BadField((), "is of no endpoint that is known here")

    def ends_stream(self, data: bytes) -> bool | None:
        """Whether a frame's data ends a stream, as far as its event is one of an API that is known to us."""
        return True if data == b"[DONE]" else _ends(_event_type(data))

    def carries_delta(self, data: bytes) -> bool:
        """Whether its type says so, or it has none: `response.output_text.delta`, `chat.completion.chunk`."""
        kind = _event_type(data)
        return "delta" in kind or kind.endswith(".chunk") if kind else data != b"[DONE]"

    def tokens_said(self, body: bytes) -> int:
        """None that we know of."""
        return 0

    def render(self, request: Request, reply: Reply, stamp: Stamp) -> WireResponse:
        """Never asked: there are no neutral replies. Raises NotFound."""
        raise NotFound(f"{self.name} can only be recorded and replayed")

    def stream(self, request: Request, reply: Reply, stamp: Stamp) -> WireStream:
        """Never asked: there are no neutral replies. Raises NotFound."""
        raise NotFound(f"{self.name} can only be recorded and replayed")

    def error(self, error: ApiError, stamp: Stamp) -> WireResponse:
        """The API's error object."""
        return error_response(error, stamp)

    def keeps(self, request: Request) -> bool:
        """Nothing is kept: what was recorded of one request says nothing of the next."""
        return False

    async def keep(self, request: Request, said: Json, key: str, objects: "Objects") -> None:
        """Never asked: nothing is kept."""


@lru_cache(_RESOURCES_REMEMBERED)
def any_request(method: str, path: str, *, known: bool = False) -> Resource:
    """The resource of requests by this method to this path, which has no `/v1`. `known`: an operation answers them."""
    return AnyRequest(method, path, known=known)


def _model(fields: JsonObject) -> str:
    body = fields.get("body")
    model = body.get("model") if isinstance(body, dict) else _form_value(fields, "model")
    return model if isinstance(model, str) else ""


def _form_value(fields: JsonObject, name: str) -> Json:
    """The value of a part of the form."""
    form = fields.get("form")
    parts = [part for part in form if isinstance(part, dict)] if isinstance(form, list) else []
    return next((part.get("value") for part in parts if part.get("name") == name), None)


def _event_type(data: bytes) -> str:
    try:
        event = orjson.loads(data)
    except orjson.JSONDecodeError:
        return ""
    kind = event.get("type") or event.get("object") if isinstance(event, dict) else None
    return kind if isinstance(kind, str) else ""


def _ends(kind: str) -> bool | None:
    if kind in _LAST_EVENTS:
        return True
    return False if kind.startswith(_OTHERS_FOLLOW) else None
