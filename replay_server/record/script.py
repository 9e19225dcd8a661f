"""Scripts: what to record. YAML with defaults, conversations and lists of values, or OpenAI's Batch input format."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath

import orjson

from replay_server.cassettes.config import FILE_NAME
from replay_server.cassettes.reader import dotted, read_response
from replay_server.cassettes.yaml import Document, YamlError, documents
from replay_server.endpoints.base import BadField, Conversational, Resource
from replay_server.endpoints.description import describes, operation, parameter_names
from replay_server.endpoints.short_form import items, known, optional, required
from replay_server.endpoints.table import ENDPOINTS, implied_endpoint, resource_named
from replay_server.errors import CassetteError
from replay_server.interaction import Json, JsonObject
from replay_server.record.values import expand

SCRIPT_FIELDS = ("defaults", "requests")
ENTRY_FIELDS = ("name", "endpoint", "body", "response", "conversation", "tool_results", "for_each", "repeat")
TURN_FIELDS = ("user", "response")
_BATCH_FIELDS = ("custom_id", "method", "url", "body")


@dataclass(frozen=True, slots=True)
class Turn:
    """What the user says in a conversation; `responses` are those that the script itself gives, in order."""

    text: str
    responses: tuple[JsonObject, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a script: a request, or a conversation of several. `where` is its `file:line`."""

    where: str
    resource: Resource
    body: JsonObject
    name: str | None = None
    responses: tuple[JsonObject, ...] = ()
    repeat: int = 1
    turns: tuple[Turn, ...] = ()
    tool_results: JsonObject = field(default_factory=dict)

    @property
    def label(self) -> str:
        """How progress and failures name it."""
        return f"{self.where} {self.name}" if self.name else self.where


@dataclass(frozen=True, slots=True)
class Script:
    """The entries of a script, and the name of the cassette that it becomes."""

    cassette: str
    entries: tuple[Entry, ...]


def read_script(file: str, data: bytes, cassette: str | None = None) -> Script:
    """Read a script; `file` is its name in messages. Raises CassetteError for the first thing that is wrong."""
    stem = "recorded" if file == "-" else PurePath(file).stem
    data = data.removeprefix(codecs.BOM_UTF8)
    is_batch = file.endswith(".jsonl") or (file == "-" and data.lstrip().startswith(b"{"))
    entries = _read_batch(file, data) if is_batch else _read_yaml(file, data)
    return Script(cassette_name(cassette or stem), tuple(entries))


def cassette_name(name: str) -> str:
    """The name of a cassette's file: below the directory, and with an ending. Raises CassetteError."""
    path = PurePath(name)
    if path.is_absolute() or ".." in path.parts or not path.name or any(part.startswith(".") for part in path.parts):
        raise CassetteError(name, 1, "is not the name of a cassette: name a file below the directory")
    file = name if path.suffix in (".yaml", ".yml") else f"{name}.yaml"
    if file == FILE_NAME:
        raise CassetteError(name, 1, f"cannot be the name of a cassette: {FILE_NAME} configures them")
    return file


# Batch ---------------------------------------------------------------------------------------------------------------


def _read_batch(file: str, data: bytes) -> Iterator[Entry]:
    """Lines with `custom_id`, `method`, `url` and `body`. Source: OpenAI's Batch guide."""
    for number, line in enumerate(data.splitlines(), 1):
        if line.strip():
            try:
                yield _read_batch_line(f"{file}:{number}", line)
            except BadField as error:
                where = f"{dotted(error.path)}: " if error.path else ""
                raise CassetteError(file, number, where + error.problem) from None


