"""What is looked through in a vector store: pieces of text with their vectors; and how near each is to a question.

A piece is near that has the words of the question, of which rare ones count more, and whose vector lies close to the
question's: the vectors are those that `POST /embeddings` makes up, as far as they matter here.
"""

import base64
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import log
from operator import mul
from typing import NamedTuple, cast

import orjson

from replay_server.endpoints.operation import Call
from replay_server.endpoints.vector_store_text import chunks_of, text_of
from replay_server.interaction import Json, Prompt, VectorsReply, VectorsWanted

_DIMENSIONS = 256
_DIGITS = 4
_find_words = re.compile(r"\w+").findall


class Passage(NamedTuple):
    """A piece of a file."""

    text: str
    vector: Sequence[float]


class Indexed(NamedTuple):
    """A file that can be looked through."""

    filename: str
    text: str
    passages: Sequence[Passage]

    @classmethod
    def read(cls, content: bytes) -> "Indexed":
        """What `written` has written."""
        filename, text, passages = orjson.loads(content)
        return cls(filename, text, [Passage(piece, _floats(vector)) for piece, vector in passages])

    @property
    def written(self) -> bytes:
        """The file as an object keeps it."""
        passages = [(piece.text, base64.b64encode(array("f", piece.vector)).decode()) for piece in self.passages]
        return orjson.dumps((self.filename, self.text, passages))


def indexed(call: Call, filename: str, content: bytes, chunking: Mapping[str, Json]) -> Indexed:
    """Make a file one that can be looked through. `chunking`: `{max_chunk_size_tokens, chunk_overlap_tokens}`."""
    text = text_of(content)
    most, overlap = chunking["max_chunk_size_tokens"], chunking["chunk_overlap_tokens"]
    pieces = chunks_of(text, cast("int", most), cast("int", overlap))
    return Indexed(filename, text, list(map(Passage, pieces, _vectors(call, pieces))))


def _floats(text: str) -> "array[float]":
    found = array("f")
    found.frombytes(base64.b64decode(text))
    return found


def _vectors(call: Call, texts: Iterable[str]) -> list[Sequence[float]]:
    wanted = VectorsWanted(prompts=tuple(Prompt(text=text) for text in texts), dimensions=_DIMENSIONS)
    reply = cast("VectorsReply", call.generate(wanted, call.stamp.key))
    return [vector.values or () for vector in reply.vectors]


# Search --------------------------------------------------------------------------------------------------------------


def scores(call: Call, questions: Sequence[str], passages: Sequence[Passage], *, by_words: bool) -> list[float]:
    """How near each passage is to the nearest of the questions, from 0 to 1."""
    said = [_words(passage.text) for passage in passages]
    rarity = _rarity(said)
    found = [0.0] * len(passages)
    for question, vector in zip(questions, _vectors(call, questions), strict=True):
        asked = _words(question)
        for at, passage in enumerate(passages):
            near = max(0.0, sum(map(mul, vector, passage.vector)))
            if by_words:
                near = (near + _share(asked, said[at], rarity)) / 2
            found[at] = max(found[at], min(1.0, round(near, _DIGITS)))
    return found


def _words(text: str) -> frozenset[str]:
    return frozenset(_find_words(text.casefold()))


def _rarity(said: Sequence[frozenset[str]]) -> Mapping[str, float]:
    counts = Counter(word for words in said for word in words)
    return {word: log(1 + len(said) / count) for word, count in counts.items()}


def _share(asked: frozenset[str], said: frozenset[str], rarity: Mapping[str, float]) -> float:
    """How much of a question's words a passage has. Words that no passage has say nothing of any."""
    # In order: sums of floats depend on it, and that of a set differs from process to process.
    known = sorted(word for word in asked if word in rarity)
    whole = sum(rarity[word] for word in known)
    return sum(rarity[word] for word in known if word in said) / whole if whole else 0.0
