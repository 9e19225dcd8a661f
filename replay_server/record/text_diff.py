"""Two texts as one, word by word: what is in both, what only in the old one, what only in the new one."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"\w+|\s+|.", re.DOTALL)
_MOST_COMPARED = 4000
"""Words on each side, beyond what both begin and end with: more would take seconds."""
_LEAST_ALIKE = 0.4
"""Below that share of characters in common it is another text, and reads better as one."""
_CONTEXT = 40
"""Characters that are shown of what is the same, on each side of a change."""
_LONGEST = 400
"""Characters that are shown of what is not."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text. `sign`: `-` is only in the old text, `+` only in the new one, a blank in both."""

    sign: str
    text: str


def word_diff(old: str, new: str) -> list[Piece]:
    """The pieces of the two texts, long ones cut: of what is in both, only what stands around a change is left."""
    pieces = list(_pieces(_WORD.findall(old), _WORD.findall(new)))
    alike = sum(len(piece.text) for piece in pieces if piece.sign == " ")
    if alike < _LEAST_ALIKE * max(len(old), len(new)):
        pieces = [*_some("-", [old]), *_some("+", [new])]
    last = len(pieces) - 1
    return [_cut(piece, first=at == 0, last=at == last) for at, piece in enumerate(pieces)]


def _pieces(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    begin = _common(old, new)
    end = _common(old[begin:][::-1], new[begin:][::-1])
    ours, theirs = old[begin : len(old) - end], new[begin : len(new) - end]
    yield from _some(" ", old[:begin])
    if max(len(ours), len(theirs)) > _MOST_COMPARED:
        yield from [*_some("-", ours), *_some("+", theirs)]
    else:
        yield from _compared(ours, theirs)
    yield from _some(" ", old[len(old) - end :])


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    """How many words both begin with."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(old), len(new)))


def _compared(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    from difflib import SequenceMatcher  # imported where there is a difference to show: in most runs there is none

    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from _some(" ", old[a:b])
        else:
            yield from [*_some("-", old[a:b]), *_some("+", new[c:d])]


def _some(sign: str, words: Sequence[str]) -> list[Piece]:
    text = "".join(words)
    return [Piece(sign, text)] if text else []


def _cut(piece: Piece, *, first: bool, last: bool) -> Piece:
    """What stands next to a change: the end of the first piece, the beginning of the last, both of one between."""
    same = piece.sign == " "
    shown = _CONTEXT if same else _LONGEST // 2
    if len(piece.text) <= 2 * shown + 1:
        return piece
    before = "" if same and first else piece.text[:shown]
    after = "" if same and last else piece.text[-shown:]
    return Piece(piece.sign, f"{before}…{after}")
