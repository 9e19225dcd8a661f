"""What every OpenAI resource shares: JSON bodies, the error object, the headers, the fields that matching compares."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import orjson

from replay_server.endpoints.base import Route
from replay_server.errors import ApiError, BadRequest, NotFound
from replay_server.interaction import Json, JsonObject, RawRequest, Request, WireResponse
from replay_server.keys import MAX_DEPTH, canonical_json, normalise, too_deep
from replay_server.stamp import Stamp

if TYPE_CHECKING:
    from replay_server.endpoints.objects import Objects

_UNPARSABLE = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library"
    " correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON: {}.)"
)


@dataclass(frozen=True, slots=True)
class Fields:
    """How the fields of a request's body take part in matching. A field that is named nowhere here drifts."""

    prompt: tuple[str, ...]
    """Carry the prompt: the key."""
    shape: Mapping[str, Callable[[JsonObject], Json]]
    """Change the shape of the answer: what of the body is compared. None where the body asks for the default."""
    defaults: Mapping[str, Json] = field(default_factory=dict)
    """What a field means when it is absent."""

    def shape_of(self, body: JsonObject, name: str) -> Json:
        """A field that shapes the answer, None where it has its default or is none of those."""
        shape = self.shape.get(name)
        return shape(body) if shape is not None and name in body else None

    def drifting(self, body: JsonObject, name: str) -> Json:
        """A field that carries no prompt, None where it has its default or is none of those."""
        value = body.get(name)
        if value is None or name in self.prompt or name in _TRANSPORT:
            return None
        value = normalise(value)
        is_default = name in self.defaults and canonical_json(value) == canonical_json(self.defaults[name])
        return None if is_default else value


# One recording serves both modes, so how the answer travels is neither in the key nor drift.
_TRANSPORT = frozenset({"stream", "stream_options"})


class OpenAIResource:
    """The parts of `Resource` that are alike for all resources with a JSON body."""

    name: ClassVar[str]
    routes: ClassVar[tuple[Route, ...]]
    fields: ClassVar[Fields]
    known: ClassVar[bool] = False
    both_modes: ClassVar[bool] = True
    rendered_from: ClassVar[tuple[str, ...] | None] = None
    id_marks: ClassVar[tuple[bytes, ...]] = ()

    def parse(self, raw: RawRequest) -> Request:
        """Read the JSON body. Raises BadRequest where it is no JSON object."""
        body = parse_object(raw.body)
        if deployment := raw.parameters.get("deployment"):  # Azure answers for its path, whatever model the body names
            body["model"] = deployment
        return self.from_cassette(body)

    def from_cassette(self, fields: JsonObject) -> Request:
        """The request with this body."""
        model = fields.get("model")
        return Request(self.name, model if isinstance(model, str) else "", fields, self.streams(fields))

    def streams(self, body: JsonObject) -> bool:
        """Whether a request with this body asks for a stream."""
        return body.get("stream") is True

    def prompt(self, request: Request) -> JsonObject:
        """The fields of the key, as they came."""
        return {name: request.keyed[name] for name in self.fields.prompt if name in request.keyed}

    def canonical(self, request: Request) -> JsonObject:
        """The fields of the key, normalised."""
        return {name: normalise(value) for name, value in self.prompt(request).items()}

    def shape(self, request: Request) -> JsonObject:
        """The fields that change the shape of the answer."""
        found = {name: self.shape_field(request, name) for name in self.fields.shape}
        return {name: value for name, value in found.items() if value is not None}

    def shape_field(self, request: Request, name: str) -> Json:
        """One of them."""
        return self.fields.shape_of(request.body, name)

    def drifting(self, request: Request) -> JsonObject:
        """The other fields that a match may disagree in."""
        found = {name: self.drifting_field(request, name) for name in request.body}
        return {name: value for name, value in found.items() if value is not None}

    def drifting_field(self, request: Request, name: str) -> Json:
        """One of them."""
        return self.fields.drifting(request.body, name)

    def validate(self, request: Request) -> None:
        """Raise the error that the live API answers this request with, if it refuses it."""
        if request.body.get("model") in (None, ""):
            raise BadRequest("you must provide a model parameter")
        # Imported when an answer is made up: a replay never needs them.
        from replay_server.endpoints.description import request_schema
        from replay_server.endpoints.validation import check

        check(request.body, request_schema(self.routes[0].operation_id))

    def ends_stream(self, data: bytes) -> bool | None:
        """Whether a frame's data is what ends a stream that came whole."""
        return data == b"[DONE]"

    def carries_delta(self, data: bytes) -> bool:
        """Whether a choice says more: not the chunk with the role alone, nor those with finish_reason or usage."""
        chunk = object_or_none(data)
        choices = chunk.get("choices") if chunk else None
        return isinstance(choices, list) and any(map(_says_more, choices))

    def tokens_said(self, body: bytes) -> int:
        """The completion's tokens, as its usage counts them."""
        answer = object_or_none(body)
        usage = answer.get("usage") if answer else None
        tokens = usage.get("completion_tokens") if isinstance(usage, dict) else None
        return tokens if isinstance(tokens, int) else 0

    def unknown_model(self, model: str) -> ApiError:
        """The error of the live API for a model that there is not."""
        return unknown_model(model)

    def error(self, error: ApiError, stamp: Stamp) -> WireResponse:
        """The API's error object."""
        return error_response(error, stamp)

    def keeps(self, request: Request) -> bool:
        """Whether the session keeps the answer."""
        return False

    async def keep(self, request: Request, said: Json, key: str, objects: "Objects") -> None:
        """Never asked: nothing is kept."""


