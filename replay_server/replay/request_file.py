"""Requests in a file: the JSON body of one, or lines in OpenAI's Batch form."""

from collections.abc import Iterator

import orjson

from replay_server.endpoints.base import Resource
from replay_server.endpoints.table import ENDPOINTS, implied_endpoint, resource_named
from replay_server.errors import UsageError
from replay_server.interaction import Json, JsonObject, Request


def read_requests(data: bytes, file: str, endpoint: str | None) -> Iterator[tuple[Resource, Request]]:
    """The requests of a file: the JSON body of one, or lines in OpenAI's Batch form. Raises UsageError."""
    for number, text in _json_texts(data):
        value = _read_json(text, f"{file}:{number}")
        body = value.get("body", value)
        if not isinstance(body, dict):
            raise UsageError(f"{file}:{number}: body must be an object")
        name = endpoint or _endpoint_of(value.get("url")) or implied_endpoint(body)
        if name is None:
            raise UsageError(f"{file}:{number}: has neither messages nor prompt: name the endpoint with --endpoint")
        if name not in ENDPOINTS:
            raise UsageError(f"{file}:{number}: the endpoint {name!r} is none of {', '.join(ENDPOINTS)}")
        resource = resource_named(name)
        yield resource, resource.from_cassette(body)


def _json_texts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The whole file where it is one object, else its lines; with their numbers."""
    lines = [(number, line) for number, line in enumerate(data.splitlines(), 1) if line.strip()]
    if len(lines) > 1 and all(line.strip().startswith(b"{") and line.strip().endswith(b"}") for _, line in lines):
        yield from lines
    elif lines:
        yield 1, data


def _read_json(text: bytes, where: str) -> JsonObject:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{where}: is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise UsageError(f"{where}: must be a JSON object, the body of a request")
    return value


def _endpoint_of(url: Json) -> str | None:
    return url.split("?")[0].removeprefix("/").removeprefix("v1/") if isinstance(url, str) else None
