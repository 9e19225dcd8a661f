"""The text of a file in a vector store, and the pieces in which it is looked for.

Nobody counts tokens here: four characters are one, which is what a token of English has on average.
"""

import codecs
import re
from collections.abc import Sequence
from math import ceil

_CHARACTERS_A_TOKEN = 4
_PIECE = re.compile(r"\s*\S{1,16}|\s+")
_READABLE = re.compile(rb"[\t\n\r -~]{4,}")


def text_of(content: bytes) -> str:
    """The text that a file is; of one that is no text, as much as can be read."""
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return b"\n".join(_READABLE.findall(content)).decode()


def chunks_of(text: str, most: int, overlap: int) -> list[str]:
    """The text in pieces of so many tokens at most, of which each begins with the end of the one before."""
    pieces = _PIECE.findall(text)
    sizes = [ceil(len(piece) / _CHARACTERS_A_TOKEN) for piece in pieces]
    found, start = [], 0
    while start < len(pieces):
        end = _end(sizes, start, most)
        found.append("".join(pieces[start:end]))
        start = max(start + 1, _back(sizes, end, overlap)) if end < len(pieces) else end
    return found


def _end(sizes: Sequence[int], start: int, most: int) -> int:
    """How far so many tokens reach: one piece at least."""
    end, count = start + 1, sizes[start]
    while end < len(sizes) and count + sizes[end] <= most:
        count += sizes[end]
        end += 1
    return end


def _back(sizes: Sequence[int], end: int, most: int) -> int:
    """Where the last so many tokens begin."""
    start, count = end, 0
    while start and count + sizes[start - 1] <= most:
        start -= 1
        count += sizes[start]
    return start
