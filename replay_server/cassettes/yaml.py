"""YAML with the core types of version 1.2, one document at a time, by libyaml's parser.

Our own construction in place of PyYAML's, for three reasons: its YAML 1.1 types turn `NO`, `12:30` and dates into what
their writer did not mean; it takes the last of two equal keys in silence; and it is the slower part of a load.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml
from yaml._yaml import CParser

from replay_server.interaction import Json

MAX_ALIASED_NODES = 10_000
"""How many nodes of a document may come from aliases: a few anchors make a small file expand without end."""

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUES = frozenset({"true", "True", "TRUE"})
_FALSES = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)")
_NAN = frozenset({".nan", ".NaN", ".NAN"})
_TAG = "tag:yaml.org,2002:"
_LARGEST = 2**63


class YamlError(Exception):
    """A document that cannot be read. `line` counts from 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a file: its value, and where each part of it stands."""

    value: Json
    line: int
    node: yaml.Node

    def line_of(self, path: tuple[str | int, ...]) -> int:
        """The line of the part at `path`, or of the nearest part above that is there."""
        node, line = self.node, self.line
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            line, node = found
        return line

    def text_at(self, path: tuple[str | int, ...]) -> str | None:
        """What is written at `path`, where that is a scalar: `4.10`, not 4.1."""
        node: yaml.Node | None = self.node
        for step in path:
            found = _child(node, step) if node else None
            node = found[1] if found else None
        return node.value if isinstance(node, yaml.ScalarNode) else None


def documents(data: bytes) -> Iterator[Document]:
    """The documents of a file, in order. Raises YamlError."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlError(
            data.count(b"\n", 0, error.start) + 1, f"is not UTF-8 (byte {data[error.start]:#04x})"
        ) from None
    parser = _Parser(text)
    try:
        while parser.check_node() and (node := parser.get_node()) is not None:
            yield Document(_Construction().value(node), node.start_mark.line + 1, node)
    except yaml.MarkedYAMLError as error:
        raise _explained(error, last_line=max(1, len(text.splitlines()))) from None
    except yaml.reader.ReaderError as error:
        raise YamlError(text.count("\n", 0, error.position) + 1, _unreadable(error)) from None
    finally:
        parser.dispose()


class _Parser(CParser):
    """libyaml's parser, with the type of a plain scalar left to `_Construction`."""

    def __init__(self, text: str) -> None:
        super().__init__(text)

    def resolve(self, kind: type, value: str | None, implicit: tuple[bool, bool] | bool) -> str | None:
        """The tag of a node that has none: only that of quoted text is known here."""
        return _TAG + "str" if isinstance(implicit, tuple) and not implicit[0] else None

    def descend_resolver(self, parent: yaml.Node | None, index: object) -> None:
        """PyYAML's composer tells where it is; types that depend on the place are not used here."""

    def ascend_resolver(self) -> None:
        """The way back."""


class _Construction:
    """Turns the nodes of one document into values, and counts what aliases add."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._open: set[int] = set()
        self._aliased = 0

    def value(self, node: yaml.Node) -> Json:
        self._count(node)
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        self._open.add(id(node))
        built = self._mapping(node) if isinstance(node, yaml.MappingNode) else self._sequence(node)
        self._open.discard(id(node))
        return built

    def _count(self, node: yaml.Node) -> None:
        if id(node) not in self._seen:
            self._seen.add(id(node))
            return
        self._aliased += 1
        if id(node) in self._open:
            raise YamlError(_line(node), "an alias stands within its own anchor: write the value out")
        if self._aliased > MAX_ALIASED_NODES:
            raise YamlError(_line(node), f"aliases expand to more than {MAX_ALIASED_NODES} nodes: write the values out")

    def _sequence(self, node: yaml.Node) -> Json:
        _expect_tag(node, "seq")
        return [self.value(item) for item in node.value]

    def _mapping(self, node: yaml.Node) -> Json:
        _expect_tag(node, "map")
        built: dict[str, Json] = {}
        for key_node, value_node in node.value:
            key = _key(key_node)
            if key == "<<" and not key_node.style:
                raise YamlError(_line(key_node), "YAML 1.2 has no merge key <<: write the members out")
            if key in built:
                raise YamlError(_line(key_node), f"the key {key!r} stands here twice: remove one")
            built[key] = self.value(value_node)
        return built


def _key(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise YamlError(_line(node), "a key must be a text")
    # A key such as 1 or true is the text that it looks like: JSON has no other keys.
    return str(node.value)


def _expect_tag(node: yaml.Node, kind: str) -> None:
    if node.tag not in (None, "!", _TAG + kind):
        raise YamlError(_line(node), f"the tag {_tag_name(node.tag)} is not allowed here: remove it")


def _tag_name(tag: str) -> str:
    return tag.replace(_TAG, "!!")


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _scalar(node: yaml.ScalarNode) -> Json:
    text: str = node.value
    if node.tag in (None, _TAG + "str", "!"):
        return _plain(text) if node.tag is None else text
    read = _TAGGED.get(node.tag)
    if read is None:
        raise YamlError(_line(node), f"the tag {_tag_name(node.tag)} is not allowed: remove it")
    value = _plain(text)
    if not isinstance(value, read):
        raise YamlError(_line(node), f"{text!r} is not what its tag {_tag_name(node.tag)} says")
    return value


_TAGGED: dict[str, type | tuple[type, ...]] = {
    _TAG + "null": type(None),
    _TAG + "bool": bool,
    _TAG + "int": int,
    _TAG + "float": (int, float),
}


def _plain(text: str) -> Json:
    """A plain scalar by the core schema of YAML 1.2 (section 10.3.2)."""
    if not text or text[0] in _STARTS:
        for is_type, convert in _CORE_TYPES:
            if is_type(text):
                return convert(text)
    return text


# Most plain scalars are words: one look at their first letter tells that they are.
_STARTS = frozenset("~nNtTfF.+-0123456789")


def _integer(text: str) -> Json:
    number = int(text, 8 if text.startswith("0o") else 16 if text.startswith("0x") else 10)
    # JSON as it is read from the wire has no longer integers either.
    return number if -_LARGEST <= number < _LARGEST * 2 else float(number)


def _float(text: str) -> Json:
    number = float(text)
    return number if math.isfinite(number) else text


_CORE_TYPES: tuple[tuple[Callable[[str], object], Callable[[str], Json]], ...] = (
    (_NULLS.__contains__, lambda text: None),
    (_TRUES.__contains__, lambda text: True),
    (_FALSES.__contains__, lambda text: False),
    (_INTEGER.fullmatch, _integer),
    (_FLOAT.fullmatch, _float),
)


def _child(node: yaml.Node, step: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((_line(key), value) for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return _line(node.value[step]), node.value[step]
    return None


def _explained(error: yaml.MarkedYAMLError, last_line: int) -> YamlError:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or "cannot be read"
    if "cannot start any token" in problem:
        problem += " (YAML indents with spaces, not tabs; a text that starts with @ or ` needs quotes)"
    if "mapping values are not allowed" in problem:
        problem += " (a text that holds ': ' needs quotes)"
    return YamlError(min(mark.line + 1, last_line) if mark else 1, f"is not YAML: {problem}")


def _unreadable(error: yaml.reader.ReaderError) -> str:
    return f"is not YAML: {error.reason} (character {error.character!r})"
