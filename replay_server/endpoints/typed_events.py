"""Streams whose events say what they are: JSON with a `type` as its first member."""

from collections.abc import Mapping

import orjson

from replay_server.interaction import Json

_HEAD = 200
"""Bytes of an event in which its type is looked for: what follows may be a picture."""


def event(value: Mapping[str, Json], *, named: bool = False) -> bytes:
    """A frame. `named`: its type stands on a line of its own too."""
    head = b"event: %b\n" % str(value["type"]).encode() if named else b""
    return b"%bdata: %b\n\n" % (head, orjson.dumps(value))


def says(data: bytes, kind: str) -> bool:
    """Whether a frame's data is an event of a type, or of one that ends like it: `.delta`."""
    return kind.encode() + b'"' in data[:_HEAD]


def ends(data: bytes, last: str) -> bool:
    """Whether a frame's data is what ends a stream: its last event, or `[DONE]`, which some servers add."""
    return data == b"[DONE]" or says(data, last)
