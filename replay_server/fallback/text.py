"""A whole text reply: `n` choices for each prompt, and what they cost."""

from collections.abc import Iterator
from dataclasses import replace

from replay_server.fallback.answer import Answer, Author
from replay_server.fallback.tokens import Count, count, prompt_tokens
from replay_server.fallback.tools import require_sound_tools
from replay_server.interaction import Choice, TextReply, TextWanted, Usage

MOST_CHOICES = 128
"""Per prompt. The live API takes no more; where nothing is refused, no more are given."""


def text_reply(wanted: TextWanted, key: str, tokens_of: Count = count) -> TextReply:
    """Make up a reply. Raises BadRequest for a schema that has no value.

    `tokens_of` counts the prompts; what is made up has the tokens that it was made of.
    """
    require_sound_tools(wanted.tools)
    if not 0 < wanted.n <= MOST_CHOICES or (wanted.best_of or 0) > MOST_CHOICES:
        best_of = None if wanted.best_of is None else min(wanted.best_of, MOST_CHOICES)
        wanted = replace(wanted, n=min(max(wanted.n, 1), MOST_CHOICES), best_of=best_of)
    choices: list[Choice] = []
    spent, thought = 0, 0
    for place, prompt in enumerate(wanted.prompts):
        answers = list(_answers(Author(wanted, prompt, (key, wanted.seed, place)), wanted))
        choices += [answer.choice for answer in answers[: wanted.n]]
        spent += sum(answer.tokens for answer in answers)
        thought += sum(answer.thoughts for answer in answers)
    asked = sum(prompt_tokens(prompt, tokens_of) for prompt in wanted.prompts)
    usage = Usage(prompt_tokens=asked, completion_tokens=spent, reasoning_tokens=thought)
    return TextReply(choices=tuple(choices), usage=usage)


def _answers(author: Author, wanted: TextWanted) -> Iterator[Answer]:
    """As many as are thought up; `best_of` is the same text for choice i, whatever `n` is."""
    for index in range(max(wanted.n, wanted.best_of or 0)):
        yield author.answer(index)
