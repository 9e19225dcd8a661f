"""What chat and completions share: the models behind aliases, stop sequences, how an answer says why it ended."""

from collections.abc import Iterator
from itertools import accumulate

import orjson

from replay_server.interaction import Choice, Json, JsonObject, TokenLogprob

_SNAPSHOTS = {
    "gpt-3.5-turbo": "gpt-3.5-turbo-0125",
    "gpt-4": "gpt-4-0613",
    "gpt-4-turbo": "gpt-4-turbo-2024-04-09",
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-4.1-nano": "gpt-4.1-nano-2025-04-14",
    "gpt-5": "gpt-5-2025-08-07",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
    "gpt-5-nano": "gpt-5-nano-2025-08-07",
    "o1": "o1-2024-12-17",
    "o3": "o3-2025-04-16",
    "o3-mini": "o3-mini-2025-01-31",
    "o4-mini": "o4-mini-2025-04-16",
}


def snapshot(model: str) -> str:
    """The dated model that the live API answers with; any other name is its own snapshot."""
    return _SNAPSHOTS.get(model, model)


def stop_sequences(value: Json) -> tuple[str, ...]:
    """The `stop` parameter: a text, or up to four."""
    texts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(text for text in texts if isinstance(text, str) and text)


def integer(body: JsonObject, name: str) -> int | None:
    """A whole number of the body; None where it is absent or something else."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        return None
    return int(value)


def pieces(choice: Choice) -> tuple[str, ...]:
    """The text of a choice as a stream cuts it."""
    text = choice.content if choice.refusal is None else choice.refusal
    return choice.deltas or ((text,) if text else ())


def tokens_per_piece(texts: tuple[str, ...], logprobs: tuple[TokenLogprob, ...]) -> list[int]:
    """How many tokens come with each delta: those that begin within it; the last one takes what is left."""
    counts, begun, length = [], 0, 0
    for end in accumulate(map(len, texts[:-1])):
        count = 0
        while begun < len(logprobs) and length < end:
            length += len(logprobs[begun].token)
            begun, count = begun + 1, count + 1
        counts.append(count)
    return [*counts, len(logprobs) - begun] if texts else []


def in_turn(streams: list[Iterator[bytes]]) -> Iterator[bytes]:
    """The frames of several choices, a frame of each in turn, as the live API mixes them."""
    while streams:
        for stream in list(streams):
            frame = next(stream, None)
            if frame is None:
                streams.remove(stream)
            else:
                yield frame


def compact(value: object) -> bytes:
    """JSON as it stands in a stream: compact, in the order given."""
    return orjson.dumps(value)


DONE = b"data: [DONE]\n\n"
