"""JSON mode: a small object about the prompt, with the fields that its texts name."""

import re
from collections.abc import Iterable

from replay_server.fallback.draw import Draw
from replay_server.fallback.schema import value
from replay_server.fallback.topic import Topic
from replay_server.fallback.words import FUNCTION_WORDS
from replay_server.interaction import Json

FIELDS = ("topic", "answer", "keywords")
PLURALS = ("keywords", "tags", "items", "steps", "list", "topics", "names", "results", "examples", "ingredients")
MOST_FIELDS = 12
LOOKED_AT = 4000  # characters of each text
find_quoted = re.compile(r"""["'`](\w{1,40})["'`]\s*:""").findall
NAME = r"[\"'`]?\w{1,40}[\"'`]?"
find_listed = re.compile(
    rf"\b(?:keys?|fields?|properties|attributes)\b[:\s]+({NAME}(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+){NAME}){{0,11}})",
    re.IGNORECASE,
).search
find_names = re.compile(r"\w+").findall


def json_object(topic: Topic, texts: Iterable[str], draw: Draw) -> Json:
    """An object with readable values. `texts` are where its fields may be named: `with the keys name and age`."""
    properties: dict[str, Json] = {field: _schema(field) for field in _named_fields(texts) or FIELDS}
    return value({"type": "object", "properties": properties}, draw, topic)


def _schema(field: str) -> Json:
    return {"type": "array", "items": {"type": "string"}} if field in PLURALS else {}


def _named_fields(texts: Iterable[str]) -> list[str]:
    found: list[str] = []
    for text in texts:
        found += find_quoted(text[:LOOKED_AT])
        if not found and (listed := find_listed(text[:LOOKED_AT])):
            found += [name for name in find_names(listed[1]) if name.lower() not in FUNCTION_WORDS]
    return list(dict.fromkeys(found))[:MOST_FIELDS]