def _read_batch_line(where: str, line: bytes) -> Entry:
    try:
        fields: Json = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BadField((), f"is not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise BadField((), f"must be an object with {', '.join(_BATCH_FIELDS)}")
    known(fields, _BATCH_FIELDS)
    if (method := optional(fields, "method", str) or "POST") != "POST":
        raise BadField(("method",), f"must be POST, not {method!r}")
    resource = _named(required(fields, "url", str), "url")
    body = required(fields, "body", dict)
    return Entry(where=where, resource=resource, body=body, name=optional(fields, "custom_id", str))


def _named(endpoint: str, member: str) -> Resource:
    name = endpoint.removeprefix("/").removeprefix("v1/")
    if name not in ENDPOINTS:
        raise BadField((member,), f"{endpoint!r} is none of {', '.join(ENDPOINTS)}")
    return resource_named(name)


# YAML ----------------------------------------------------------------------------------------------------------------


def _read_yaml(file: str, data: bytes) -> list[Entry]:
    try:
        found = list(documents(data))
    except YamlError as error:
        raise CassetteError(file, error.line, error.problem) from None
    if len(found) != 1:
        raise CassetteError(file, 1, "must be one YAML document with requests")
    document = found[0]
    try:
        return list(_read_entries(file, document))
    except BadField as error:
        where = f"{dotted(error.path)}: " if error.path else ""
        raise CassetteError(file, document.line_of(error.path), where + error.problem) from None


def _read_entries(file: str, document: Document) -> Iterator[Entry]:
    script = document.value
    if not isinstance(script, dict):
        raise BadField((), "must be a mapping with requests")
    known(script, SCRIPT_FIELDS)
    defaults = _with_model(optional(script, "defaults", dict) or {}, document, ("defaults",))
    required(script, "requests", list)
    asked: set[str] = set()
    for at, fields in enumerate(items(script, "requests", dict)):
        where = f"{file}:{document.line_of(('requests', at))}"
        try:
            for variant in expand(_with_model(fields, document, ("requests", at))):
                entry = _read_entry(where, variant, defaults)
                asked |= _parameters(entry.resource)
                yield entry
        except BadField as error:
            raise error.below("requests", at) from None
    _check_defaults(defaults, asked)


def _with_model(fields: JsonObject, document: Document, path: tuple[str | int, ...]) -> JsonObject:
    """A model named 4.10 is not the number 4.1."""
    model = fields.get("model")
    if isinstance(model, int | float) and not isinstance(model, bool):
        return {**fields, "model": document.text_at((*path, "model"))}
    return fields


def _check_defaults(defaults: JsonObject, parameters: set[str]) -> None:
    """A default must be a parameter of one of the endpoints that the script asks."""
    for name in defaults:
        if parameters and name not in parameters:
            raise BadField(("defaults", name), "is no parameter of any endpoint that the script asks: mend it")


def _parameters(resource: Resource) -> frozenset[str]:
    """The parameters that the API's description knows."""
    name = resource.routes[0].operation_id
    return parameter_names(name) if describes(name) else frozenset()


def _needs_model(resource: Resource) -> bool:
    """Whether the API's description says that a request names its model."""
    from replay_server.endpoints.shapes import alternatives  # asked only of a request that names none

    name = resource.routes[0].operation_id
    contents = operation(name).get("request") if describes(name) else None
    if not isinstance(contents, dict):
        return False
    bodies = [shape for schema in contents.values() if isinstance(schema, dict) for shape in alternatives(schema)]
    return any("model" in body.get("required", ()) for body in bodies)


def _read_entry(where: str, fields: JsonObject, defaults: JsonObject) -> Entry:
    resource = _resource(fields)
    entry = Entry(
        where=where,
        resource=resource,
        body=_read_body(fields, defaults, resource),
        name=optional(fields, "name", str),
        responses=_read_responses(fields, resource),
        repeat=_read_repeat(fields),
        turns=_read_turns(fields, resource),
        tool_results=optional(fields, "tool_results", dict) or {},
    )
    _check_entry(fields, entry)
    return entry


def _resource(fields: JsonObject) -> Resource:
    if named := optional(fields, "endpoint", str):
        return _named(named, "endpoint")
    implied = implied_endpoint({"messages": []} if "conversation" in fields else fields)
    if implied is None:
        raise BadField((), "has neither messages, prompt nor conversation: add one, or endpoint and body")
    return resource_named(implied)


def _read_body(fields: JsonObject, defaults: JsonObject, resource: Resource) -> JsonObject:
    """The parameters in place, or all of them under `body`, where even those are passed on that nobody knows."""
    inline = {name: value for name, value in fields.items() if name not in ENTRY_FIELDS}
    if "body" in fields:
        if inline:
            raise BadField((next(iter(inline)),), "stands beside body: move it in")
        return {**defaults, **required(fields, "body", dict)}
    names = _parameters(resource)
    for name in inline:
        if names and name not in names:
            raise BadField((name,), f"is no parameter of {resource.name}: mend it, or put all parameters under body")
    return {**defaults, **inline}


def _read_responses(fields: JsonObject, resource: Resource) -> tuple[JsonObject, ...]:
    value = fields.get("response")
    if isinstance(value, list):
        responses = items(fields, "response", dict)
        for at, response in enumerate(responses):
            _check_response(response, resource, ("response", at))
        return responses
    single = optional(fields, "response", dict)
    if single is None:
        return ()
    _check_response(single, resource, ("response",))
    return (single,)


def _check_response(response: dict[str, Json], resource: Resource, path: tuple[str | int, ...]) -> None:
    try:
        read_response(response, resource)
    except BadField as error:
        raise error.below(*path) from None


def _read_repeat(fields: JsonObject) -> int:
    repeat = optional(fields, "repeat", int)
    if repeat is not None and repeat < 1:
        raise BadField(("repeat",), f"must be 1 or more, not {repeat}")
    response = fields.get("response")
    return repeat or (len(response) if isinstance(response, list) and response else 1)


def _read_turns(fields: JsonObject, resource: Resource) -> tuple[Turn, ...]:
    turns: list[Json] = optional(fields, "conversation", list) or []
    return tuple(_read_turn(turn, at, resource) for at, turn in enumerate(turns))


def _read_turn(turn: Json, at: int, resource: Resource) -> Turn:
    if isinstance(turn, str):
        return Turn(turn)
    try:
        if not isinstance(turn, dict):
            raise BadField((), f"must be what the user says, not {turn!r}")
        known(turn, TURN_FIELDS)
        return Turn(required(turn, "user", str), _read_responses(turn, resource))
    except BadField as error:
        raise error.below("conversation", at) from None


def _check_entry(fields: JsonObject, entry: Entry) -> None:
    if "conversation" in fields:
        if not entry.turns:
            raise BadField(("conversation",), "must have at least one turn")
        if not isinstance(entry.resource, Conversational):
            raise BadField(("conversation",), f"{entry.resource.name} knows no turns")
        if entry.repeat > 1 or entry.responses:
            raise BadField(("conversation",), "cannot stand beside repeat or response: a turn has its own response")
    elif entry.tool_results:
        raise BadField(("tool_results",), "needs a conversation")
    if len(entry.responses) not in (0, entry.repeat):
        raise BadField(("response",), f"has {len(entry.responses)} responses, and repeat says {entry.repeat}")
    if "model" not in entry.body and _needs_model(entry.resource):
        raise BadField((), "has no model: add it, or a default for all requests")
