"""Judges answers by the API's own description: the facts of it that the package has."""

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from replay_server.endpoints.base import Route
from replay_server.endpoints.description import operation
from replay_server.server.openapi import document


@cache
def _described(operation_id: str) -> Any:
    facts: Any = operation(operation_id)
    made = document([Route(facts["method"], facts["path"], operation_id)])
    contents = made["paths"][facts["path"]][facts["method"].lower()]["responses"][str(facts["status"])]["content"]
    return made["components"], contents


def faults(operation_id: str, answer: object, media: str = "application/json") -> list[str]:
    """What is wrong with an answer, or an event of a stream: nothing, in an empty list."""
    components, contents = _described(operation_id)
    schema = dict(contents[media]["schema"])
    if "oneOf" in schema:  # its alternatives overlap: each transcript is one in brief too
        schema["anyOf"] = schema.pop("oneOf")
    validator = Draft202012Validator({**schema, "components": components})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(answer)]


EVENTS = "text/event-stream"
