"""An API as its OpenAPI description tells of it: its operations, and schemas that stand alone.

Schemas are read when they are asked for: of a thousand that a description may have, a request needs ten.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from replay_server.endpoints.described.modern import modern
from replay_server.endpoints.shapes import Reference, Shape, alternatives, corrected
from replay_server.interaction import JsonObject

Node: TypeAlias = Any
"""JSON of any kind."""

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_HOPS = 16  # from one reference to the next: more go round in a circle


class BadDescription(Exception):
    """A description that cannot be used: where, what, and what to do."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter that is no part of a body. `place` is `query`, `path` or `header`."""

    name: str
    place: str
    required: bool
    schema: Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One operation. `query` is what its path itself has behind a `?`: another operation of the same path has none."""

    method: str
    path: str
    operation_id: str
    query: tuple[tuple[str, str], ...] = ()
    parameters: tuple[Parameter, ...] = ()
    requests: Mapping[str, Shape] = field(default_factory=dict)
    """The schemas of its body by media type."""
    body_required: bool = False
    status: int = 200
    answers: Mapping[str, Shape] = field(default_factory=dict)
    """The schemas of a good answer by media type; none where it has no body."""


class Api:
    """What a description says. Raises BadDescription for one that is none.

    `corrections` are facts in place of its own, by component. `closed`: what it does not name is refused.
    """

    def __init__(
        self,
        document: Node,
        name: str,
        *,
        corrections: Mapping[str, Mapping[str, Any]] | None = None,
        closed: bool = False,
    ) -> None:
        _check(document)
        self.name = name
        self._names: dict[str, str] = {}
        self.closed = closed
        self._document = document
        self._corrections: Mapping[str, Shape] = self._linked(corrections or {})
        self._components: dict[str, Shape] = {}
        self._shapes: dict[str, list[Shape]] = {}
        self._rooted: dict[int, tuple[Shape, JsonObject]] = {}

    # Operations ------------------------------------------------------------------------------------------------------

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The paths of its servers, without the slash at the end. Empty: there are none."""
        servers = self._document.get("servers")
        urls = [_url(server) for server in servers if isinstance(server, dict)] if isinstance(servers, list) else []
        paths = [unquote(urlsplit(url).path).rstrip("/") for url in urls]
        return tuple(dict.fromkeys(path if path.startswith("/") or not path else f"/{path}" for path in paths))

    @cached_property
    def operations(self) -> tuple[Described, ...]:
        """All of them, in the order of the description."""
        return tuple(self._operations())

    def _operations(self) -> Iterator[Described]:
        for template, item in self._document["paths"].items():
            found = self.followed(item, f"paths.{template}")
            shared = found.get("parameters")
            for method in _METHODS:
                if isinstance(operation := found.get(method), dict):
                    yield self._operation(template, method, operation, shared if isinstance(shared, list) else [])

    def _operation(self, template: str, method: str, operation: Node, shared: list[Node]) -> Described:
        where = f"paths.{template}.{method}"
        path, _, query = template.partition("?")
        own = operation.get("parameters")
        parameters = [self._parameter(each, where) for each in (*shared, *(own if isinstance(own, list) else ()))]
        body = self.followed(operation.get("requestBody", {}), f"{where}.requestBody")
        status, answer = self._answer(operation, where)
        return Described(
            method=method.upper(),
            path=path,
            operation_id=str(operation.get("operationId", f"{method} {path}")),
            query=tuple(parse_qsl(query)),
            # A parameter of the operation goes before one of its path.
            parameters=tuple({(each.name, each.place): each for each in parameters}.values()),
            requests=self._contents(body),
            body_required=body.get("required") is True,
            status=status,
            answers=self._contents(answer),
        )

    def _parameter(self, node: Node, where: str) -> Parameter:
        found = self.followed(node, f"{where}.parameters")
        name, place = found.get("name"), found.get("in")
        if not isinstance(name, str) or not isinstance(place, str):
            raise BadDescription(f"{where}.parameters: one has no name or no place: give it `name` and `in`")
        schema = found.get("schema") or next(iter(self._contents(found).values()), {})
        read = schema if isinstance(schema, Reference) else self.schema(schema)
        return Parameter(name, place, found.get("required") is True or place == "path", read)

    def _answer(self, operation: Node, where: str) -> tuple[int, Node]:
        """The status and the body of a good answer."""
        responses = operation.get("responses")
        if not isinstance(responses, dict) or not responses:
            raise BadDescription(f"{where}: has no responses: say what it answers")
        good = sorted(str(status) for status in responses if str(status).startswith("2"))
        named = good[0] if good else "default" if "default" in responses else str(next(iter(responses)))
        given = next(node for status, node in responses.items() if str(status) == named)
        return int(named) if named.isdecimal() else 200, self.followed(given, f"{where}.responses.{named}")

    def _contents(self, body: Node) -> dict[str, Shape]:
        content = body.get("content")
        if not isinstance(content, dict):
            return {}
        return {str(media).lower(): self.schema(entry.get("schema", {})) for media, entry in content.items()}

    def followed(self, node: Node, where: str) -> Node:
        """The object itself, or the one that it refers to. Raises BadDescription."""
        for _ in range(_HOPS):
            if not isinstance(node, dict):
                raise BadDescription(f"{where}: must be an object, not {node!r}")
            if not isinstance(reference := node.get("$ref"), str):
                return node
            node = self.pointed(reference)
        raise BadDescription(f"{where}: its references go round in a circle: give what is meant")

    # Schemas ---------------------------------------------------------------------------------------------------------

    def schema(self, node: Node, itself: str = "#") -> Shape:
        """A schema of the description as a JSON Schema whose references know what they lead to."""
        found = modern(node, self._refer, itself)
        return found if isinstance(found, dict) else {}

    def named(self, name: str) -> Shape | None:
        """A reference to a component schema, if there is one of this name."""
        schemas = self._document.get("components", {}).get("schemas", {})
        return self._refer(f"#/components/schemas/{name}") if name in schemas else None

    def reference(self, name: str) -> Reference:
        """A reference to a component that another reference named."""
        return self._refer(self._names[name])

    def component(self, reference: Reference) -> Shape:
        """What it leads to."""
        name = reference.name
        if name not in self._components:
            self._components[name] = self.schema(self.pointed(self._names[name]), self._names[name])
        return self._components[name]

    def shapes(self, reference: Reference) -> list[Shape]:
        """The alternatives that it leads to, corrected."""
        name = reference.name
        if name not in self._shapes:
            self._shapes[name] = []  # one that leads to itself at once means nothing
            found = alternatives(self.component(reference))
            self._shapes[name] = [corrected(shape, self._corrections.get(name, {})) for shape in found]
        return self._shapes[name]

    def rooted(self, schema: Shape) -> JsonObject:
        """The schema with all that it leads to in its `$defs`."""
        known = self._rooted.get(id(schema))
        if known is None:
            found: dict[str, Shape] = {}
            waiting = [*_references(schema)]
            while waiting:
                reference = waiting.pop()
                if reference.name not in found:
                    found[reference.name] = self.component(reference)
                    waiting += _references(found[reference.name])
            rooted = {**schema, "$defs": found} if found else dict(schema)
            known = self._rooted[id(schema)] = (schema, rooted)  # the schema is held, so that its id stays its own
        return known[1]

    def _linked(self, node: Node) -> Node:
        """A correction whose references lead into this description."""
        if isinstance(node, Mapping):
            reference = node.get("$ref")
            return self._refer(reference) if reference else {key: self._linked(each) for key, each in node.items()}
        return [self._linked(each) for each in node] if isinstance(node, list) else node

    def _refer(self, pointer: str) -> Reference:
        name = pointer.rpartition("/")[2]
        while self._names.setdefault(name, pointer) != pointer:
            name += "'"
        return Reference(name, self.shapes)

    def pointed(self, pointer: str) -> Node:
        """What a `$ref` leads to. Raises BadDescription."""
        if not pointer.startswith("#/"):
            raise BadDescription(f"refers to {pointer!r}, which lies outside: bundle the description into one file")
        found = self._document
        for step in pointer[2:].split("/"):
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            elif isinstance(found, dict) and name in found:
                found = found[name]
            else:
                raise BadDescription(f"refers to {pointer!r}, and there is nothing: add it, or mend the reference")
        return found

    def check(self) -> None:
        """Raise BadDescription for a reference that leads nowhere, wherever it stands."""
        for operation in self.operations:
            schemas = [*operation.requests.values(), *operation.answers.values()]
            for schema in (*schemas, *(parameter.schema for parameter in operation.parameters)):
                self.rooted(schema)


def _check(document: Node) -> None:
    if not isinstance(document, dict):
        raise BadDescription("is no OpenAPI description: it must be an object with openapi and paths")
    if "swagger" in document:
        raise BadDescription("is a description in Swagger 2.0: convert it to OpenAPI 3")
    if not str(document.get("openapi", "")).startswith("3."):
        raise BadDescription("is no OpenAPI description: `openapi` must be 3.0 or later")
    paths = document.get("paths")
    if not isinstance(paths, dict) or not paths:
        raise BadDescription("describes no paths: `paths` must be an object with some")
    for path in paths:
        if not str(path).startswith("/"):
            raise BadDescription(f"paths.{path}: must begin with a slash")


def _url(server: Mapping[str, Node]) -> str:
    """The address of a server, its variables at their defaults."""
    url = str(server.get("url", ""))
    variables = server.get("variables")
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        url = url.replace(f"{{{name}}}", str(variable.get("default", "")) if isinstance(variable, dict) else "")
    return url


def _references(schema: Node) -> Iterator[Reference]:
    if isinstance(schema, Reference):
        yield schema
    elif isinstance(schema, dict):
        for keyword, inner in schema.items():
            if keyword not in ("enum", "examples"):
                yield from _references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)
