"""The input of a batch: a request in each line; and what is wrong with it, in the words that the live API used.

A batch does not begin while any of its lines is wrong, and all that is wrong is told at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from replay_server.endpoints import refusals
from replay_server.errors import BadRequest
from replay_server.interaction import Json, JsonObject

MOST_LINES = 50_000

_MEMBERS = ("custom_id", "method", "url", "body")
_NEED_A_MODEL = ("/v1/chat/completions", "/v1/completions", "/v1/embeddings")
_NEED_MESSAGES = ("/v1/chat/completions",)


class BatchInput(NamedTuple):
    """The requests of a batch; or its faults, as the API shows them."""

    lines: Sequence[JsonObject]
    faults: Sequence[Json]

    @property
    def model(self) -> str | None:
        """The model that its requests name: it is one for all of them."""
        body = self.lines[0]["body"] if self.lines else None
        model = body.get("model") if isinstance(body, dict) else None
        return model if isinstance(model, str) else None


def read_input(content: bytes, endpoint: str) -> BatchInput:
    """The requests in a file for an endpoint such as `/v1/embeddings`."""
    numbered = [(number, text) for number, text in enumerate(content.split(b"\n"), 1) if text.strip()]
    if not numbered:
        return BatchInput((), [fault(BadRequest("The input file has no requests.", code="empty_file"))])
    if len(numbered) > MOST_LINES:
        message = f"The input file has {len(numbered)} requests, and a batch takes {MOST_LINES} at most."
        return BatchInput((), [fault(BadRequest(message, code="too_many_tasks"))])
    lines, faults, before = [], [], _Before()
    for number, text in numbered:
        line = _parsed(text)
        faults += [fault(error, number) for error in _line_faults(line, endpoint, before)]
        lines.append(line or {})
    return BatchInput(lines, faults)


def fault(error: BadRequest, line: int | None = None) -> Json:
    """An error as a batch lists it."""
    return {"code": error.code, "line": line, "message": error.message, "param": error.param}


@dataclass
class _Before:
    """What the lines before the one that is looked at had."""

    ids: set[str] = field(default_factory=set)
    model: Json = None


def _parsed(text: bytes) -> dict[str, Json] | None:
    try:
        line: Json = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return line if isinstance(line, dict) else None


def _line_faults(line: dict[str, Json] | None, endpoint: str, before: _Before) -> Iterator[BadRequest]:
    if line is None:
        yield BadRequest("This line is not parseable as valid JSON.", code="invalid_json_line")
    elif absent := [name for name in _MEMBERS if line.get(name) is None]:
        yield from map(refusals.missing, absent)
    else:
        yield from _head_faults(line, endpoint, before)
        body = line["body"]
        if isinstance(body, dict):
            yield from _body_faults(body, endpoint, before)
        else:
            yield refusals.wrong_type("body", "an object", body)


def _head_faults(line: dict[str, Json], endpoint: str, before: _Before) -> Iterator[BadRequest]:
    name = line["custom_id"]
    if not isinstance(name, str):
        yield refusals.wrong_type("custom_id", "a string", name)
    elif name in before.ids:
        yield BadRequest(
            f"The custom_id '{name}' for this request is a duplicate of another request."
            " The custom_id parameter must be unique for each request in a batch.",
            param="custom_id",
            code="duplicate_custom_id",
        )
    else:
        before.ids.add(name)
    if line["method"] != "POST":
        yield refusals.unsupported("method", str(line["method"]), ("POST",))
    if line["url"] != endpoint:
        message = "The URL provided for this request does not match the batch endpoint."
        yield BadRequest(message, param="url", code="invalid_url")


def _body_faults(body: dict[str, Json], endpoint: str, before: _Before) -> Iterator[BadRequest]:
    model = body.get("model")
    if not model and endpoint in _NEED_A_MODEL:
        yield BadRequest("Model parameter is required.", param="body.model", code="invalid_request")
    if not body.get("messages") and endpoint in _NEED_MESSAGES:
        yield BadRequest("Messages parameter is required.", param="body.messages", code="invalid_request")
    if body.get("stream"):
        message = f"{_title(endpoint)}: Streaming is not supported in the Batch API."
        yield BadRequest(message, param="body.stream", code="streaming_unsupported")
    before.model = before.model or model
    if model and model != before.model:
        yield BadRequest(
            f"The model '{model}' for this request does not match the rest of the batch."
            " Each batch must contain requests for a single model.",
            param="body.model",
            code="mismatched_model",
        )


def _title(endpoint: str) -> str:
    """`Chat Completions`."""
    return endpoint.removeprefix("/v1/").replace("/", " ").title()
