"""The token rule: where text is cut into tokens. No vocabulary; close to the count of GPT models for common text.

A leading space belongs to its word, a word of more than ten letters is cut in pieces of ten, digits go in groups of up
to three, CJK by the character, punctuation with the line breaks behind it. Each token is found from left to right, with
no look at what comes later (but for white space): a text cut between two tokens keeps the tokens before the cut.
"""

import re
from collections.abc import Callable
from functools import cache, lru_cache

from replay_server.interaction import Prompt

CJK = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
PUNCTUATION = r"!-/:-@\[-`{-~"
TOKEN = (
    r" ?[A-Za-z]{1,10}(?:'(?:s|t|re|ve|ll|d|m)\b)?"
    rf"| ?[^\W\d_{CJK}A-Za-z]{{1,4}}"  # other scripts take more tokens for a word
    rf"| ?[{PUNCTUATION}]+[\r\n]*"
    r"|\d{1,3}"
    rf"|[{CJK}]"
    r"|\s*[\r\n]+"
    rf"|\s+(?= (?:[{PUNCTUATION}]|[^\W\d_{CJK}]))"  # all of a run but the space that goes with what follows
    r"|\s+"
    r"|[\s\S]"
)

Count = Callable[[str], int]
"""Counts the tokens of a text: `count`, or a vocabulary's."""

REMEMBERED_LENGTH = 1000  # bounds what the cache can hold to a few megabytes


def split(text: str) -> list[str]:
    """The tokens of the text: joined, they are the text."""
    return _finder(TOKEN)(text)


def count(text: str) -> int:
    """How many tokens the text has."""
    return _count_short(text) if len(text) <= REMEMBERED_LENGTH else _count(text)


def prompt_tokens(prompt: Prompt, tokens_of: Count = count) -> int:
    """What a prompt costs: its texts, its token ids, and the framing that its endpoint knows."""
    total = prompt.framing_tokens + len(prompt.token_ids)
    if prompt.text:
        total += tokens_of(prompt.text)
    for text in prompt.context:
        total += tokens_of(text)
    return total


@lru_cache(maxsize=1024)  # the same prompts come again and again: that is what replay is
def _count_short(text: str) -> int:
    return _count(text)


def _count(text: str) -> int:
    # The empty group makes findall give one shared empty string per token instead of a new string.
    return len(_finder(f"(?:{TOKEN})()")(text))


@cache  # compiled at first use: that takes milliseconds, which the start of a server need not wait for
def _finder(pattern: str) -> Callable[[str], list[str]]:
    return re.compile(pattern).findall
