"""What a prompt is about: its content words, its names, its numbers, the phrase at its core, and what it asks for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from replay_server.fallback.words import (
    CALENDAR,
    DETERMINERS,
    JOINERS,
    OPENING_WORDS,
    PLACE_PREPOSITIONS,
    TURNED,
    is_content,
)

LOOKED_AT = (1600, 400)  # characters at the start and at the end of a prompt; a megabyte says no more than these
WORDS_KEPT = 40
PHRASE_WORDS = 7
WORD_LENGTH = 24  # scripts without spaces make one word of a sentence


class Asks(StrEnum):
    """What kind of answer a prompt asks for."""

    GREETING = "greeting"
    CODE = "code"
    TRANSLATION = "translation"
    SUMMARY = "summary"
    LIST = "list"
    HOW = "how"
    WHY = "why"
    WHAT = "what"
    CHOICE = "choice"
    OTHER = "other"


SIGNS = (
    (Asks.GREETING, r"\A\s*(?:hi|hello|hey|good (?:morning|evening|afternoon))\b[^?]{0,40}\Z"),
    (Asks.TRANSLATION, r"\btranslat(?:e|ion)\b"),
    (Asks.SUMMARY, r"\b(?:summari[sz]e|summary|tl;?dr)\b"),
    (Asks.CODE, r"\b(?:write|implement|code|fix|debug)\b.{0,60}\b(?:function|code|script|program|class|query|regex)\b"),
    (Asks.LIST, r"(?:\A|[.!?,\n]|please|you)\s*(?:list|enumerate)\b|\b(?:list of|bullet points?|top \d+)\b"),
    (Asks.LIST, r"\b(?:name|give|suggest)\b.{0,20} (?:\d+|two|three|four|five)\b"),
    (Asks.WHY, r"\bwhy\b"),
    (Asks.HOW, r"\bhow (?:do|does|can|could|should|would|to|is|are)\b"),
    (Asks.WHAT, r"\b(?:what|who|which|when|where|how)\b"),
    (Asks.CHOICE, r"\A\s*(?:is|are|was|were|do|does|did|can|could|should|will|would|has|have)\b"),
)
COMPILED_SIGNS = tuple((asks, re.compile(sign, re.IGNORECASE | re.DOTALL).search) for asks, sign in SIGNS)
# A word with its apostrophes and hyphens; white space between words; whatever parts one phrase from the next.
find_pieces = re.compile(r"([^\W\d_]+(?:['’-][^\W\d_]+)*)|([ \t]+)|([.!?:\n]+)|\S").finditer
clitic = re.compile(r"['’](?:s|t|re|ve|ll|d|m)\Z", re.IGNORECASE)
find_numbers = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,6})?(?![\w.]{0,20}\d)").findall


class Word(NamedTuple):
    """A word of the prompt, as it is written and in lower case, and what stands before it."""

    text: str
    lower: str
    follows: str
    """The word right before it, in lower case; empty where something other than a space parts them."""
    starts_sentence: bool
    content: bool
    """Whether it tells what the text is about."""

    @property
    def is_name(self) -> bool:
        """Whether it looks like a name, or a part of one."""
        capitalised = self.text[0].isupper() and not self.text[1:].isupper()
        opens = self.starts_sentence and self.lower in OPENING_WORDS
        return capitalised and self.content and not opens and self.lower not in CALENDAR

    @property
    def as_inside(self) -> str:
        """The word as it is written inside of a sentence."""
        if self.lower in TURNED:
            return TURNED[self.lower]
        kept = (self.is_name and not self.starts_sentence) or self.text[1:].isupper()
        return (self.text if kept else self.lower)[:WORD_LENGTH]


@dataclass(frozen=True)
class Topic:
    """A prompt, as far as an answer refers to it. `text` is what of it is looked at."""

    text: str
    pieces: tuple[Word, ...]

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The content words in order, each once."""
        found = (word.as_inside for word in self.pieces if word.content)
        return tuple(dict.fromkeys(found))[:WORDS_KEPT]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Runs of capitalised words (`San Francisco`); last those that only the start of a sentence may have made."""
        runs = list(_runs_of_names(self.pieces))
        ordered = sorted(runs, key=lambda run: run[0].starts_sentence)
        return tuple(dict.fromkeys(" ".join(word.text for word in run) for run in ordered))

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The names behind a word like `in`; without any name, other words there, written as names."""
        behind = [run for run in _runs_of_names(self.pieces) if run[0].follows in PLACE_PREPOSITIONS]
        if behind or self.names:
            return tuple(" ".join(word.text for word in run) for run in behind)
        likely = (word for word in self.pieces if word.follows in ("in", "at", "near") and word.content)
        return tuple(word.text.capitalize() for word in likely)

    @cached_property
    def phrase(self) -> str:
        """The longest noun-like phrase, fit to stand behind `about`."""
        return max(_phrases(self.pieces), key=lambda phrase: phrase.count(" "), default="your request")

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """The numbers in the text, in order."""
        return tuple(float(number) for number in find_numbers(self.text)[:WORDS_KEPT])

    @cached_property
    def asks(self) -> Asks:
        """What kind of answer the text asks for."""
        return next((asks for asks, found in COMPILED_SIGNS if found(self.text)), Asks.OTHER)

    @cached_property
    def request(self) -> str:
        """The last line of the text, where the question usually is, without its final mark."""
        lines = [line for line in self.text.splitlines() if line.strip()]
        return lines[-1].strip().rstrip(".!?:") if lines else ""


def topic_of(text: str) -> Topic:
    """Read what a text is about."""
    start, end = LOOKED_AT
    if len(text) > start + end:
        text = f"{text[:start]}\n{text[-end:]}"
    return Topic(text, tuple(_words(text)))


def _words(text: str) -> Iterator[Word]:
    before, starts = "", True
    for match in find_pieces(text):
        word, space, end = match.groups()
        if word:
            word = clitic.sub("", word)
            yield Word(word, word.lower(), before, starts, is_content(word.lower(), before))
            before, starts = word.lower(), False
        elif not space:
            before, starts = "", starts or end is not None


def _runs_of_names(words: tuple[Word, ...]) -> Iterator[list[Word]]:
    run: list[Word] = []
    for word in words:
        if run and not (word.is_name and word.follows):
            yield run
            run = []
        if word.is_name:
            run.append(word)
    if run:
        yield run


def _phrases(words: tuple[Word, ...]) -> Iterator[str]:
    phrase: list[Word] = []
    for word in words:
        if phrase and not (word.follows and len(phrase) < PHRASE_WORDS and _continues(phrase[-1], word)):
            yield from _finished(phrase)
            phrase = []
        if phrase or word.lower in DETERMINERS or word.content:
            phrase.append(word)
    yield from _finished(phrase)


def _continues(last: Word, word: Word) -> bool:
    if word.lower in JOINERS:
        return last.content
    return word.content or (word.lower in DETERMINERS and last.lower in JOINERS)


def _finished(phrase: list[Word]) -> Iterator[str]:
    while phrase and not phrase[-1].content:
        phrase = phrase[:-1]
    if phrase:
        yield " ".join(word.as_inside for word in phrase)
