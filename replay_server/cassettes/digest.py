"""What tells a document from any other one, wherever it stands: its place and its comments do not count."""

import hashlib
from dataclasses import fields

import orjson

from replay_server.interaction import Interaction

# Where a document stands, and what is made of it; all else is what it says.
_NOT_SAID = frozenset({"cassette", "place", "line", "templates"})
_SAID = tuple(each.name for each in fields(Interaction) if each.name not in _NOT_SAID)
_DIGITS = 32


def digest(interaction: Interaction) -> str:
    """The digest of a document: 32 hex digits."""
    said = {name: value for name in _SAID if (value := getattr(interaction, name)) is not None}
    return hashlib.sha256(_text(said)).hexdigest()[:_DIGITS]


def _text(said: dict[str, object]) -> bytes:
    try:
        return orjson.dumps(said, default=_bytes, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # YAML has numbers that JSON has not
        return repr(sorted(said.items())).encode(errors="surrogatepass")


def _bytes(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    raise TypeError(f"a document holds no {type(value).__name__}")
