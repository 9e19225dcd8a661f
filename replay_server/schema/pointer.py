"""Where a `$ref` leads: any JSON pointer into the same schema."""

from collections.abc import Iterator
from typing import cast
from urllib.parse import unquote

from replay_server.interaction import Json
from replay_server.schema.problem import Context, Schema, SchemaError


def resolve(root: Schema, reference: str, context: Context = ()) -> Schema:
    """The schema that the reference names. Raises SchemaError where there is none."""
    if reference != "#" and not reference.startswith("#/"):
        raise SchemaError(f"reference to '{reference}' is not a JSON pointer into this schema.", context)
    found = cast("Json", root)
    for step in reference[2:].split("/") if reference != "#" else ():
        found = _step(found, unquote(step).replace("~1", "/").replace("~0", "~"), reference, context)
    if not isinstance(found, bool | dict):
        raise SchemaError(f"reference '{reference}' does not lead to a schema.", context)
    return found


def references(schema: Json) -> Iterator[str]:
    """Every reference in a schema, each as often as it occurs."""
    if isinstance(schema, list):
        for item in schema:
            yield from references(item)
    elif isinstance(schema, dict):
        for keyword, inner in schema.items():
            if keyword == "$ref" and isinstance(inner, str):
                yield inner
            elif keyword not in ("enum", "const", "examples", "default"):
                yield from references(inner)


def _step(found: Json, step: str, reference: str, context: Context) -> Json:
    if isinstance(found, dict) and step in found:
        return found[step]
    if isinstance(found, list) and step.isdecimal() and int(step) < len(found):
        return found[int(step)]
    raise SchemaError(f"reference to component '{reference}' which was not found in the schema.", context)
