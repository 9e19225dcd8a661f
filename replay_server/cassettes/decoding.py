"""Undoing the content coding of a body, piece by piece: gzip, deflate, br."""

import zlib
from collections.abc import Callable, Iterable
from typing import Protocol

CODINGS = ("gzip", "deflate")
"""Those that Python itself undoes."""
_AUTOMATIC = zlib.MAX_WBITS | 32  # gzip's header or zlib's
_NO_HEADER = -zlib.MAX_WBITS


class DecodingError(Exception):
    """A body that is not coded as its header says, or in a way that cannot be undone here."""


class Decoder(Protocol):
    """Undoes one coding."""

    def feed(self, data: bytes) -> bytes:
        """The next piece, decoded as far as it goes. Raises DecodingError."""

    def end(self) -> None:
        """There is no more. Raises DecodingError where something is missing."""


def decoder(content_encoding: str) -> Decoder:
    """The decoder for a header `content-encoding`. Raises DecodingError for a coding that is not known."""
    names = [name.strip().lower() for name in content_encoding.split(",")]
    return _Chain([_decoder(name) for name in reversed(names) if name not in ("", "identity")])


def decode(content_encoding: str, body: bytes) -> bytes:
    """A whole body, decoded. Raises DecodingError."""
    undo = decoder(content_encoding)
    decoded = undo.feed(body)
    undo.end()
    return decoded


def has_brotli() -> bool:
    """Whether `br` can be undone: the package is an extra."""
    try:
        import brotli  # noqa: F401 - only whether it is there
    except ImportError:
        return False
    return True


def _decoder(name: str) -> Decoder:
    made: dict[str, Callable[[], Decoder]] = {
        "gzip": _Zlib,
        "x-gzip": _Zlib,
        "deflate": _Zlib,
        "br": _Brotli,
    }
    if name not in made:
        raise DecodingError(f"the content coding {name!r} is not known here")
    return made[name]()


class _Chain:
    def __init__(self, decoders: Iterable[Decoder]) -> None:
        self._decoders = list(decoders)

    def feed(self, data: bytes) -> bytes:
        for each in self._decoders:
            data = each.feed(data)
        return data

    def end(self) -> None:
        for each in self._decoders:
            each.end()


class _Zlib:
    """gzip of several members, and deflate with or without zlib's header: servers send both."""

    def __init__(self) -> None:
        self._undo = zlib.decompressobj(_AUTOMATIC)
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        decoded = b""
        while data:
            if self._undo.eof:  # another member
                self._undo = zlib.decompressobj(_AUTOMATIC)
            decoded += self._decompress(data)
            data = self._undo.unused_data
        return decoded

    def _decompress(self, data: bytes) -> bytes:
        begun, self._begun = self._begun, True
        try:
            return self._undo.decompress(data)
        except zlib.error as error:
            if begun:
                raise DecodingError(f"the body is not coded as it says: {error}") from None
        self._undo = zlib.decompressobj(_NO_HEADER)
        return self._decompress(data)

    def end(self) -> None:
        if self._begun and not self._undo.eof:
            raise DecodingError("the body breaks off within its content coding")


class _Brotli:
    def __init__(self) -> None:
        try:
            import brotli
        except ImportError:
            raise DecodingError(
                "the content coding br needs the package brotli: pip install 'replay-server[brotli]'"
            ) from None
        self._undo = brotli.Decompressor()
        self._error: type[Exception] = brotli.error
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        self._begun = self._begun or bool(data)
        try:
            return bytes(self._undo.process(data))
        except self._error as error:
            raise DecodingError(f"the body is not coded as it says: {error}") from None

    def end(self) -> None:
        if self._begun and not self._undo.is_finished():
            raise DecodingError("the body breaks off within its content coding")
