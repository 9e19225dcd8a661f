"""The responses of a matcher that take values of the request: checked when they are read, filled for an answer."""

from collections.abc import Iterator, Mapping
from typing import Any

from replay_server.cassettes.recorded_form import is_recorded
from replay_server.cassettes.template import VALUES, BadTemplate, check_template, fill, has_places
from replay_server.cassettes.yaml import Document
from replay_server.conditions import Template
from replay_server.endpoints.base import BadField
from replay_server.interaction import Json, JsonObject

Path = tuple[str | int, ...]

_FREE = frozenset({"json", "arguments"})
"""What lies below these is any JSON: a text there that is nothing but a place becomes the value itself."""


def read_templates(document: Document, file: str, groups: frozenset[str]) -> Mapping[int, Template]:
    """The templates among the responses of a matcher, by place. Raises BadField for one that cannot be filled."""
    response = document.value["response"] if isinstance(document.value, dict) else None
    listed = response if isinstance(response, list) else [response]
    names = groups | frozenset(VALUES)
    found = {}
    for at, each in enumerate(listed):
        # An answer as it was recorded is replayed byte for byte, whatever braces it holds.
        if isinstance(each, dict) and has_places(each) and not is_recorded(each):
            path: Path = ("response", at) if isinstance(response, list) else ("response",)
            found[at] = Template(each, file, _checked(each, document, path, names))
    return found


def _checked(response: JsonObject, document: Document, path: Path, names: frozenset[str]) -> Mapping[Path, int]:
    lines = {}
    for below, text in _texts(dict(response), ()):
        try:
            check_template(text, names)
        except BadTemplate as error:
            raise BadField((*path, *below), f"the template {error}") from None
        lines[below] = document.line_of((*path, *below))
    return lines


def _texts(value: Json, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str) and has_places(value):
        yield path, value
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _texts(item, (*path, at))
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _texts(member, (*path, name))


def filled(response: JsonObject, values: Mapping[str, Any]) -> dict[str, Json]:
    """The response with values in its places. Raises BadField where a template fails."""
    return {name: _filled(member, values, (name,)) for name, member in response.items()}


def _filled(value: Json, values: Mapping[str, Any], path: Path) -> Json:
    if isinstance(value, list):
        return [_filled(item, values, (*path, at)) for at, item in enumerate(value)]
    if isinstance(value, dict):
        return {name: _filled(member, values, (*path, name)) for name, member in value.items()}
    if not isinstance(value, str) or not has_places(value):
        return value
    try:
        return fill(value, values, as_json=not _FREE.isdisjoint(path))
    except BadTemplate as error:
        raise BadField(path, f"the template failed: {error}") from None
