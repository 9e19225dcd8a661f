"""Bodies that are still compressed, decoded as their `content-encoding` says: where they still are."""

from replay_server.cassettes.decoding import DecodingError, decoder
from replay_server.cassettes.importers.items import Unimportable

MOST_BYTES = 256 * 1024 * 1024
"""A body that expands to more is a mistake or an attack."""

_PIECE = 65_536
_GZIP, _GZIP_NAMES = b"\x1f\x8b", ("gzip", "x-gzip")


def decoded(body: bytes, content_encoding: str) -> bytes:
    """The body without its content codings. Raises Unimportable where they cannot be undone.

    Tools keep the header although they have decoded the body: what is not coded then is left as it is.
    """
    try:
        return _decode(body, content_encoding) if body and content_encoding else body
    except DecodingError as error:
        if _is_decoded(body, content_encoding):
            return body
        raise Unimportable(f"has a body that cannot be decoded: {error}") from None


def _decode(body: bytes, content_encoding: str) -> bytes:
    """Piece by piece: a small body may expand without end."""
    undo, whole = decoder(content_encoding), bytearray()
    for start in range(0, len(body), _PIECE):
        whole += undo.feed(body[start : start + _PIECE])
        if len(whole) > MOST_BYTES:
            raise Unimportable(f"has a body that expands to more than {MOST_BYTES} bytes")
    undo.end()
    return bytes(whole)


def _is_decoded(body: bytes, content_encoding: str) -> bool:
    """Whether what could not be decoded was not coded at all: gzip has a mark, the others are no text."""
    if content_encoding.strip().lower() in _GZIP_NAMES:
        return not body.startswith(_GZIP)
    try:
        return "\0" not in body.decode()
    except UnicodeDecodeError:
        return False
