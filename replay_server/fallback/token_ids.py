"""A prompt of token ids has a text too: each id stands for one word, always the same, that is one token."""

from replay_server.fallback.phrases import LISTS

VOCABULARY = tuple(
    f" {word}"
    for word in dict.fromkeys(
        word for phrases in LISTS.values() for phrase in phrases for word in phrase.lower().split()
    )
    if word.isalpha() and len(word) <= 10
)


def words_of(token_ids: tuple[int, ...]) -> list[str]:
    """A word with a leading space for each id."""
    return [VOCABULARY[token_id % len(VOCABULARY)] for token_id in token_ids]
