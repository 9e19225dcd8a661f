"""Embeddings as the wire has them: as numbers, or as 32-bit floats in base64, least byte first."""

import base64
import sys
from array import array
from typing import cast

from replay_server.endpoints.base import BadField
from replay_server.endpoints.short_form import items, optional
from replay_server.interaction import Json, JsonObject, Vector, VectorsReply

_FLOAT_BYTES = 4


def embeddings(reply: VectorsReply, *, in_base64: bool) -> list[Json]:
    """The `embedding` objects of a reply."""
    write = _in_base64 if in_base64 else _as_numbers
    return [
        {"object": "embedding", "index": index, "embedding": write(vector)}
        for index, vector in enumerate(reply.vectors)
    ]


def _in_base64(vector: Vector) -> str:
    return base64.b64encode(_least_byte_first(array("f", vector.values or ())).tobytes()).decode()


def _as_numbers(vector: Vector) -> Json:
    return list(vector.values or ())


def _least_byte_first(floats: "array[float]") -> "array[float]":
    if sys.byteorder == "big":
        floats.byteswap()
    return floats


def read_embeddings(body: Json) -> VectorsReply:
    """The reply that a wire answer holds. Raises BadField where it is no list of embeddings."""
    if not isinstance(body, dict) or not isinstance(body.get("data"), list):
        raise BadField((), "is no list of embeddings: it has no data")
    usage = optional(body, "usage", dict) or {}
    return VectorsReply(
        vectors=tuple(_read_vector(item, at) for at, item in enumerate(items(body, "data", dict))),
        prompt_tokens=optional(usage, "prompt_tokens", int),
        model=optional(body, "model", str),
    )


def _read_vector(item: JsonObject, at: int) -> Vector:
    value = item.get("embedding")
    if isinstance(value, list) and set(map(type, value)) <= {int, float}:
        return Vector(tuple(cast("list[float]", value)))
    if not isinstance(value, str):
        raise BadField(("data", at, "embedding"), "is neither a list of numbers nor base64")
    try:
        data = base64.b64decode(value, validate=True)
    except ValueError as error:
        raise BadField(("data", at, "embedding"), f"is not base64: {error}") from None
    return Vector(_least_byte_first(array("f", data[: len(data) // _FLOAT_BYTES * _FLOAT_BYTES])))
