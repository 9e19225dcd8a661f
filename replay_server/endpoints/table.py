"""The route table: which module answers which path. A new endpoint is a new module and a line here.

Modules are imported when one of their paths, or one of their cassettes, is first asked for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from replay_server.endpoints.base import Resource, Route

if TYPE_CHECKING:
    from replay_server.endpoints.operation import Operated, Operation


@dataclass(frozen=True, slots=True)
class Line:
    """All paths at and below `path` belong to `module`. `implied_by`: the field that tells its cassettes' requests."""

    path: str
    module: str
    implied_by: str | None = None

    @property
    def endpoint(self) -> str:
        """The name of the endpoint in keys and cassettes."""
        return self.path[1:]


LINES = (
    Line("/chat/completions", "chat", implied_by="messages"),
    Line("/completions", "completions", implied_by="prompt"),
    Line("/embeddings", "embeddings"),
    Line("/audio/speech", "speech"),
    Line("/audio/transcriptions", "transcriptions"),
    Line("/audio/translations", "translations"),
    Line("/images/generations", "image_generations"),
    Line("/images/edits", "image_edits"),
    Line("/images/variations", "image_variations"),
    Line("/responses", "responses"),
    Line("/responses/compact", "responses_compact"),
    Line("/responses/input_tokens", "responses_tokens"),
    Line("/models", "models"),
    Line("/moderations", "moderations"),
)


OPERATIONS = {
    "/chat/completions": "stored_chat",
    "/batches": "batches",
    "/conversations": "conversations",
    "/files": "files",
    "/responses": "stored_responses",
    "/uploads": "uploads",
    "/vector_stores": "vector_stores",
}
"""By path, the modules of the operations on what a session keeps, at and below it."""


class RouteConflict(Exception):
    """Two modules claim one route, or a module claims a route outside its line."""


def check(lines: tuple[Line, ...]) -> dict[str, Line]:
    """The lines by path. Raises RouteConflict where two are the same."""
    by_path: dict[str, Line] = {}
    for line in lines:
        if line.path in by_path:
            raise RouteConflict(f"{line.path}: claimed by {by_path[line.path].module} and by {line.module}")
        by_path[line.path] = line
    return by_path


_BY_PATH = check(LINES)
_IMPLIED = {line.implied_by: line.endpoint for line in LINES if line.implied_by}
ENDPOINTS = tuple(line.endpoint for line in LINES)


@cache
def _load(line: Line) -> Resource:
    resource: Resource = import_module(f"replay_server.endpoints.{line.module}").RESOURCE
    for route in resource.routes:
        if _line_of(route.path) is not line:
            raise RouteConflict(f"{line.module} declares {route.path}, which is not below {line.path}")
    return resource


def _line_of(path: str) -> Line | None:
    while path:
        if path in _BY_PATH:
            return _BY_PATH[path]
        path = path.rpartition("/")[0]
    return None


def resource_named(endpoint: str) -> Resource:
    """The resource that keys and interactions call `endpoint`: one of `ENDPOINTS`, or a method and a path."""
    method, _, path = endpoint.partition(" ")
    return any_resource(method, path) if path else _load(_BY_PATH[f"/{endpoint}"])


def any_resource(method: str, path: str, *, known: bool = False) -> Resource:
    """The resource of a method and a path that no module knows. `known`: an operation answers it."""
    from replay_server.endpoints.any_request import any_request  # few cassettes have such requests

    return any_request(method, path, known=known)


def implied_endpoint(fields: object) -> str | None:
    """The endpoint that the fields of a request without `endpoint` tell: `messages` means chat."""
    if not isinstance(fields, dict):
        return None
    return next((endpoint for field, endpoint in _IMPLIED.items() if field in fields), None)


@dataclass(frozen=True, slots=True)
class Routed:
    """Where a path leads: its resource, and the route and path parameters for each method."""

    resource: Resource
    methods: dict[str, tuple[Route, dict[str, str]]]


def find(path: str) -> Routed | None:
    """The resource and routes of a path (without `/v1`), or None."""
    line = _line_of(path.rstrip("/"))
    if line is None:
        return None
    resource = _load(line)
    methods = {}
    for route in resource.routes:
        parameters = match(route.path, path)
        if parameters is not None:
            methods[route.method] = (route, parameters)
    return Routed(resource, methods) if methods else None


def operated(path: str) -> "Mapping[str, Operated]":
    """By method, the operations on what a session keeps that there are at a path."""
    module = _module_of(path.rstrip("/"))
    if module is None:
        return {}
    from replay_server.endpoints.operation import Operated  # a server that only replays never needs it

    matched = ((operation, match(operation.route.path, path)) for operation in _load_operations(module))
    return {each.route.method: Operated(each, found) for each, found in matched if found is not None}


def _module_of(path: str) -> str | None:
    while path:
        if path in OPERATIONS:
            return OPERATIONS[path]
        path = path.rpartition("/")[0]
    return None


@cache
def _load_operations(module: str) -> "tuple[Operation, ...]":
    operations: tuple[Operation, ...] = import_module(f"replay_server.endpoints.{module}").OPERATIONS
    return operations


def match(template: str, path: str) -> dict[str, str] | None:
    """The parameters of `path` under `template`, or None. `{name}` is one segment, `{name+}` all that follow."""
    wanted, given = template.strip("/").split("/"), path.strip("/").split("/")
    parameters: dict[str, str] = {}
    for index, part in enumerate(wanted):
        if part.endswith("+}") and index < len(given) and all(given[index:]):
            return parameters | {part[1:-2]: "/".join(given[index:])}
        if index >= len(given) or not _match_segment(part, given[index], parameters):
            return None
    return parameters if len(wanted) == len(given) else None


def _match_segment(part: str, given: str, parameters: dict[str, str]) -> bool:
    if part.startswith("{") and given:
        parameters[part[1:-1]] = given
        return True
    return part == given


def all_resources() -> Iterator[Resource]:
    """Every resource: imports them all."""
    return (_load(line) for line in LINES)


def all_routes() -> Iterator[Route]:
    """Every route of a resource or of an operation: imports them all."""
    yield from (route for resource in all_resources() for route in resource.routes)
    yield from (operation.route for module in OPERATIONS.values() for operation in _load_operations(module))
