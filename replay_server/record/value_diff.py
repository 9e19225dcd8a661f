"""Where two answers of an endpoint that nobody here knows differ: by value, but for what is new with every call."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from typing import TypeGuard

from replay_server.cassettes.sameness import PER_CALL, lasting
from replay_server.cassettes.sse import json_chunks
from replay_server.interaction import Json, Recorded
from replay_server.keys import Difference, explain

_NEAR = 0.001
"""Embeddings of one text differ in their last digits from call to call."""
_FEWEST_OF_A_VECTOR = 8
_COUNTS = frozenset({"usage", "sequence_number"})
"""Members whose numbers tell nothing."""


def body_changes(old: Recorded, new: Recorded) -> list[Difference]:
    """The places where two bodies differ, each only once."""
    ours, theirs = _content(old), _content(new)
    if ours is None or theirs is None:
        return list(_bytes_changed(old.body, new.body))
    return list(_once(explain(ours, _aligned(ours, theirs))))


def _content(answer: Recorded) -> Json:
    """The JSON of an answer; None where it is none."""
    return _told(list(json_chunks(answer.body))) if answer.frames else lasting(answer.content)


def _once(changes: Iterator[Difference]) -> Iterator[Difference]:
    """Streams say a text in pieces, and then once more as a whole."""
    seen = set()
    for change in changes:
        pair = (repr(change.left), repr(change.right))
        if pair not in seen or not isinstance(change.left, str):
            yield change
        seen.add(pair)


# Streams -------------------------------------------------------------------------------------------------------------


def _told(chunks: Sequence[Json]) -> Json:
    """What the events of a stream say, by their types: the pieces of a text joined, other values as they come anew."""
    told: dict[str, dict[str, list[Json]]] = {}
    for chunk in chunks:
        if isinstance(chunk, dict):
            kind = chunk.get("type") or chunk.get("object") or "event"
            for path, value in _leaves(chunk, ""):
                values = told.setdefault(str(kind), {}).setdefault(path, [])
                if _is_piece(path) or value not in values:
                    values.append(value)
    return {
        kind: {path: _joined(path, values) for path, values in paths.items()} for kind, paths in told.items()
    } or None


def _leaves(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict):
        for name, member in value.items():
            if name not in PER_CALL and name not in _COUNTS:
                yield from _leaves(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _leaves(item, f"{path}[{at}]")
    else:
        yield path, value


def _is_piece(path: str) -> bool:
    """Whether a value is a piece of a text: below `delta`, but for what kind of piece it is."""
    steps = path.split(".")
    return "delta" in steps and steps[-1] != "type"


def _joined(path: str, values: list[Json]) -> Json:
    if _is_piece(path) and all(isinstance(value, str) for value in values):
        return "".join(map(str, values))
    return values[0] if len(values) == 1 else values


# Numbers -------------------------------------------------------------------------------------------------------------


def _aligned(old: Json, new: Json, *, counts: bool = False) -> Json:
    """`new`, with the old value in the place of each that is as good. `counts`: numbers are counts of tokens."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {
            name: _aligned(old[name], value, counts=counts or name in _COUNTS) if name in old else value
            for name, value in new.items()
        }
    if _is_vector(old) and _is_vector(new) and _near(old, new):
        return old
    if isinstance(old, list) and isinstance(new, list):
        return [_aligned(*pair, counts=counts) for pair in zip(old, new, strict=False)] + new[len(old) :]
    return old if counts and _is_number(old) and _is_number(new) else new


def _is_vector(value: Json) -> TypeGuard[list[Json]]:
    return isinstance(value, list) and len(value) >= _FEWEST_OF_A_VECTOR and all(map(_is_number, value))


def _is_number(value: Json) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _near(old: list[Json], new: list[Json]) -> bool:
    """Whether two lists of numbers are the same but for their last digits."""
    pairs = [(left, right) for left, right in zip(old, new, strict=False) if _is_number(left) and _is_number(right)]
    return len(pairs) == len(old) == len(new) and all(
        math.isclose(left, right, rel_tol=_NEAR, abs_tol=_NEAR) for left, right in pairs
    )


# Bytes ---------------------------------------------------------------------------------------------------------------


def _bytes_changed(old: bytes, new: bytes) -> Iterator[Difference]:
    if old != new:
        texts = _text(old), _text(new)
        yield Difference("body", *(texts if None not in texts else (_summary(old), _summary(new))))


def _text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _summary(body: bytes) -> str:
    """`44 bytes, sha256 9f86d081`."""
    return f"{len(body)} bytes, sha256 {hashlib.sha256(body).hexdigest()[:8]}"
