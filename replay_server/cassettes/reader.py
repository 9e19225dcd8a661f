"""A document of a cassette as an interaction: what each field may be, and what to do where it is not."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from replay_server.cassettes.recorded_form import is_recorded, read_recorded
from replay_server.cassettes.response_head import read_headers
from replay_server.cassettes.yaml import Document, YamlError, documents
from replay_server.endpoints.base import BadField, Resource
from replay_server.endpoints.documents import document_request
from replay_server.endpoints.short_form import known, optional, required
from replay_server.endpoints.table import implied_endpoint
from replay_server.errors import CassetteError
from replay_server.interaction import (
    ErrorReply,
    Interaction,
    Json,
    JsonObject,
    Pace,
    Repeat,
    Request,
    Response,
)

if TYPE_CHECKING:
    from replay_server.cassettes.match_reader import Match
    from replay_server.faults.fault import Fault

RECORDED_FIELDS = ("at",)
FORMAT = 1
"""The version of the format. What is written by it is read by every later one."""
DOCUMENT_FIELDS = ("version", "name", "endpoint", "request", "match", "response", "repeat", "pace", "fault", "recorded")
ERROR_FIELDS = ("status", "message", "type", "param", "code", "headers")

T = TypeVar("T")


def read_cassette(cassette: str, data: bytes, file: str | None = None) -> Iterator[Interaction]:
    """The interactions of a cassette; `file` is its name in messages. Raises CassetteError for the first broken one."""
    for found in survey_cassette(cassette, data, file):
        if isinstance(found, CassetteError):
            raise found
        yield found


def survey_cassette(cassette: str, data: bytes, file: str | None = None) -> Iterator[Interaction | CassetteError]:
    """The interactions of a cassette, and what is wrong with those that are broken."""
    file, place = file or cassette, 0
    try:
        for document in documents(data):
            place += 1
            yield _read_or_error(cassette, place, document, file)
    except YamlError as error:
        yield CassetteError(file, error.line, f"interaction {place + 1} {error.problem}")


def _read_or_error(cassette: str, place: int, document: Document, file: str) -> Interaction | CassetteError:
    try:
        return read_interaction(cassette, place, document, file)
    except CassetteError as error:
        return error


def read_interaction(cassette: str, place: int, document: Document, file: str) -> Interaction:
    """The interaction that a document holds. Raises CassetteError, with the line of the field."""
    try:
        return _read(cassette, place, document, file)
    except BadField as error:
        where = dotted(error.path)
        problem = f"interaction {place}: {where}: {error.problem}" if where else f"interaction {place} {error.problem}"
        raise CassetteError(file, document.line_of(error.path), problem) from None


def dotted(path: tuple[str | int, ...]) -> str:
    """A path as messages show it: `response.tool_calls[0].name`."""
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path]
    return "".join(steps).removeprefix(".")


def _read(cassette: str, place: int, document: Document, file: str) -> Interaction:
    fields = document.value
    if not isinstance(fields, dict):
        raise BadField((), "must be a mapping with request and response")
    _check_version(fields)
    known(fields, DOCUMENT_FIELDS)
    for name in ("match" if "match" in fields else "request", "response"):
        if name not in fields:
            raise BadField((), f"has no {name}")
    match = _read_match(fields, document, file) if "match" in fields else None
    resource, request = _read_request(fields, document) if match is None else (match.resource, None)
    response = fields["response"]
    return Interaction(
        cassette=cassette,
        place=place,
        line=document.line,
        endpoint=resource.name,
        request={} if request is None else request.body,
        responses=_read_responses(response, resource),
        repeat=_read_repeat(fields),
        pace=read_pace(fields),
        fault=_read_fault(fields),
        recorded=_is_recorded(fields),
        name=optional(fields, "name", str),
        conditions=match.conditions if match else None,
        templates=match.templates if match else None,
    )


def _read_match(fields: JsonObject, document: Document, file: str) -> "Match":
    # Loaded when a cassette has one: others need neither conditions nor templates.
    from replay_server.cassettes.match_reader import read_match

    return read_match(fields, document, file)


def _check_version(fields: JsonObject) -> None:
    version = optional(fields, "version", int)
    if version is not None and version != FORMAT:
        what = f"and this replay-server reads up to {FORMAT}: install a newer one" if version > FORMAT else "never was"
        raise BadField(("version",), f"is {version}, {what}")


def _read_request(fields: JsonObject, document: Document) -> tuple[Resource, Request]:
    written = _with_model(required(fields, "request", dict), document)
    endpoint = optional(fields, "endpoint", str) or implied_endpoint(written)
    if endpoint is None:
        raise BadField(("request",), "has neither messages nor prompt: add endpoint to the document")
    return document_request(endpoint, written)


def _with_model(request: JsonObject, document: Document) -> JsonObject:
    model = request.get("model")
    if isinstance(model, int | float) and not isinstance(model, bool):  # a model named 4.10 is not the number 4.1
        return {**request, "model": document.text_at(("request", "model"))}
    return request


def _read_responses(value: Json, resource: Resource) -> tuple[Response, ...]:
    if not isinstance(value, list):
        return (_within(("response",), lambda: read_response(value, resource)),)
    if not value:
        raise BadField(("response",), "must have at least one response")
    return tuple(_read_listed(response, at, resource) for at, response in enumerate(value))


def _read_listed(response: Json, at: int, resource: Resource) -> Response:
    return _within(("response", at), lambda: read_response(response, resource))


def _within(path: tuple[str | int, ...], read: Callable[[], T]) -> T:
    try:
        return read()
    except BadField as error:
        raise error.below(*path) from None


def read_response(response: Json, resource: Resource) -> Response:
    """Read one response of a document. Raises BadField."""
    if not isinstance(response, dict):
        raise BadField((), "must be a mapping" if response is not None else "is empty: give content, error or body")
    if "error" in response:
        known(response, ("error",))
        return _within(("error",), lambda: _read_error(required(response, "error", dict)))
    if is_recorded(response):
        return read_recorded(response)
    return resource.read_reply(response)


def _read_error(fields: JsonObject) -> ErrorReply:
    known(fields, ERROR_FIELDS)
    status = required(fields, "status", int)
    if not 400 <= status <= 599:
        raise BadField(("status",), f"must be an HTTP status from 400 to 599, not {status}")
    return ErrorReply(
        status=status,
        message=required(fields, "message", str),
        type=optional(fields, "type", str) or "invalid_request_error",
        param=optional(fields, "param", str),
        code=optional(fields, "code", str),
        headers=read_headers(fields),
    )


def _is_recorded(fields: JsonObject) -> bool:
    """Whether the response came from an upstream: `recorded` says when."""
    recorded = optional(fields, "recorded", dict)
    if recorded is not None:
        _within(("recorded",), lambda: known(recorded, RECORDED_FIELDS))
    return recorded is not None


def _read_repeat(fields: JsonObject) -> Repeat:
    if "repeat" in fields and not isinstance(fields["response"], list):
        raise BadField(("repeat",), "needs a response that is a list")
    word = optional(fields, "repeat", str)
    choices = [repeat.value for repeat in Repeat]
    if word is not None and word not in choices:
        raise BadField(("repeat",), f"{word!r} is none of {', '.join(choices)}")
    return Repeat.LAST if word is None else Repeat(word)


def read_pace(fields: JsonObject) -> Pace | None:
    """The field `pace`, None where it is absent. Raises BadField."""
    text = optional(fields, "pace", str)
    if text is None:
        return None
    from replay_server.pace import BadPace, parse_pace  # few cassettes have a pace, and a server must start at once

    try:
        return parse_pace(text)
    except BadPace as error:
        raise BadField(("pace",), str(error)) from None


def _read_fault(fields: JsonObject) -> "Fault | None":
    written = fields.get("fault")
    if written is None:
        return None
    # Few cassettes have a fault, and a server must start at once.
    from replay_server.faults.reading import BadFault, parse_fault, read_fault

    try:
        if isinstance(written, dict):
            return read_fault(written)
        return parse_fault(required(fields, "fault", str))
    except BadFault as error:
        where = (error.member,) if isinstance(written, dict) and error.member in written else ()
        raise BadField(("fault", *where), str(error)) from None
