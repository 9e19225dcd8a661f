"""JSON documents without secrets: one body, or all chunks of a stream."""

import re
from collections.abc import Iterable, Iterator, Sequence

from replay_server.cassettes.redaction.channels import PIECES, Channel, Chunk
from replay_server.cassettes.redaction.json_text import Value, changed, is_json, string, values
from replay_server.cassettes.redaction.numbering import Numbering
from replay_server.cassettes.redaction.places import PathRule
from replay_server.cassettes.redaction.redactor import Redactor
from replay_server.cassettes.redaction.texts import Texts

_PIECES = re.compile("|".join(f'"{name}"' for name in PIECES))
_HIDDEN = re.compile(r"\\u00[2-7]|\\/")

Edits = dict[tuple[int, int], str]
"""New JSON for what stands between two places of a document."""


class Documents:
    """Takes the secrets out of JSON, where its strings stand: every other byte stays."""

    def __init__(self, redactor: Redactor, numbering: Numbering, texts: Texts) -> None:
        self._redactor = redactor
        self._numbering = numbering
        self._texts = texts

    def redacted(self, texts: Sequence[str]) -> list[str]:
        """JSON documents, those of a stream together, until nothing is left to find."""
        if len(texts) == 1 and self._is_clean(texts[0]):
            return list(texts)
        chunks = _chunks(texts)
        self._count(chunks)
        while any(edits := self._edits(chunks)):
            chunks = [_edited(chunk, found) if found else chunk for chunk, found in zip(chunks, edits, strict=True)]
        return [chunk.text for chunk in chunks]

    def findings(self, text: str) -> Iterator[tuple[Chunk, Value, str, str]]:
        """What a document holds: itself as it stands by then, the value, the rule, and the secret."""
        chunks = _chunks([text])
        self._count(chunks)
        while edits := self._edits(chunks)[0]:
            for value in chunks[0].values:
                for rule, secret in self._numbering.given_in(edits.get((value.start, value.end), "")):
                    yield chunks[0], value, rule, secret
            chunks = [_edited(chunks[0], edits)]

    def _count(self, chunks: Sequence[Chunk]) -> None:
        """Go on after the placeholders that are there, those in pieces too."""
        for pieces in _channels(chunks).values():
            self._numbering.count("".join(value.text or "" for _, value in pieces))

    def _is_clean(self, text: str) -> bool:
        """Whether a look at a document as a whole tells that it holds nothing to redact."""
        if self._numbering.echoes or _PIECES.search(text):
            return False
        return not self._redactor.may_hold_secret(text.encode("utf-8", "surrogatepass"))

    def _edits(self, chunks: Sequence[Chunk]) -> list[Edits]:
        edits: list[Edits] = [self._edits_by_path(chunk) for chunk in chunks]
        for pieces in _channels(chunks).values():
            self._edit_channel(pieces, edits)
        return edits

    def _edits_by_path(self, chunk: Chunk) -> Edits:
        edits: Edits = {}
        for rule in self._redactor.paths:
            for value in chunk.values:
                if value.is_leaf and not value.is_name and rule.covers(value.place):
                    self._edit_by_path(rule, chunk.text, value, edits)
        return edits

    def _edit_by_path(self, rule: PathRule, text: str, value: Value, edits: Edits) -> None:
        written = text[value.start : value.end]
        secret = written if value.text is None else value.text
        if secret and written != "null" and not self._numbering.is_placeholder(secret):
            edits[value.start, value.end] = string(self._numbering.placeholder(rule.name, secret), escapes=True)

    def _edit_channel(self, pieces: Sequence[tuple[Chunk, Value]], edits: list[Edits]) -> None:
        old = [value.text or "" for _, value in pieces]
        for (chunk, value), text, new in zip(pieces, old, self._pieces(old, pieces[0][1]), strict=True):
            if text == new or (value.start, value.end) in edits[chunk.at]:
                continue
            edits[chunk.at][value.start, value.end] = string(new, escapes=chunk.text.isascii())
            for other, nothing in chunk.besides(value):
                edits[chunk.at][other.start, other.end] = nothing

    def _pieces(self, pieces: list[str], first: Value) -> list[str]:
        """The strings of a channel: all together, then each by itself."""
        before = "" if first.is_name else f"{first.name}: "
        if len(pieces) == 1:
            return [self._inside(self._texts.redacted(pieces, before)[0])]
        return [self._texts.redacted([piece])[0] for piece in self._texts.redacted(pieces, before)]

    def _inside(self, text: str) -> str:
        """A text that is JSON itself (tool arguments) and may hide a secret by its escapes."""
        if text.lstrip()[:1] in ("{", "[") and _HIDDEN.search(text) and is_json(text):
            return self.redacted([text])[0]
        return text


def _chunks(texts: Iterable[str]) -> list[Chunk]:
    return [Chunk(at, text, list(values(text))) for at, text in enumerate(texts)]


def _edited(chunk: Chunk, edits: Edits) -> Chunk:
    text = changed(chunk.text, edits)
    return Chunk(chunk.at, text, list(values(text)))


def _channels(chunks: Sequence[Chunk]) -> dict[Channel, list[tuple[Chunk, Value]]]:
    channels: dict[Channel, list[tuple[Chunk, Value]]] = {}
    for chunk in chunks:
        for value in chunk.values:
            if value.text is not None:
                channels.setdefault(chunk.channel(value), []).append((chunk, value))
    return channels
