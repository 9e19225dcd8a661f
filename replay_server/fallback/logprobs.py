"""Log probabilities that look right: the token said is the likeliest, and the alternatives share what it leaves."""

from collections.abc import Sequence
from math import log, log1p

from replay_server.fallback.draw import Draw
from replay_server.interaction import TokenLogprob

ALTERNATIVES = (
    *("the", "a", "of", "to", "and", "in", "it", "is", "that", "for", "on", "with", "as", "this", "by", "at"),
    *("from", "or", "an", "be", "which", "its", "one", "more", "also", "their", "some", "most", "each", "other"),
)
AFTER_SPACE = tuple(f" {word}" for word in ALTERNATIVES)
SHARES = tuple(log(0.49 * 0.5**place) for place in range(len(ALTERNATIVES)))  # they add up to less than one


def logprobs(tokens: Sequence[str], top: int, draw: Draw, starts_text: bool = False) -> tuple[TokenLogprob, ...]:
    """One entry per token, with `top` alternatives. With `starts_text` nothing came before the first to judge it by."""
    entries = [_entry(token, top, draw) for token in tokens]
    if starts_text and entries:
        entries[0] = TokenLogprob(entries[0].token, None)
    return tuple(entries)


def _entry(token: str, top: int, draw: Draw) -> TokenLogprob:
    fraction = draw.fraction()
    doubt = 0.0001 + 0.4899 * fraction * fraction * fraction  # mostly sure, at times hardly
    # Rounded: the last bits of a logarithm differ between machines.
    logprob = round(log1p(-doubt), 6)
    offset = draw.below(len(ALTERNATIVES))  # drawn for any `top`, so that it changes no other number
    if top <= 0:
        return TokenLogprob(token, logprob)
    return TokenLogprob(token, logprob, ((token, logprob), *_others(token, top - 1, offset, log(doubt))))


def _others(token: str, wanted: int, offset: int, rest: float) -> list[tuple[str, float]]:
    pool = AFTER_SPACE if token[:1] == " " else ALTERNATIVES
    words = [word for word in (pool[offset:] + pool[:offset])[: wanted + 1] if word != token]
    return [(word, round(rest + share, 6)) for word, share in zip(words[:wanted], SHARES, strict=False)]
