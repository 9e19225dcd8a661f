"""Make `replay_server/endpoints/openai.json` out of an OpenAPI description: its facts, none of its prose.

    python tools/openapi_facts.py openapi.json

Keeps the operations that our routes name, with their parameters, request bodies and answers, and every component
schema that these refer to. The output is the same for the same input, so that a new description is a readable diff.
"""

import argparse
import ast
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

ROOT = Path(__file__).resolve().parent.parent
ENDPOINTS = ROOT / "replay_server" / "endpoints"
OUT = ENDPOINTS / "openai.json"

OPERATIONS = ("createChatCompletion", "createCompletion", "listModels", "retrieveModel")
"""What is kept where no module of `endpoints` names its operations yet."""

ALWAYS = ("ErrorResponse", "CreateChatCompletionStreamResponse", "ResponseStreamEvent")
"""Schemas that are kept whether or not an operation refers to them."""

METHODS = {"get", "post", "put", "patch", "delete"}
PROSE = frozenset({"description", "summary", "title", "example", "examples", "externalDocs"})
FOREIGN = ("x-", "$recursive")
"""Beginnings of keywords that OpenAPI does not know: a schema within itself is then any value."""
SCHEMAS = "#/components/schemas/"

Node: TypeAlias = dict[str, Any]
Tree: TypeAlias = Any
"""JSON of any kind."""


def facts(document: Node, operations: Iterable[str]) -> Node:
    """The table: operations by id, and the component schemas they need, by name."""
    kept = {name: operation(document, name) for name in sorted(set(operations))}
    components = document["components"]["schemas"]
    names = closure(components, [*references(kept), *(SCHEMAS + name for name in ALWAYS)])
    return {"operations": kept, "schemas": {name: without_prose(components[name]) for name in names}}


def operation(document: Node, operation_id: str) -> Node:
    """One operation: where it is, what it takes, what it answers with when all is well."""
    method, path, found = find(document, operation_id)
    entry: Node = {"method": method.upper(), "path": path}
    parameters = [*document["paths"][path].get("parameters", ()), *found.get("parameters", ())]
    if parameters:
        entry["parameters"] = [without_prose(followed(document, parameter)) for parameter in parameters]
    if "requestBody" in found:
        entry["request"] = contents(followed(document, found["requestBody"]))
    success = next(status for status in sorted(found["responses"]) if status.startswith("2"))
    entry["status"] = int(success)
    entry["response"] = contents(followed(document, found["responses"][success]))
    return entry


def find(document: Node, operation_id: str) -> tuple[str, str, Node]:
    """Method, path and operation object of an operation id."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if item.get(method, {}).get("operationId") == operation_id:
                return method, path, item[method]
    raise SystemExit(f"the description has no operation {operation_id!r}")


def split(document: Node, names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Those names that are operations of the description, and the others: endpoints that OpenAI does not have."""
    found = (item[method] for item in document["paths"].values() for method in METHODS & item.keys())
    operations = {operation.get("operationId") for operation in found}
    names = list(names)
    return [name for name in names if name in operations], [name for name in names if name not in operations]


def contents(body: Node) -> Node:
    """The schemas of a request or response body, by media type."""
    return {media: without_prose(entry.get("schema", {})) for media, entry in body.get("content", {}).items()}


def followed(document: Node, node: Node) -> Node:
    """`node`, or the component that it refers to: only schemas stay references."""
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def without_prose(schema: Tree) -> Tree:
    """A schema without its words. A property may well be called `title`: names of properties are kept."""
    if isinstance(schema, list):
        return [without_prose(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key not in PROSE and not key.startswith(FOREIGN)}
    return {key: members(value) if key == "properties" else without_prose(value) for key, value in kept.items()}


def members(properties: Node) -> Node:
    """The schemas of an object's properties."""
    return {name: without_prose(schema) for name, schema in properties.items()}


def closure(components: Node, wanted: Iterable[str]) -> list[str]:
    """The names of all schemas that `wanted` leads to, sorted."""
    found: set[str] = set()
    waiting = [reference.removeprefix(SCHEMAS) for reference in wanted]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [reference.removeprefix(SCHEMAS) for reference in references(components[name])]
    return sorted(found)


def references(node: Tree) -> Iterator[str]:
    """Every reference to a component schema below `node`."""
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith(SCHEMAS):
            yield reference
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def named_operations() -> list[str]:
    """The operation ids of every `Route(method, path, operation_id)` written in `endpoints`.

    They are read, not imported, so that the table can be made before the endpoints that need it run.
    """
    found = [name for source in sorted(ENDPOINTS.rglob("*.py")) for name in routes_in(ast.parse(source.read_text()))]
    return found or list(OPERATIONS)


def routes_in(tree: ast.AST) -> Iterator[str]:
    """The third argument of every call of `Route` in one module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Route":
            third = node.args[2] if len(node.args) > 2 else None
            if isinstance(third, ast.Constant) and isinstance(third.value, str):
                yield third.value


def main() -> None:
    """Read the description, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("description", type=Path, metavar="OPENAPI_FILE")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    document = json.loads(options.description.read_text())
    known, unknown = split(document, named_operations())
    table = facts(document, known)
    options.out.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n")
    print(f"{options.out}: {len(table['operations'])} operations, {len(table['schemas'])} schemas")
    for name in unknown:
        print(f"left out: {name}, which the description does not have")


if __name__ == "__main__":
    main()
