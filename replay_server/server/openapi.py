"""The OpenAPI document of this server: what its routes declare, with the schemas of the API's own description."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from replay_server import __version__
from replay_server.endpoints import description
from replay_server.endpoints.base import Route
from replay_server.server.control.operation import Operation

Node: TypeAlias = dict[str, Any]
Tree: TypeAlias = Any
"""JSON of any kind."""

EXAMPLES: dict[str, Node] = {
    "createChatCompletion": {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello."}]},
    "createCompletion": {"model": "gpt-3.5-turbo-instruct", "prompt": "Say hello.", "max_tokens": 16},
    "createResponse": {"model": "gpt-4o-mini", "input": "Say hello."},
    "Compactconversation": {"model": "gpt-4o-mini", "input": [{"role": "user", "content": "Say hello."}]},
    "Getinputtokencounts": {"model": "gpt-4o-mini", "input": "Say hello."},
    "createEmbedding": {"model": "text-embedding-3-small", "input": "Say hello."},
    "createModeration": {"input": "Say hello."},
    "createSpeech": {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": "Say hello.", "response_format": "wav"},
    "createImage": {"model": "gpt-image-1", "prompt": "A lighthouse at dawn.", "size": "1024x1024"},
    "createImageEdit": {
        "model": "gpt-image-1",
        "prompt": "The same at night.",
        "images": [{"image_url": "https://example.com/lighthouse.png"}],
    },
    "retrieveModel": {"model": "gpt-4o-mini"},
    "createBatch": {"input_file_id": "file-1", "endpoint": "/v1/chat/completions", "completion_window": "24h"},
    "createConversation": {"items": [{"type": "message", "role": "user", "content": "Say hello."}]},
    "updateConversation": {"metadata": {"topic": "greetings"}},
    "createConversationItems": {"items": [{"type": "message", "role": "user", "content": "Say hello."}]},
    "createUpload": {"filename": "a.jsonl", "purpose": "batch", "bytes": 2, "mime_type": "application/jsonl"},
    "completeUpload": {"part_ids": ["part_1"]},
    "createVectorStore": {"name": "Manuals", "file_ids": ["file-1"]},
    "modifyVectorStore": {"name": "Handbooks"},
    "searchVectorStore": {"query": "How do I reset it?", "max_num_results": 3},
    "createVectorStoreFile": {"file_id": "file-1", "attributes": {"year": 2024}},
    "updateVectorStoreFileAttributes": {"attributes": {"year": 2025}},
    "createVectorStoreFileBatch": {"file_ids": ["file-1", "file-2"]},
    "updateChatCompletion": {"metadata": {"reviewed": "yes"}},
}
"""A small request for each operation: its body, or its path parameters."""

_ABOUT = """\
Speaks the OpenAI API and answers from recorded interactions, its cassettes.

Every answer says where it came from in the header `x-replay-source`. Send `x-replay-session` to keep the place in
sequences of answers apart from other callers.

