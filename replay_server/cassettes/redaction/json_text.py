"""JSON as text: where its values stand, so that one can be changed and every other byte stays."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import orjson

from replay_server.cassettes.redaction.places import Place

_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a document, or the name of a member: from `start` to `end` of its text.

    `text` is what a string says; None for everything else.
    """

    place: Place
    start: int
    end: int
    text: str | None
    is_name: bool = False
    is_leaf: bool = True

    @property
    def name(self) -> str:
        """The name that it goes by: its own, or that of the list that it is in."""
        return next((step for step in reversed(self.place) if isinstance(step, str)), "")


def is_json(text: str) -> bool:
    """Whether a text is a JSON document."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def values(text: str) -> Iterator[Value]:
    """The values of a document and the names of its members, in their order; lists and objects where they end."""
    place: list[str | int] = []
    opened: list[int] = []
    name_next = False
    for match in _TOKEN.finditer(text):
        sign, (start, end) = match[0], match.span()
        if sign in "{[":
            opened.append(start)
            place.append("" if sign == "{" else 0)
            name_next = sign == "{"
        elif sign in "}]":
            place.pop()
            yield Value(tuple(place), opened.pop(), end, None, is_leaf=False)
        elif sign == ",":
            last = place[-1]
            name_next = isinstance(last, str)
            place[-1] = last if isinstance(last, str) else last + 1
        elif sign == ":":
            name_next = False
        elif name_next:
            place[-1] = json.loads(sign)
            yield Value(tuple(place), start, end, str(place[-1]), is_name=True)
        else:
            yield Value(tuple(place), start, end, json.loads(sign) if sign[0] == '"' else None)


def changed(text: str, edits: Mapping[tuple[int, int], str]) -> str:
    """`text` with other JSON in some places."""
    pieces, at = [], 0
    for (start, end), new in sorted(edits.items()):
        if start >= at:  # what lies within something that is gone is gone too
            pieces += [text[at:start], new]
            at = end
    return "".join([*pieces, text[at:]])


def string(text: str, escapes: bool) -> str:
    """A JSON string. `escapes`: with all but ASCII escaped."""
    return json.dumps(text, ensure_ascii=escapes)
