"""Strings: by pattern, by format, or by what the property's name and the prompt suggest; then fitted to the lengths."""

from collections.abc import Iterator

from replay_server.fallback.schema.facts import Facts
from replay_server.fallback.schema.formats import formatted
from replay_server.fallback.schema.named import tells_text, text_for
from replay_server.fallback.schema.pattern import write
from replay_server.fallback.schema.place import Making, Place
from replay_server.schema.dialect import compiled
from replay_server.schema.problem import SchemaError, UnsatisfiableError

LONGEST = 1_000_000
SHORT = 16  # longer texts are not tried against a pattern: a bad one takes time exponential in their length
FORMAT_TRIES = 8
PATTERN_TRIES = 8


def make_string(maker: Making, facts: Facts, place: Place) -> str:
    """A string of the demanded length, pattern and format. Raises UnsatisfiableError where there is none."""
    if facts.min_length > LONGEST:
        raise SchemaError(f"minLength {facts.min_length} is more than {LONGEST}.", place.context)
    if facts.max_length is not None and facts.min_length > facts.max_length:
        problem = f"minLength {facts.min_length} is more than maxLength {facts.max_length}."
        raise UnsatisfiableError(problem, place.context)
    for text in _exact(maker, facts, place):
        if _is_allowed(facts, text):
            return text
    return _by_patterns(maker, facts, place) if facts.patterns else _fitted(maker, facts, place)


def _exact(maker: Making, facts: Facts, place: Place) -> Iterator[str]:
    """Texts that are taken only as they are."""
    for _ in range(FORMAT_TRIES if facts.format is not None else 0):
        if (text := formatted(facts.format or "", maker.topic, maker.draw)) is not None:
            yield text
    examples = [one for one in facts.examples if isinstance(one, str)]
    if not facts.patterns:
        yield from examples if not tells_text(place.name) else ()
    else:
        text = text_for(place.name, maker.topic, maker.draw)
        yield from (one for one in (text, *examples) if len(one) <= SHORT)


def _by_patterns(maker: Making, facts: Facts, place: Place) -> str:
    for _ in range(PATTERN_TRIES if len(facts.patterns) > 1 else 1):
        least = facts.min_length if len(facts.patterns) == 1 else 0
        texts = [write(pattern, maker.draw, least, facts.max_length) or "" for pattern in facts.patterns]
        # Of several patterns, mostly one demands a beginning, another one an end.
        for text in (*texts, "".join(texts), "".join(reversed(texts))):
            if _is_allowed(facts, text):
                return text
    names = " and ".join(f"'{pattern}'" for pattern in facts.patterns)
    raise UnsatisfiableError(f"no string of the right length was found that matches {names}.", place.context)


def _fitted(maker: Making, facts: Facts, place: Place) -> str:
    text = text_for(place.name, maker.topic, maker.draw)
    while len(text) < facts.min_length:
        text += f" {text_for(place.name, maker.topic, maker.draw)}" if len(text) < 1000 else text
    if facts.max_length is None or len(text) <= facts.max_length:
        return text
    return _shortened(text, facts.min_length, facts.max_length)


def _shortened(text: str, low: int, high: int) -> str:
    """The text up to a word's end, if that is long enough."""
    words = text[: high + 1].rpartition(" ")[0].rstrip(" ,;:")
    return words if words and len(words) >= low else text[:high]


def _is_allowed(facts: Facts, text: str) -> bool:
    fits = facts.min_length <= len(text) and (facts.max_length is None or len(text) <= facts.max_length)
    return fits and all(compiled(pattern).search(text) for pattern in facts.patterns)
