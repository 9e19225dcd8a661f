"""The vector of a text: texts that share words, or parts of words, lie closer together than others.

No model is behind it. Each word, and a little of each three letters in it, points in a direction of its own, and a
vector is the sum of these: what a text says often counts more, but not in proportion, and words that say little hardly
count. The whole text has a small share too, so that no two are quite the same, and none has no direction at all.
"""

import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable

from replay_server.fallback.lanes import MOST_PARTS, Feature, unit_vector
from replay_server.fallback.tokens import CJK
from replay_server.fallback.words import ASKING_WORDS, FUNCTION_WORDS, stem
from replay_server.interaction import Prompt

_CONTENT, _FILLER, _WHOLE = 4, 1, 2
"""Weights: of a word that says something, of one that says little, of the text as a whole."""

_COMMON_TOKENS = 1000
"""Of a vocabulary's tokens the first are the commonest: function words and pieces of words."""

_find_words = re.compile(rf"[{CJK}]|\d+|[^\W\d_{CJK}]+").findall


def text_vector(text: str, dimensions: int) -> "array[float]":
    """The vector of a text, of length 1. One of fewer dimensions is the beginning of it, made longer."""
    words = _find_words(unicodedata.normalize("NFKC", text).casefold())
    features: dict[Feature, int] = {(f"text {text}", ()): _WHOLE}
    for word, count in Counter(words).items():
        _add(features, _word(word), count)
    return unit_vector(features, dimensions)


def token_vector(tokens: Iterable[int], dimensions: int) -> "array[float]":
    """The vector of a text that is given as tokens: each counts as a word. Nobody here knows which."""
    ids = tuple(tokens)
    features: dict[Feature, int] = {(f"tokens {ids}", ()): _WHOLE}
    for token, count in Counter(ids).items():
        weight = _FILLER if 0 <= token < _COMMON_TOKENS else _CONTENT
        _add(features, ((f"token {token}", ()), weight), count)
    return unit_vector(features, dimensions)


def prompt_vector(prompt: Prompt, dimensions: int) -> "array[float]":
    """The vector of a prompt, of text or of tokens."""
    return token_vector(prompt.token_ids, dimensions) if prompt.token_ids else text_vector(prompt.text, dimensions)


def _word(word: str) -> tuple[Feature, int]:
    if word in FUNCTION_WORDS or word in ASKING_WORDS or (len(word) == 1 and word.isascii() and word.isalpha()):
        return (f"word {word}", ()), _FILLER
    framed = f"<{word}>"
    parts = tuple(f"part {framed[at : at + 3]}" for at in range(min(len(word), MOST_PARTS)))
    return (f"word {stem(word)}", parts), _CONTENT


def _add(features: dict[Feature, int], weighed: tuple[Feature, int], count: int) -> None:
    """A feature that is there twice as often weighs one step more."""
    feature, weight = weighed
    features[feature] = features.get(feature, 0) + weight * count.bit_length()
