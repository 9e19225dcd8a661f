"""Two texts, compared word by word: what is in only one of them, with a few words around it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum

from replay_server.terminal import GREEN, RED, coloured, printable

_CONTEXT = 12
"""Words, spaces and marks that are shown before and behind a change."""
_COMPARED = 2_000
"""Of longer texts, all that lies between the first and the last difference counts as changed."""

_SHOWN = 1_000
"""Characters of one run of changed words."""

# A word is letters and digits, and what is joined to them: 2026-01-02, a/b.py. Of scripts without spaces (Chinese,
# Japanese) each character is one.
_CHARACTERS = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_LETTERS = rf"[^\W{_CHARACTERS}]+"
_TOKEN = re.compile(rf"[{_CHARACTERS}]|{_LETTERS}(?:[-./:]{_LETTERS})*|\s+|.", re.DOTALL)


class Kind(Enum):
    """What a piece of a comparison is."""

    SAME = "same"
    RECORDED = "recorded"
    NEW = "new"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words. What both texts have is left out where it is far from any change."""

    kind: Kind
    text: str


def compare(recorded: str, new: str, context: int = _CONTEXT, *, least_alike: float = 0) -> list[Piece]:
    """The pieces of two texts, in order.

    Where they have a smaller share of characters in common than `least_alike`, they are compared as two wholes.
    """
    ours, theirs = _TOKEN.findall(recorded), _TOKEN.findall(new)
    steps = list(_steps(ours, theirs))
    if _alike(steps) < least_alike * max(len(recorded), len(new)):
        steps = [(False, ours, theirs)]
    pieces: list[Piece] = []
    for at, (same, left, right) in enumerate(steps):
        if same:
            pieces += _around(left, context, first=at == 0, last=at == len(steps) - 1)
        else:
            pieces += (Piece(Kind.RECORDED, "".join(left)), Piece(Kind.NEW, "".join(right)))
    return [piece for piece in pieces if piece.text]


def written(pieces: Iterable[Piece], *, color: bool = False) -> str:
    """The pieces in a line: `in [-Paris-]{+Rome+} today`."""
    return "".join(_write(piece, color) for piece in pieces)


def _write(piece: Piece, color: bool) -> str:
    text = printable(_shortened(piece.text))
    if piece.kind is Kind.RECORDED:
        return coloured(f"[-{text}-]", RED, color)
    if piece.kind is Kind.NEW:
        return coloured(f"{{+{text}+}}", GREEN, color)
    return text


def _shortened(text: str) -> str:
    """Begin and end of what is too long to be read."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]} … {text[-_SHOWN // 2 :]}"


def _steps(ours: list[str], theirs: list[str]) -> Iterator[tuple[bool, Sequence[str], Sequence[str]]]:
    """What is the same and what is not, in turn."""
    start = _common(ours, theirs)
    end = _common(ours[start:][::-1], theirs[start:][::-1])
    left, right = ours[start : len(ours) - end], theirs[start : len(theirs) - end]
    yield True, ours[:start], ours[:start]
    if max(len(left), len(right)) > _COMPARED:
        yield False, left, right
    else:  # a space, or a word that comes again and again, is nothing to go by: it takes very long, and tells nothing
        for tag, a, b, c, d in SequenceMatcher(str.isspace, left, right).get_opcodes():
            yield tag == "equal", left[a:b], right[c:d]
    yield True, ours[len(ours) - end :], ours[len(ours) - end :]


def _common(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """How many tokens two texts begin with alike."""
    pairs = zip(ours, theirs, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(ours), len(theirs)))


def _alike(steps: Iterable[tuple[bool, Sequence[str], Sequence[str]]]) -> int:
    """How many characters are in both texts."""
    return sum(len(word) for same, ours, _ in steps if same for word in ours)


def _around(tokens: Sequence[str], context: int, *, first: bool, last: bool) -> Iterator[Piece]:
    """What the texts have in common between two changes: no more of it than `context` tokens at each of them."""
    before, after = 0 if first else context, 0 if last else context
    if len(tokens) <= before + after:
        yield Piece(Kind.SAME, "".join(tokens))
        return
    yield Piece(Kind.SAME, "".join(tokens[:before]))
    yield Piece(Kind.LEFT_OUT, "…")
    yield Piece(Kind.SAME, "".join(tokens[len(tokens) - after :]))
