"""Secrets in the text of a file, with their lines. It tells the rule and the line, and never the secret."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePath

from replay_server.cassettes.redaction.documents import Documents
from replay_server.cassettes.redaction.json_text import is_json
from replay_server.cassettes.redaction.numbering import Numbering
from replay_server.cassettes.redaction.redactor import Redactor
from replay_server.cassettes.redaction.texts import Texts
from replay_server.cassettes.yaml import Document, YamlError, documents

ALLOWED = "replay-server: allow-secret"
"""In a comment on its line, it says that what looks like a secret is none."""

_LOOKED_FOR = 12
"""Characters of a secret: a folded text may go on in another line."""
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, order=True)
class Leak:
    """A line that holds a secret, and the rule that found it."""

    line: int
    rule: str


@dataclass(frozen=True, slots=True)
class _Found:
    """A secret, with the line that its value begins in."""

    line: int
    rule: str
    secret: str


def leaks(name: str, data: bytes, redactor: Redactor) -> list[Leak]:
    """The secrets of a file, in the order of its lines, without those that its comments allow."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return []
    found = list(_found(PurePath(name).suffix, text, redactor))
    return sorted(set(_not_allowed(found, text.split("\n"))))


def _found(suffix: str, text: str, redactor: Redactor) -> Iterator[_Found]:
    lines = text.split("\n")
    if suffix in (".yaml", ".yml"):
        return _in_yaml(text, redactor)
    if suffix == ".json" and is_json(text):
        return _in_json([text], [1], redactor)
    if suffix in (".jsonl", ".ndjson"):
        numbers = [number for number, line in enumerate(lines, 1) if is_json(line)]
        others = "\n".join("" if is_json(line) else line for line in lines)
        return chain(_in_json([lines[number - 1] for number in numbers], numbers, redactor), _in_text(others, redactor))
    return _in_text(text, redactor)


def _not_allowed(found: Iterable[_Found], lines: Sequence[str]) -> Iterator[Leak]:
    for each in found:
        beginning = each.secret[:_LOOKED_FOR].split("\n")[0]
        rest = range(each.line, len(lines) + 1)
        line = next((number for number in rest if beginning in lines[number - 1]), each.line)
        if not any(ALLOWED in lines[number - 1] for number in (line, each.line)):
            yield Leak(line, each.rule)


# Kinds of files ------------------------------------------------------------------------------------------------------


def _in_yaml(text: str, redactor: Redactor) -> Iterator[_Found]:
    """What the documents say, deltas of streams together; and the comments, which no document has."""
    try:
        read = list(documents(text.encode()))
    except YamlError:
        yield from _in_text(text, redactor)
        return
    for document in read:
        yield from _in_document(document, redactor)
    yield from _in_text(_only_comments(text), redactor)


def _only_comments(text: str) -> str:
    comments = (_COMMENT.search(line) for line in text.split("\n"))
    return "\n".join(comment[0] if comment else "" for comment in comments)


def _in_document(document: Document, redactor: Redactor) -> Iterator[_Found]:
    for _, value, rule, secret in _documents(redactor).findings(json.dumps(document.value, ensure_ascii=False)):
        yield _Found(document.line_of(value.place), rule, secret)


def _in_json(texts: Sequence[str], lines: Sequence[int], redactor: Redactor) -> Iterator[_Found]:
    """What documents say; `lines` are those that they begin in."""
    for text, first in zip(texts, lines, strict=True):
        for chunk, value, rule, secret in _documents(redactor).findings(text):
            yield _Found(first + chunk.text.count("\n", 0, value.start), rule, secret)


def _documents(redactor: Redactor) -> Documents:
    numbering = Numbering(redactor.names)
    return Documents(redactor, numbering, Texts(redactor, numbering))


def _in_text(text: str, redactor: Redactor) -> Iterator[_Found]:
    for secret in Texts(redactor, Numbering(redactor.names)).secrets(text):
        yield _Found(text.count("\n", 0, secret.start) + 1, secret.rule, text[secret.start : secret.end])
