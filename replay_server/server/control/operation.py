"""What an operation of the control API is, and what it is asked with."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson
from aiohttp import web

from replay_server.endpoints.address import session_id
from replay_server.endpoints.base import Route
from replay_server.errors import BadRequest
from replay_server.interaction import Json, JsonObject
from replay_server.replay.decision import Replay

Schema: TypeAlias = Mapping[str, Any]
"""A JSON Schema, as it stands in /openapi.json too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request of the control API, read and found to be what its operation takes."""

    http: web.BaseRequest
    replay: Replay
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    body: JsonObject

    @property
    def session(self) -> str | None:
        """The session that the path, the query or the body names."""
        named = self.parameters.get("session") or self.query.get("session") or self.body.get("session")
        return session_id(named) if isinstance(named, str) else None

    def number(self, name: str, default: int, most: int) -> int:
        """A number in the query. Raises BadRequest."""
        text = self.query.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:10]) <= most):
            raise BadRequest(f"{name} must be a number from 1 to {most}, not {text[:20]!r}", param=name)
        return int(text)

    def flag(self, name: str) -> bool:
        """Whether the query says yes to something."""
        return self.query.get(name, "0").lower() not in ("0", "false", "no", "")


Act = Callable[[Asked], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation: where it is, what it does, and what /openapi.json says of it.

    `query` and `path` are the schemas of parameters by name, `body` that of the body, `failures` what a status means.
    """

    route: Route
    act: Act
    answer: Schema
    status: int = 200
    path: Mapping[str, Schema] = field(default_factory=dict)
    query: Mapping[str, Schema] = field(default_factory=dict)
    body: Schema | None = None
    body_required: bool = True
    example: Json = None
    failures: Mapping[int, str] = field(default_factory=dict)
    streams: bool = False


def answer(value: object, status: int = 200) -> web.Response:
    """An answer of the control API."""
    body = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return web.Response(status=status, body=body, headers={"content-type": "application/json"})


# Schemas that several operations use ---------------------------------------------------------------------------------

TEXT: Schema = {"type": "string"}
OBJECT: Schema = {"type": "object"}
SESSION: Schema = {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$", "description": "The id of a session"}


def listed(name: str) -> Schema:
    """The schema of an object that holds a list of objects."""
    return {"type": "object", "properties": {name: {"type": "array", "items": OBJECT}}, "required": [name]}
