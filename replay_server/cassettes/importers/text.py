"""Text of a file as the bytes that went over the wire, and JSON values as JSON text."""

import base64
import binascii
import json

import orjson

from replay_server.cassettes.importers.items import Unimportable

_DEEPEST = 200
_MOST_VALUES = 5_000_000


def encoded(text: str, charset: str = "utf-8") -> bytes:
    """The bytes of a text. What could not be decoded when it was saved stands in it as surrogates."""
    for errors in ("strict", "surrogateescape", "surrogatepass"):
        try:
            return text.encode(charset if errors == "strict" else "utf-8", errors)
        except (LookupError, ValueError):
            continue
    raise Unimportable("holds text that no bytes stand for")


def whole_characters(text: str) -> str:
    """A text with a question mark for each half of a character: these have no place in UTF-8."""
    return text.encode("utf-8", "replace").decode()


def from_base64(text: str) -> bytes:
    """The bytes that a text in base64 holds."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unimportable(f"holds a body that is not base64: {error}") from None


def load_json(data: bytes) -> object:
    """The JSON value that a file holds. Raises Unimportable."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        return _load_lenient_json(data, str(error))


def _load_lenient_json(data: bytes, problem: str) -> object:
    """As Python's own module writes it, which the tools use: with half surrogates, and after a byte order mark."""
    try:
        return json.loads(data.decode("utf-8-sig", "surrogateescape"), parse_constant=_refuse_constant)
    except (json.JSONDecodeError, RecursionError):
        raise Unimportable(f"is not JSON: {problem}") from None


def _refuse_constant(word: str) -> object:
    raise Unimportable(f"holds {word}, which JSON has not")


def json_text(value: object) -> bytes:
    """The compact JSON text of a value. Raises Unimportable for one that has none."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return _lenient_json_text(value)


def _lenient_json_text(value: object) -> bytes:
    """What orjson does not take: half surrogates, keys that are no texts, integers of more than 64 bits."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise Unimportable(f"holds a body that is no JSON: {error}") from None


def check_size(value: object) -> None:
    """Raise Unimportable for a value that is endless, or as good as: aliases make a small file expand."""
    waiting, values = [(value, 0)], 0
    while waiting:
        outer, depth = waiting.pop()
        members = outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list | tuple) else ()
        values += len(members)
        if depth > _DEEPEST or values > _MOST_VALUES:
            raise Unimportable(f"expands to more than {_MOST_VALUES} values, or lies more than {_DEEPEST} deep")
        waiting += [(member, depth + 1) for member in members if isinstance(member, dict | list | tuple)]
