"""What the live embeddings API refuses."""

from replay_server.endpoints import refusals
from replay_server.endpoints.description import request_schema
from replay_server.endpoints.embedding_request import most_dimensions
from replay_server.endpoints.validation import check
from replay_server.errors import BadRequest
from replay_server.interaction import Json, JsonObject

_MOST_INPUTS = 2048
_MOST_TOKENS = 8192
_NO_DIMENSIONS = ("text-embedding-ada-002",)


def check_embedding(body: JsonObject) -> None:
    """Raise the BadRequest that the live API answers with, if it refuses the request.

    How many tokens a text has is not looked at: that is an estimate, and a refusal must be sure.
    """
    if body.get("model") in (None, ""):
        raise BadRequest("you must provide a model parameter")
    value = body.get("input")
    if _is_empty(value):
        raise BadRequest(
            "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference."
        )
    check({**body, "input": _sample(value)} if "input" in body else body, request_schema("createEmbedding"))
    inputs = [value] if not isinstance(value, list) or isinstance(value[0], int) else value
    if len(inputs) > _MOST_INPUTS:
        raise refusals.wrong_length("input", "array", "above", _MOST_INPUTS, len(inputs))
    for each in inputs:
        _check_tokens(each)
    _check_dimensions(str(body["model"]), body.get("dimensions"))


def _is_empty(value: Json) -> bool:
    return value in ("", []) or (isinstance(value, list) and ("" in value or [] in value))


def _sample(value: Json) -> Json:
    """The input, where all its items are of one type only the first: tokens come by the thousand, and are all alike."""
    if not isinstance(value, list):
        return value
    types = set(map(type, value))
    if types == {list}:
        samples = list(map(_sample, value))
        return samples[:1] if all(len(sample) == 1 for sample in samples if isinstance(sample, list)) else samples
    return value[:1] if len(types) == 1 and types <= {int, str} else value


def _check_tokens(value: Json) -> None:
    count = len(value) if isinstance(value, list) else 0
    if count > _MOST_TOKENS:
        raise BadRequest(
            f"This model's maximum context length is {_MOST_TOKENS} tokens, however you requested {count} tokens "
            f"({count} in your prompt; 0 for the completion). Please reduce your prompt; or completion length."
        )


def _check_dimensions(model: str, dimensions: Json) -> None:
    if not isinstance(dimensions, int | float):
        return
    if model in _NO_DIMENSIONS:
        raise BadRequest("This model does not support specifying dimensions.")
    most = most_dimensions(model)
    if dimensions > most:
        raise BadRequest(
            f"Invalid value for 'dimensions' = {refusals.number(dimensions)}. Must be less than or equal to {most}."
        )
