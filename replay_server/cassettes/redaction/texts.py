"""Secrets in text. It may come in pieces, as the deltas of a stream do: they are searched as the whole they make."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from replay_server.cassettes.redaction.numbering import Numbering
from replay_server.cassettes.redaction.redactor import Redactor
from replay_server.cassettes.redaction.rules import Rule


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret in a text: where it begins and ends, and the rule that found it."""

    start: int
    end: int
    rule: str


class Texts:
    """Takes the secrets out of texts."""

    def __init__(self, redactor: Redactor, numbering: Numbering) -> None:
        self._redactor = redactor
        self._numbering = numbering

    def redacted(self, pieces: list[str], before: str = "") -> list[str]:
        """The pieces of one text without its secrets: a placeholder goes where its secret began.

        `before` is what stands before the text and tells what it is: the name of a header.
        """
        while secrets := [found for found in self.secrets(before + "".join(pieces)) if found.start >= len(before)]:
            pieces = self._replaced(pieces, secrets, len(before))
        return pieces

    def _replaced(self, pieces: Sequence[str], secrets: Sequence[Secret], offset: int) -> list[str]:
        joined = "".join(pieces)
        spans = [(secret.start - offset, secret.end - offset, secret.rule) for secret in secrets]
        marks = [(start, end, self._numbering.placeholder(rule, joined[start:end])) for start, end, rule in spans]
        replaced, at = [], 0
        for piece in pieces:
            replaced.append("".join(_rest(piece, at, marks)))
            at += len(piece)
        return replaced

    def secrets(self, text: str) -> list[Secret]:
        """The secrets of a text, from its beginning; those that overlap are one."""
        rules = list(self._redactor.rules_for(text))
        echoes = self._numbering.echoes_in(text)
        if not rules and not echoes:
            return []
        found = [
            secret
            for start, end in self._numbering.gaps(text)
            for secret in _search(text[start:end], start, rules, echoes)
        ]
        return _merged(sorted(found, key=lambda secret: (secret.start, -secret.end)))  # stable: rules keep their order


def _search(text: str, offset: int, rules: Sequence[Rule], echoes: Mapping[str, str]) -> Iterator[Secret]:
    for rule in rules:
        yield from (Secret(offset + start, offset + end, rule.name) for start, end in rule.finds(text))
    for secret, name in echoes.items():
        for match in re.finditer(re.escape(secret), text):
            yield Secret(offset + match.start(), offset + match.end(), name)


def _merged(secrets: Sequence[Secret]) -> list[Secret]:
    merged: list[Secret] = []
    for secret in secrets:
        if merged and secret.start < merged[-1].end:
            merged[-1] = replace(merged[-1], end=max(merged[-1].end, secret.end))
        else:
            merged.append(secret)
    return merged


def _rest(piece: str, at: int, marks: Sequence[tuple[int, int, str]]) -> Iterator[str]:
    """What is left of a piece that begins at `at`, with the placeholders of the secrets that begin in it."""
    end, done = at + len(piece), at
    for start, stop, mark in marks:
        if start >= end or stop <= at:
            continue
        if start >= at:
            yield piece[done - at : start - at]
            yield mark
        done = min(stop, end)
    yield piece[done - at :]
