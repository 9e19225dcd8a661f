"""Where an answer ends: at a stop sequence, at the limit of tokens, or where it is complete."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from replay_server.fallback.tokens import count, split
from replay_server.interaction import ToolCall


def cut(tokens: Sequence[str], max_tokens: int | None, stop: tuple[str, ...]) -> tuple[list[str], str]:
    """The tokens that are said, and the finish_reason."""
    limited = list(tokens[:max_tokens])
    text = "".join(limited)
    ends = [place for place in map(text.find, filter(None, stop)) if place >= 0]
    if ends:
        return split(text[: min(ends)]), "stop"
    return limited, "stop" if len(limited) == len(tokens) else "length"


def cut_calls(calls: Iterable[ToolCall], max_tokens: int | None) -> tuple[list[ToolCall], bool]:
    """The calls, or their parts, for which the tokens last, with their deltas; and whether nothing is missing.

    A call costs the tokens of its name and of its arguments. Where not even the name fits, there is no call.
    """
    kept: list[ToolCall] = []
    for call in calls:
        tokens = split(call.arguments)
        if max_tokens is None:
            kept.append(replace(call, deltas=tuple(tokens)))
            continue
        max_tokens -= count(call.name)
        if max_tokens < 0:
            return kept, False
        said = tokens[:max_tokens]
        kept.append(replace(call, arguments="".join(said), deltas=tuple(said)))
        max_tokens -= len(tokens)
        if max_tokens < 0:
            return kept, False
    return kept, True
