"""The short form of embeddings: numbers, or the text whose vector it is, for nobody writes 1,536 numbers by hand."""

from typing import cast

from replay_server.endpoints.base import BadField
from replay_server.endpoints.short_form import known, optional, required
from replay_server.interaction import Json, JsonObject, Vector, VectorsReply

VECTORS_FIELDS = ("embeddings", "usage", "model")

_LARGEST = 3.4028234e38
_ONE = "must be a list of numbers, or the text whose vector it is"


def read_vectors(short: JsonObject) -> VectorsReply:
    """Read `embeddings`: a vector, or a list of vectors. Raises BadField."""
    known(short, VECTORS_FIELDS)
    return VectorsReply(
        vectors=_read_all(short.get("embeddings")),
        prompt_tokens=_read_usage(optional(short, "usage", dict)),
        model=optional(short, "model", str),
    )


def write_vectors(reply: VectorsReply) -> JsonObject:
    """What its author must say, not what completing it fills in again."""
    vectors = [_write(vector) for vector in reply.vectors]
    return {"embeddings": vectors[0] if len(vectors) == 1 else vectors}


def _read_all(value: Json) -> tuple[Vector, ...]:
    if not value:
        raise BadField(("embeddings",), f"missing; it {_ONE}, or a list of these")
    if not isinstance(value, list) or not isinstance(value[0], str | list):
        return (_read(value, ("embeddings",)),)
    return tuple(_read(item, ("embeddings", at)) for at, item in enumerate(value))


def _read(value: Json, path: tuple[str | int, ...]) -> Vector:
    if isinstance(value, str) and value:
        return Vector(text=value)
    if not isinstance(value, list) or not value:
        raise BadField(path, _ONE)
    for at, number in enumerate(value):
        if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) <= _LARGEST:
            raise BadField((*path, at), f"must be a number that a 32-bit float can be, not {number!r}")
    return Vector(tuple(cast("list[float]", value)))


def _read_usage(usage: JsonObject | None) -> int | None:
    if usage is None:
        return None
    try:
        known(usage, ("prompt_tokens",))
        return required(usage, "prompt_tokens", int)
    except BadField as error:
        raise error.below("usage") from None


def _write(vector: Vector) -> Json:
    return list(vector.values or ()) if vector.text is None else vector.text
