"""Writing a document of a cassette as YAML that reads well in a review, and reads back as the same value.

An emitter of our own, because libyaml's refuses a literal block for any text with an emoji, a tab or a space at the
end of a line, which most answers of a model have. What is written means the same to readers of YAML 1.1 and 1.2.

Each value becomes what stands on the line of its key or dash, and the lines below; whoever holds it indents those.
"""

import json
import re
from collections.abc import Iterator, Sequence

from yaml.resolver import Resolver

from replay_server.interaction import Json, JsonObject

Parts = tuple[str, Sequence[str]]
"""What stands on the line of the key or dash (may be empty), and the lines below it, not yet indented."""

_ONE_LINE_EACH = ("stream", "events")
"""The list whose items are written in flow style: an event of a recorded stream is a line in a diff."""

_LONGEST_KEY = 1000
"""A longer one must be announced by `? `: parsers look no further than 1024 characters for its colon."""


def dump(document: JsonObject) -> str:
    """The YAML text of a document: block style, key order as given, a newline at the end."""
    return "".join(f"{line}\n" for line in _mapping_lines(document, "")) or "{}\n"


def dump_line(document: JsonObject) -> str:
    """The same in one line for each field, without the newline at the end."""
    return "\n".join(f"{_flow_key(key)}: {_flow(value)}" for key, value in document.items())


# Block style ---------------------------------------------------------------------------------------------------------


def _mapping_lines(mapping: JsonObject, name: str) -> list[str]:
    """The lines of a mapping that stands under the key `name`."""
    lines: list[str] = []
    for key, value in mapping.items():
        *announced, head = _key(key)
        beside, below = _member(value, name, key)
        lines += [*announced, f"{head} {beside}" if beside else head]
        lines += _indented(below)
    return lines


def _member(value: Json, outer: str, name: str) -> Parts:
    if isinstance(value, list) and value and (outer, name) == _ONE_LINE_EACH:
        return "", [f"- {_flow(item)}" for item in value]
    if isinstance(value, list) and value:
        return "", _sequence_lines(value)
    if isinstance(value, dict) and value:
        return "", _mapping_lines(value, name)
    return _scalar(value)


def _sequence_lines(items: Sequence[Json]) -> list[str]:
    lines: list[str] = []
    for item in items:
        beside, below = _item(item)
        lines.append(f"- {beside}")
        lines += _indented(below)
    return lines


def _item(item: Json) -> Parts:
    if isinstance(item, dict) and item:
        first, *below = _mapping_lines(item, "")
    elif isinstance(item, list) and item:
        first, *below = _sequence_lines(item)
    else:
        return _scalar(item)
    return first, below


def _scalar(value: Json) -> Parts:
    if isinstance(value, str) and "\n" in value and _fits_literal(value):
        return _literal(value)
    return _text(value, in_flow=False) if isinstance(value, str) else _flow(value), ()


def _indented(lines: Sequence[str]) -> Iterator[str]:
    """Empty lines are those of literal blocks, and stay empty."""
    return (f"  {line}" if line else line for line in lines)


def _key(key: str) -> tuple[str, ...]:
    """The line of a key up to its colon; two lines for a long one."""
    text = _text(key, in_flow=False)
    return (f"{text}:",) if len(text) <= _LONGEST_KEY else (f"? {text}", ":")


# Literal blocks ------------------------------------------------------------------------------------------------------

# What parsers take unescaped within a line: not the line ends of YAML 1.1, nor the byte order mark.
_PRINTABLE = " -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff"
_FIT_FOR_LITERAL = re.compile(f"[\t\n{_PRINTABLE}]*")


def _fits_literal(text: str) -> bool:
    return text.strip(" \t\n") != "" and _FIT_FOR_LITERAL.fullmatch(text) is not None


def _literal(text: str) -> Parts:
    indentation = "2" if text[0] in " \t\n" else ""  # else a parser takes it from the first line
    if not text.endswith("\n"):
        return f"|{indentation}-", text.split("\n")
    chomping = "+" if text.endswith("\n\n") else ""
    return f"|{indentation}{chomping}", text[:-1].split("\n")


# On one line ---------------------------------------------------------------------------------------------------------


def _flow(value: Json) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow_key(key)}: {_flow(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        return _text(value, in_flow=True)
    return _number(value) if isinstance(value, float) else json.dumps(value)


def _flow_key(key: str) -> str:
    text = _text(key, in_flow=True)
    return text if len(text) <= _LONGEST_KEY else f"? {text} "


def _number(value: float) -> str:
    """`1e+22` is a text in YAML 1.1, `1.0e+22` a number everywhere."""
    text = repr(value)
    return text if "." in text else text.replace("e", ".0e")


_SPACED_PRINTABLE = re.compile(f"[{_PRINTABLE}]*")
_PLAIN = re.compile(r"(?![-?:,\[\]{}#&*!|>'\"%@` ]|\.\.\.)(?!.*(: | #))(.*[^: ])")
_PLAIN_IN_FLOW = re.compile(r"[^,\[\]{}:?]*")
# More than any version of YAML takes for a number, a time or a date.
_LIKE_A_NUMBER = re.compile(r"[-+]?\.?[0-9][-+0-9a-fA-F_.:xXoO]*")
_TRUTHS = frozenset("yYnN")


def _text(text: str, *, in_flow: bool) -> str:
    if not _SPACED_PRINTABLE.fullmatch(text):
        return _double_quoted(text)
    return text if _may_be_plain(text, in_flow) else "'" + text.replace("'", "''") + "'"


def _may_be_plain(text: str, in_flow: bool) -> bool:
    if not _PLAIN.fullmatch(text) or (in_flow and not _PLAIN_IN_FLOW.fullmatch(text)):
        return False
    return not (text in _TRUTHS or _LIKE_A_NUMBER.fullmatch(text) or _has_type_in_yaml_1_1(text))


def _has_type_in_yaml_1_1(text: str) -> bool:
    types = Resolver.yaml_implicit_resolvers.get(text[0], ())
    return any(pattern.match(text) for _, pattern in types)


_ESCAPED = re.compile(rf'[\\"]|[^{_PRINTABLE}]')
_SHORT_ESCAPES = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\t": r"\t", "\r": r"\r", "\0": r"\0"}


def _double_quoted(text: str) -> str:
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    return _SHORT_ESCAPES.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
