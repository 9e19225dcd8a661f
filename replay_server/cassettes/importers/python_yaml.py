"""YAML as Python's and Ruby's recorders write it: types of YAML 1.1, bytes, and tags for values of the language.

Read by a safe loader. The tags of the language that are harmless are read as plain values; any other becomes a
`Foreign`, so that one odd value does not spoil a file: nothing is ever called or imported for it.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

from replay_server.cassettes.importers.items import Unimportable
from replay_server.cassettes.importers.text import check_size

_Constructor: TypeAlias = yaml.constructor.SafeConstructor
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Foreign:
    """A value that only the program that wrote it can read."""

    tag: str


class _Loader(yaml.CSafeLoader):
    """libyaml's safe loader, and those tags."""


def load_yaml(data: bytes) -> object:
    """The value of a file with one document. Raises Unimportable."""
    try:
        value: object = yaml.load(data, _Loader)  # noqa: S506 - it is a safe loader
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise Unimportable(f"is not YAML: {error.problem or error.context}{line}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Unimportable(f"is not YAML: {error}") from None
    check_size(value)
    return value


def _text(loader: _Constructor, node: yaml.Node) -> Any:
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else Foreign(node.tag)


def _list(loader: _Constructor, node: yaml.Node) -> Any:
    return loader.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else Foreign(node.tag)


def _mapping(loader: _Constructor, node: yaml.Node) -> Any:
    return loader.construct_mapping(node, deep=True) if isinstance(node, yaml.MappingNode) else Foreign(node.tag)


def _first_of(name: str) -> Any:
    """A constructor for an object that is made from one value, the first of its `args` or of its `state`."""

    def construct(loader: _Constructor, node: yaml.Node) -> Any:
        given = _mapping(loader, node) if isinstance(node, yaml.MappingNode) else {name: _list(loader, node)}
        values = given.get(name) if isinstance(given, dict) else None
        return values[0] if isinstance(values, list | tuple) and values else Foreign(node.tag)

    return construct


def _foreign(loader: _Constructor, suffix: str, node: yaml.Node) -> Any:
    return Foreign(node.tag)


# Source: vcrpy's serializers/yamlserializer.py, and its migration of cassettes of before version 1.
_PLAIN = {
    _TAG + "timestamp": _text,  # a date in a body is what it looks like
    _TAG + "python/str": _text,
    _TAG + "python/unicode": _text,
    _TAG + "python/tuple": _list,
    _TAG + "python/dict": _mapping,
    _TAG + "python/object:vcr.request.Request": _mapping,
    _TAG + "python/object/new:_io.BytesIO": _first_of("state"),
    _TAG + "python/object/apply:builtins.iter": _first_of("args"),
    _TAG + "python/object/apply:builtins.frozenset": _first_of("args"),
    _TAG + "python/object/apply:__builtin__.frozenset": _first_of("args"),
    "!binary": _Constructor.construct_yaml_binary,  # Ruby's
}
for _tag, _construct in _PLAIN.items():
    _Loader.add_constructor(_tag, _construct)
_Loader.add_multi_constructor("", _foreign)
