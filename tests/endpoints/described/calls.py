"""Requests for operations of a description, and what answers them, without a server."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from replay_server.endpoints.described.answering import DescribedApi
from replay_server.endpoints.described.api import Described
from replay_server.endpoints.described.checking import corrected_schema
from replay_server.endpoints.operation import Call
from replay_server.endpoints.shapes import alternatives
from replay_server.fallback import Generator
from replay_server.fallback.draw import Draw
from replay_server.fallback.schema import value
from replay_server.fallback.topic import topic_of
from replay_server.interaction import RawRequest, WireResponse, WireStream
from replay_server.replay.state import MemoryState
from replay_server.stamp import Stamp

BOUNDARY = "boundary"


def request(api: DescribedApi, described: Described, seed: int) -> tuple[RawRequest, dict[str, str]]:
    """A request that the description allows, drawn from a seed."""
    draw, topic = Draw(described.operation_id, seed), topic_of("")
    parameters = {name: f"{name}-{seed}" for name in template_names(described.path)}
    query = list(described.query)
    for each in described.parameters:
        if each.place == "path":
            given = value(api.api.rooted(each.schema), draw, topic)
            parameters[each.name] = quote(str(given), safe="") or "x"
        if each.place == "query" and (each.required or draw.below(2)) and each.name not in ("after", "before"):
            query += pairs(each.name, value(api.api.rooted(each.schema), draw, topic))
    headers, body = {}, b""
    if described.requests:
        media = draw.choice(sorted(described.requests))
        schema = described.requests[media]
        asked = value(corrected_schema(api.api, schema), draw, topic)
        headers["content-type"], body = written(media, asked)
    path = described.path
    for name, text in parameters.items():
        path = path.replace(f"{{{name}}}", text)
    return RawRequest(described.method, path, parameters, tuple(query), headers, body), parameters


def template_names(path: str) -> list[str]:
    return [part.partition("}")[0] for part in path.split("{")[1:]]


def pairs(name: str, given: Any) -> list[tuple[str, str]]:
    if given is None:
        return []
    if isinstance(given, list):
        return [(f"{name.removesuffix('[]')}[]", text(each)) for each in given]
    if isinstance(given, dict):
        return [(f"{name}[{key}]", text(each)) for key, each in given.items()]
    return [(name, text(given))]


def text(given: Any) -> str:
    return given if isinstance(given, str) else json.dumps(given)


def written(media: str, asked: Any) -> tuple[str, bytes]:
    if media == "multipart/form-data" and isinstance(asked, dict):
        parts = b"".join(part(name, each) for name, each in asked.items())
        return f"{media}; boundary={BOUNDARY}", parts + f"--{BOUNDARY}--\r\n".encode()
    return media, json.dumps(asked).encode()


def part(name: str, given: Any) -> bytes:
    fields = pairs(name, given)
    return b"".join(
        f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="{field}"\r\n\r\n{content}\r\n'.encode()
        for field, content in fields
    )


def call(raw: RawRequest, parameters: Mapping[str, str], state: MemoryState, *, lenient: bool = False) -> Call:
    async def ask(raw: RawRequest) -> WireResponse | WireStream:
        raise AssertionError("nothing else is asked")

    return Call(
        raw=raw,
        parameters=parameters,
        session="",
        objects=state.objects(""),
        stamp=Stamp(f"{raw.method} {raw.path} {raw.query} {raw.body.decode()}"),
        generate=Generator().generate,
        ask=ask,
        lenient=lenient,
    )


def is_object(api: DescribedApi, described: Described, media: str) -> bool:
    return any(shape["type"] == "object" for shape in alternatives(described.answers[media]))
