"""What plainly belongs to a category of harm: few phrases, mild ones, so that a test can be written for each category.

It is no filter: it knows what is here, word by word, and nothing else.
"""

import re
from collections.abc import Mapping
from functools import cache

PHRASES: Mapping[str, tuple[str, ...]] = {
    "harassment": ("you idiot", "you moron", "you are pathetic", "you are worthless", "nobody likes you"),
    "harassment/threatening": ("i will hurt you", "i will kill you", "i will break your nose", "you will regret this"),
    "hate": ("subhuman", "subhumans", "inferior race", "go back to your country"),
    "hate/threatening": ("exterminate them", "wipe out their kind"),
    "illicit": ("shoplift", "launder money", "counterfeit money", "forge a passport", "steal a car"),
    "illicit/violent": ("build a bomb", "make a bomb", "pipe bomb"),
    "self-harm": ("self-harm", "hurt myself", "cut myself"),
    "self-harm/instructions": ("how to hurt myself", "how to kill myself", "ways to kill myself"),
    "self-harm/intent": ("kill myself", "end my life", "want to die"),
    "sexual": ("porn", "pornography", "sexually explicit"),
    "sexual/minors": ("child pornography",),
    "violence": (
        *("kill you", "kill him", "kill her", "kill them", "kill people", "break your nose", "break his nose"),
        *("murder", "murdered", "stab", "stabbed", "strangle", "massacre"),
    ),
    "violence/graphic": ("dismember", "dismembered", "beheaded", "pool of blood"),
}
"""By category; a text that holds one of these, in any case, belongs to it, and to what stands before its slash."""


def categories_in(text: str) -> tuple[str, ...]:
    """The categories that a text plainly belongs to, in the order of `PHRASES`."""
    phrases = {" ".join(match[1].split()) for match in _finder().finditer(text.casefold())}
    found = {name for phrase in phrases for name in _categories_of()[phrase]}
    return tuple(name for name in PHRASES if name in found)


@cache  # compiled at first use: few servers are ever asked
def _finder() -> re.Pattern[str]:
    """Finds phrases that begin at any place, also within another."""
    longest_first = sorted(_categories_of(), key=len, reverse=True)
    words = "|".join(re.escape(phrase).replace(r"\ ", r"\s+") for phrase in longest_first)
    return re.compile(rf"(?=\b({words})\b)")


@cache
def _categories_of() -> Mapping[str, frozenset[str]]:
    """The categories of each phrase: its own, those of the phrases that it begins with, and what is above them."""
    phrases = {phrase for each in PHRASES.values() for phrase in each}
    return {phrase: frozenset(_with_parents(phrase)) for phrase in phrases}


def _with_parents(phrase: str) -> set[str]:
    names = {name for name, each in PHRASES.items() if any(f"{phrase} ".startswith(f"{other} ") for other in each)}
    return names | {name.partition("/")[0] for name in names}