def unknown_model(model: str) -> ApiError:
    """The error of the live API for a model that there is not."""
    message = f"The model `{model}` does not exist or you do not have access to it."
    return NotFound(message, code="model_not_found")


def object_or_none(data: bytes) -> dict[str, Json] | None:
    """The JSON object in some bytes, None where there is none."""
    try:
        value: Json = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _says_more(choice: Json) -> bool:
    """A chat has a `delta` with more than a role in it, a completion has a `text`."""
    if not isinstance(choice, dict):
        return False
    delta = choice.get("delta")
    said = isinstance(delta, dict) and any(value for name, value in delta.items() if name != "role")
    return said or bool(choice.get("text"))


def parse_object(body: bytes) -> dict[str, Json]:
    """The JSON object that a body holds. Raises BadRequest."""
    try:
        parsed: Json = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(_UNPARSABLE.format(error)) from None
    if not isinstance(parsed, dict):
        raise BadRequest("Invalid type for the request body: expected an object.", code="invalid_type")
    # Counting brackets is quick, and nearly always enough.
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and too_deep(parsed):
        raise BadRequest(
            f"Invalid request body: objects and arrays lie more than {MAX_DEPTH} deep.", code="invalid_value"
        )
    return parsed


def headers(stamp: Stamp, content_type: str = "application/json") -> dict[str, str]:
    """The headers of every answer of the API."""
    return {
        "content-type": content_type,
        "openai-processing-ms": str(stamp.processing_ms),
        "openai-version": "2020-10-01",
        "x-request-id": "req_" + stamp.hex("request", 32),
        "x-content-type-options": "nosniff",
    }


def json_response(value: Mapping[str, object], stamp: Stamp, status: int = 200) -> WireResponse:
    """An answer in the live API's JSON style: indented by two."""
    return WireResponse(status, headers(stamp), orjson.dumps(value, option=orjson.OPT_INDENT_2))


def error_response(error: ApiError, stamp: Stamp) -> WireResponse:
    """The error object: all four fields, null where empty."""
    fields = {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
    return json_response({"error": fields}, stamp, error.status)


def field_value(name: str) -> Callable[[JsonObject], Json]:
    """A shape that is the field itself, normalised."""
    return lambda body: normalise(body[name])


def unless(name: str, default: Json) -> Callable[[JsonObject], Json]:
    """A shape that is the field itself, or None where it is `default`."""

    def shape(body: JsonObject) -> Json:
        value = normalise(body[name])
        return None if value == default and type(value) is type(default) else value

    return shape
