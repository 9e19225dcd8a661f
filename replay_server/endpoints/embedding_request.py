"""What a request for embeddings says: its inputs, and how many dimensions they get. Total functions."""

from replay_server.endpoints.text import integer
from replay_server.interaction import Json, JsonObject, Prompt
from replay_server.keys import normalise

_DIMENSIONS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
_OTHER_DIMENSIONS = 1536
_LONGEST = 16_384
"""Dimensions: more than any model has, and few enough for a vector to be made of."""


def default_dimensions(model: str) -> int:
    """How long a model's vectors are where nobody asks for a length."""
    return _DIMENSIONS.get(model, _OTHER_DIMENSIONS)


def most_dimensions(model: str) -> int:
    """How long a model's vectors can be."""
    return _DIMENSIONS.get(model, _LONGEST)


def shape_of_dimensions(body: JsonObject) -> Json:
    """The dimensions asked for; None where they are those that the model has anyway."""
    asked, model = normalise(body["dimensions"]), body.get("model")
    has_them_anyway = integer(body, "dimensions") == default_dimensions(model if isinstance(model, str) else "")
    return None if has_them_anyway else asked


def canonical_input(value: Json) -> Json:
    """The input: a list of one text, or of one list of tokens, is that text or those tokens."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str | list):
        return canonical_input(value[0])
    return _normalised(value)


def _normalised(value: Json) -> Json:
    if not isinstance(value, list):
        return normalise(value)
    if set(map(type, value)) <= {int}:  # thousands of tokens: there is nothing to normalise
        return value
    return [_normalised(item) for item in value]


def prompts(value: Json) -> tuple[Prompt, ...]:
    """A text, several texts, a list of token ids (one input), or several of those."""
    if not isinstance(value, list):
        return (_prompt(value),)
    if value and set(map(type, value)) == {int}:
        return (_prompt(value),)
    return tuple(map(_prompt, value))


def _prompt(value: Json) -> Prompt:
    if isinstance(value, list):
        return Prompt(token_ids=tuple(token for token in value if isinstance(token, int)))
    return Prompt(text=value if isinstance(value, str) else "")
