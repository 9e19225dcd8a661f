"""Readable English about a topic, of any length: sentences from templates, in paragraphs, lists and code blocks."""

import re
from collections.abc import Iterator

from replay_server.fallback.draw import Draw
from replay_server.fallback.phrases import AFTER_RESULT, CLOSERS, LISTS, OPENERS, SENTENCES, STEPS
from replay_server.fallback.topic import Asks, Topic

LONGEST = 100_000  # characters that a prompt can ask for
CHARACTERS_PER = {"token": 5.3, "word": 6.1, "sentence": 75.0, "paragraph": 320.0}
SENTENCES_ABOUT = tuple(template for template in SENTENCES if "{phrase}" in template)
CODE_WORDS = ("python", "javascript", "function", "code", "script", "program", "class", "method")
find_length = re.compile(r"\b(\d{1,6})[ -]?(token|word|sentence|paragraph)s?\b", re.IGNORECASE).search
is_identifier = re.compile(r"[a-z]{2,16}").fullmatch


class Prose:
    """Writes about one topic. It is the mapping that fills the slots of its templates."""

    def __init__(self, topic: Topic, draw: Draw, place: int = 0) -> None:
        """`place` is the choice's place among its siblings: their first sentences differ."""
        self._topic = topic
        self._draw = draw
        self._place = place
        self._lists = LISTS | {"word": topic.words or ("main",), "phrase": (topic.phrase,)}
        self._last: dict[str, str] = {}
        self._unused: list[str] = []

    def __getitem__(self, slot: str) -> str:
        """What fills a slot of a template: not twice the same in a row, if there is a choice."""
        filling = self._draw.choice(self._lists[slot])
        if filling == self._last.get(slot):
            filling = self._draw.choice(self._lists[slot])
        self._last[slot] = filling
        return filling

    def answer(self, after_result: bool = False) -> str:
        """One to three short paragraphs, or about as much as the prompt asks for."""
        openers = AFTER_RESULT if after_result else OPENERS[self._topic.asks]
        opener = self._fill(openers[self._place % len(openers)])
        self._lists["phrase"] = (self._topic.phrase, "this topic", self._topic.phrase, "this subject")
        paragraphs = [opener] if after_result else self._opening(opener)
        paragraphs[-1] += f" {self._sentences(1, 3)}" if not paragraphs[-1].endswith("```") else ""
        asked = asked_length(self._topic.text)
        return "\n\n".join(paragraphs + (self._ending() if asked is None else list(self._filling(asked))))

    def sentence(self) -> str:
        """One sentence."""
        if not self._unused:
            self._unused = self._draw.shuffled(SENTENCES)
        return self._fill(self._unused.pop())

    def bridge(self, suffix: str) -> str:
        """Text to stand before the suffix, ending so that it can follow."""
        text = f"{self._fill(self._draw.choice(SENTENCES_ABOUT))} {self.sentence()}"
        return text if not suffix or suffix[0].isspace() or suffix[0] in ".,;:!?)" else f"{text} "

    def _fill(self, template: str) -> str:
        return template.format_map(self)

    def _sentences(self, low: int, high: int) -> str:
        return " ".join(self.sentence() for _ in range(self._draw.between(low, high)))

    def _opening(self, opener: str) -> list[str]:
        match self._topic.asks:
            case Asks.LIST:
                items = [f"{place}. {_capital(step)}" for place, step in enumerate(self._steps(3, 5), start=1)]
                return [opener, "\n".join(items), self._fill(self._draw.choice(CLOSERS))]
            case Asks.HOW:
                first, then, last = self._steps(3, 3)
                return [f"{opener} First, {first}. Then {then}. Finally, {last}."]
            case Asks.CODE:
                return [opener, self._code()]
            case _:
                return [opener]

    def _ending(self) -> list[str]:
        if self._draw.below(3) == 0:
            return []
        return [f"{self._sentences(1, 2)} {self._fill(self._draw.choice(CLOSERS))}"]

    def _filling(self, characters: int) -> Iterator[str]:
        while characters > 0:
            paragraph = self._sentences(3, 5)
            characters -= len(paragraph)
            yield paragraph

    def _steps(self, low: int, high: int) -> list[str]:
        return [self._fill(step) for step in self._draw.shuffled(STEPS)[: self._draw.between(low, high)]]

    def _code(self) -> str:
        words = [word for word in self._topic.words if is_identifier(word) and word not in CODE_WORDS]
        name = "_".join(words[:2]) or "solve"
        return f'```python\ndef {name}(value):\n    """{self.sentence()}"""\n    return value\n```'


def asked_length(text: str) -> int | None:
    """How many characters a prompt asks for (`in 200 words`), roughly; None where it does not say."""
    if not (found := find_length(text)):
        return None
    return min(int(int(found[1]) * CHARACTERS_PER[found[2].lower()]), LONGEST)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
