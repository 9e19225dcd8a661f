"""Recordings of OGX (Llama Stack): a JSON file for each call of a client library, with objects of that library.

Source: `testing/api_recorder.py` of OGX. `body` holds the arguments of the call, so what the library does with them is
done here: `extra_body` is part of what is sent, a list of models is a GET.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from urllib.parse import urlencode, urlsplit

from replay_server.cassettes.importers.http import Asked, Given, exchange, flat_headers
from replay_server.cassettes.importers.items import Imported, Item, Unimportable, choose, each
from replay_server.cassettes.importers.text import check_size, encoded, json_text, load_json, whole_characters
from replay_server.cassettes.importers.typed import Typed
from replay_server.endpoints.short_form import optional, required
from replay_server.interaction import Json

_LISTS = ("/models", "/api/ps", "/api/tags")
"""What the libraries GET: the recorder calls every call a POST."""

_NOT_SENT = ("extra_headers", "extra_query", "extra_body", "timeout")
_JSON = "application/json"
_LINES = "application/x-ndjson"
_EVENTS = "text/event-stream; charset=utf-8"
_DONE = b"data: [DONE]\n\n"
_STATUS_ERROR = "Error code: "


def read_recordings(data: bytes, only: Sequence[str] = ()) -> Iterator[Item]:
    """The exchange of a recording, if its URL matches `only`. Raises Unimportable where it is none."""
    value = load_json(data)
    check_size(value)
    return each("recording", [value], partial(_read, only))


def _read(only: Sequence[str], place: str, value: object) -> Imported:
    if not isinstance(value, dict):
        raise Unimportable("is no mapping of request and response")
    request, response = required(value, "request", dict), required(value, "response", dict)
    choose(url := str(request.get("url", "")), only)
    asked, arguments = _asked(request)
    given = _failure(response) if response.get("is_exception") else _given(response, arguments)
    name = optional(value, "test_id", str)
    return Imported(place=place, url=url, exchange=exchange(asked, given), name=name and whole_characters(name))


# The request ---------------------------------------------------------------------------------------------------------


def _asked(request: Mapping[str, Json]) -> tuple[Asked, Mapping[str, Json]]:
    if "tool_name" in request:
        raise Unimportable(f"is a call of the tool {request['tool_name']!r}, not an HTTP request")
    if not isinstance(request.get("url"), str):
        raise Unimportable("is no HTTP request: it has no url")
    path = _path(request)
    arguments = optional(request, "body", dict) or optional(request, "payload", dict) or {}
    method = "GET" if path.endswith(_LISTS) else required(request, "method", str)
    headers = {"content-type": _JSON, **flat_headers((optional(request, "headers", dict) or {}).items())}
    body = b"" if method == "GET" else json_text(_sent(arguments))
    return Asked(method=method, url=f"{path}{_query(arguments)}", headers=headers, body=body), arguments


def _path(request: Mapping[str, Json]) -> str:
    """The endpoint that the recorder names: its `url` has the prefix of the base URL and that of the endpoint."""
    url, endpoint = required(request, "url", str), optional(request, "endpoint", str)
    scheme = url.partition("://")[0] if "://" in url else ""
    if scheme not in ("", "http", "https"):
        raise Unimportable(f"is a call of a library ({scheme}) whose HTTP request is not in the file")
    try:
        return endpoint or urlsplit(url).path
    except ValueError as error:
        raise Unimportable(f"has a url that cannot be read: {error}") from None


def _query(arguments: Mapping[str, Json]) -> str:
    extra = arguments.get("extra_query")
    return "?" + urlencode(extra, doseq=True, errors="replace") if isinstance(extra, dict) and extra else ""


def _sent(arguments: Mapping[str, Json]) -> dict[str, Json]:
    """The body that the library makes of the arguments."""
    extra = arguments.get("extra_body")
    own = {name: value for name, value in arguments.items() if name not in _NOT_SENT}
    return {**own, **extra} if isinstance(extra, dict) else own


# The answer ----------------------------------------------------------------------------------------------------------


def _given(response: Mapping[str, Json], arguments: Mapping[str, Json]) -> Given:
    status = optional(response, "status", int) or 200
    body = response.get("body")
    if response.get("is_streaming"):
        return _stream(status, body, arguments)
    if isinstance(body, list) and (models := list(map(Typed.read, body))) and all(models):
        body = {"object": "list", "data": [model.wire() for model in models if model]}
    elif typed := Typed.read(body):
        body = typed.wire()
    if body is None:
        raise Unimportable("has no answer")
    return Given(status=status, headers={"content-type": _JSON}, body=json_text(body))


def _stream(status: int, body: Json, arguments: Mapping[str, Json]) -> Given:
    if not isinstance(body, list) or not body:
        raise Unimportable("is a stream without a chunk")
    if lines := [line for line in body if isinstance(line, str)]:  # what came, without its line ends
        return Given(status=status, headers={"content-type": _EVENTS}, body=encoded("\n".join([*lines, ""])))
    options = arguments.get("stream_options")
    counted = isinstance(options, dict) and options.get("include_usage") is True
    chunks = [Typed.read(chunk) or Typed("", _fields(chunk)) for chunk in body]
    if chunks[0].is_ollama:
        text = b"".join(json_text(chunk.wire()) + b"\n" for chunk in chunks)
        return Given(status=status, headers={"content-type": _LINES}, body=text)
    text = b"".join(_frame(chunk, counted=counted) for chunk in chunks)
    end = b"" if chunks[0].is_event else _DONE
    return Given(status=status, headers={"content-type": _EVENTS}, body=text + end)


def _fields(chunk: Json) -> Mapping[str, Json]:
    if not isinstance(chunk, dict):
        raise Unimportable(f"is a stream with a chunk that is no mapping: {chunk!r}")
    return chunk


def _frame(chunk: Typed, *, counted: bool) -> bytes:
    name = b"event: " + encoded(str(chunk.fields["type"])) + b"\n" if chunk.is_event else b""
    return b"%bdata: %b\n\n" % (name, json_text(chunk.wire(counted=counted)))


# A failure -----------------------------------------------------------------------------------------------------------


def _failure(response: Mapping[str, Json]) -> Given:
    """The answer that made the library raise. What it raised with no answer at all cannot be replayed."""
    failure = optional(response, "exception_data", dict) or {}
    if response.get("body"):
        raise Unimportable("is a stream that broke off: its answer is not whole")
    status = failure.get("status_code")
    if not isinstance(status, int):
        raise Unimportable(f"is a failure without an answer: {response.get('exception_message')}")
    return Given(status=status, headers={"content-type": _JSON}, body=json_text(_error_body(failure)))


def _error_body(failure: Mapping[str, Json]) -> object:
    """The library keeps the `error` of the body, and shows all of the body in its message, as Python writes it."""
    message = failure.get("message")
    if isinstance(message, str) and message.startswith(_STATUS_ERROR):
        try:
            shown: object = ast.literal_eval(message.partition(" - ")[2])
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            shown = None
        if isinstance(shown, dict):
            return shown
    inner = failure.get("body")
    return {"error": inner if isinstance(inner, dict) else {"message": message}}