Listed here is what has a module of its own. All other operations of the OpenAI API answer too, as its description has
them: `docs/any-api.md` tells how."""

CONTROL = "control"
"""The section of the control API."""

_ABOUT_CONTROL = (
    "This server itself: its sessions, its journal, and what answers. It answers this machine only, or whoever has"
    " one of the keys of --admin-key."
)

_HEADERS = {
    "x-replay-source": "cassette, matcher, generated, upstream, state, fault, miss or error",
    "x-replay-interaction": "The interaction that answered: its cassette and place, such as `weather.yaml#3`",
    "x-replay-key": "The first digits of the key of the request",
    "x-replay-stale": "The cassette that answered, where its file has broken since",
}


def document(
    routes: Iterable[Route], base_url: str = "/v1", root_url: str = "/", control: Iterable[Operation] = ()
) -> Node:
    """The document for `routes`: the API's own are below `base_url`, the server's own below `root_url`.

    A route is the server's own if the API's description does not know its operation. `control` is the control API.
    """
    paths: Node = {}
    for route in routes:
        item = paths.setdefault(_path(route), {})
        if description.describes(route.operation_id):
            item[route.method.lower()] = _api_operation(route)
        else:
            item |= {"servers": [{"url": root_url}], route.method.lower(): _server_operation(route)}
    for operation in control:
        item = paths.setdefault(_path(operation.route), {"servers": [{"url": root_url}]})
        item[operation.route.method.lower()] = _control_operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "replay-server", "version": __version__, "description": _ABOUT},
        "servers": [{"url": base_url}],
        "security": [{}, {"ApiKey": []}],
        "tags": list(_tags(paths)),
        "paths": paths,
        "components": {**_components(), "schemas": _schemas(paths)},
    }


def _path(route: Route) -> str:
    """OpenAPI knows no parameter that spans slashes: `{model+}` is shown as `{model}`."""
    return route.path.replace("+}", "}")


# Operations ----------------------------------------------------------------------------------------------------------


def _api_operation(route: Route) -> Node:
    facts: Any = description.operation(route.operation_id)
    operation = _named(route)
    operation["parameters"] = [
        *(_parameter(route, parameter) for parameter in facts.get("parameters", ())),
        {"$ref": "#/components/parameters/Session"},
    ]
    if "request" in facts:
        operation["requestBody"] = {"required": True, "content": _request(route, facts["request"])}
    operation["responses"] = {
        str(facts["status"]): {
            "description": "The answer",
            "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS},
            "content": {media: {"schema": _modern(schema)} for media, schema in facts["response"].items()},
        },
        "4XX": {"$ref": "#/components/responses/Error"},
        "5XX": {"$ref": "#/components/responses/Error"},
    }
    return operation


def _named(route: Route) -> Node:
    return {"operationId": route.operation_id, "summary": route.summary, "tags": [route.path.split("/")[1]]}


def _parameter(route: Route, parameter: Node) -> Node:
    known = EXAMPLES.get(route.operation_id, {})
    example = {"example": known[parameter["name"]]} if parameter["name"] in known else {}
    return {**parameter, "schema": _modern(parameter["schema"]), **example}


def _request(route: Route, contents: Node) -> Node:
    return {media: {"schema": _modern(schema), **_examples(route, media)} for media, schema in contents.items()}


def _examples(route: Route, media: str) -> Node:
    example = EXAMPLES.get(route.operation_id)
    if example is None or media != "application/json":
        return {}
    plain = {"summary": "A small request", "value": example}
    if "stream" not in description.parameter_names(route.operation_id):
        return {"examples": {"plain": plain}}
    streamed = {"summary": "The same, streamed", "value": {**example, "stream": True}}
    return {"examples": {"plain": plain, "streamed": streamed}}


def _server_operation(route: Route) -> Node:
    schema = {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]}
    content = {"application/json": {"schema": schema}}
    responses = {
        "200": {"description": "It is so", "content": content},
        "503": {"description": "Not yet", "content": content},
    }
    return {**_named(route), "tags": ["server"], "security": [{}], "responses": responses}


def _tags(paths: Node) -> Iterator[Node]:
    """The sections, in their order: that of the control API is the last one."""
    operations = (each for item in paths.values() for name, each in item.items() if name != "servers")
    for name in dict.fromkeys(tag for operation in operations for tag in operation["tags"]):
        yield {"name": name, "description": _ABOUT_CONTROL} if name == CONTROL else {"name": name}


def _control_operation(operation: Operation) -> Node:
    content = {"application/json": {"schema": operation.answer}}
    if operation.streams:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    node: Node = {
        **_named(operation.route),
        "tags": [CONTROL],
        "security": [{}, {"AdminKey": []}],
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": each} for name, each in operation.path.items()),
            *({"name": name, "in": "query", "schema": each} for name, each in operation.query.items()),
        ],
        "responses": {
            str(operation.status): {"description": "It is done", "content": content},
            **{str(status): _error(text) for status, text in operation.failures.items()},
            "4XX": {"$ref": "#/components/responses/Error"},
        },
    }
    if operation.body is not None:
        media = {"schema": operation.body} | ({"example": operation.example} if operation.example else {})
        node["requestBody"] = {"required": operation.body_required, "content": {"application/json": media}}
    return node


def _error(text: str) -> Node:
    schema = {"$ref": "#/components/schemas/ErrorResponse"}
    return {"description": text, "content": {"application/json": {"schema": schema}}}


# Components ----------------------------------------------------------------------------------------------------------


def _components() -> Node:
    return {
        "securitySchemes": {
            "ApiKey": {"type": "http", "scheme": "bearer"},
            "AdminKey": {"type": "http", "scheme": "bearer", "description": "One of --admin-key, if there are any"},
        },
        "parameters": {
            "Session": {
                "name": "x-replay-session",
                "in": "header",
                "description": "Scopes sequences of answers and stored objects",
                "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
            }
        },
        "headers": {name: {"description": text, "schema": {"type": "string"}} for name, text in _HEADERS.items()},
        "responses": {
            "Error": {
                "description": "The API's error object",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}},
            }
        },
    }


def _schemas(paths: Node) -> Node:
    """Every component schema that the operations lead to, by name."""
    found: Node = {}
    waiting = ["ErrorResponse", *_references(paths)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _modern(description.schema(name))
            waiting += _references(found[name])
    return dict(sorted(found.items()))


def _references(node: Tree) -> Iterator[str]:
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith(description.SCHEMAS):
            yield description.name_of(reference)
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _references(child)


def _modern(schema: Tree) -> Tree:
    """The schema without `nullable`, which OpenAPI 3.1 no longer has though the API's description still uses it."""
    if isinstance(schema, list):
        return [_modern(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    # A default of null or of nothing says nothing, and contradicts the type beside it.
    plain = {key: _modern(value) for key, value in schema.items() if key != "default" or value not in (None, [])}
    return _or_null(plain) if plain.pop("nullable", False) is True else plain


def _or_null(schema: Node) -> Node:
    for union in ("oneOf", "anyOf"):
        if union in schema:
            return {**schema, union: [*schema[union], {"type": "null"}]}
    if "enum" in schema or not isinstance(schema.get("type"), str):
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}
