"""Lossless WebP without transforms. Source: RFC 9649, sections 2.3 and 3, and the order of bits in section 3.4."""

import struct
from collections.abc import Iterator

from replay_server.fallback.pictures.bits import code, low_first, number
from replay_server.fallback.pictures.canvas import Band, Canvas

_LITERALS, _LENGTHS = 256, 24
_SHORT_CODES = 232
"""Symbols of the green alphabet that have eight bits; the others have nine, so that the code is complete."""
_LONGEST = 4096
_ABOVE, _LEFT = "0", "1"
"""The codes of the two distances that are used."""
_SYMBOL_ORDER = (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9)


def webp(canvas: Canvas) -> bytes:
    """The picture as WebP."""
    head = number(canvas.width - 1, 14) + number(canvas.height - 1, 14) + number(canvas.transparent, 1) + "000"
    data = b"\x2f" + low_first(head + "000" + _codes(canvas.transparent) + "".join(_pixels(canvas)))
    padded = data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(padded) + 12) + b"WEBPVP8L" + struct.pack("<I", len(data)) + padded


# Codes ---------------------------------------------------------------------------------------------------------------


def _codes(transparent: bool) -> str:
    """How green with the lengths, red, blue, alpha and the distances are coded."""
    nines = _LITERALS + _LENGTHS - _SHORT_CODES
    green = _lengths("0" * _SHORT_CODES + "1" * nines)
    channel = _lengths("0" * _LITERALS)
    alpha = "111" + number(0, 8) + number(255, 8) if transparent else "101" + number(255, 8)
    distance = "110" + number(0, 1) + number(1, 8)
    return green + channel + channel + alpha + distance


def _lengths(told: str) -> str:
    """The lengths of an alphabet's codes, each a bit: eight, or nine."""
    order = "".join(number(1 if symbol in (8, 9) else 0, 3) for symbol in _SYMBOL_ORDER)
    return "0" + number(len(_SYMBOL_ORDER) - 4, 4) + order + "0" + told


def _green(symbol: int) -> str:
    if symbol < _SHORT_CODES:
        return code(symbol, 8)
    return code(2 * _SHORT_CODES + symbol - _SHORT_CODES, 9)


# Pixels --------------------------------------------------------------------------------------------------------------


def _pixels(canvas: Canvas) -> Iterator[str]:
    for band in canvas.bands:
        yield from _row(band, canvas)
        yield from _copies((band.height - 1) * canvas.width, _ABOVE)


def _row(band: Band, canvas: Canvas) -> Iterator[str]:
    for length, colour in band.runs:
        red, green, blue = canvas.palette[colour]
        alpha = str(int(colour != 0)) if canvas.transparent else ""
        yield _green(green) + code(red, 8) + code(blue, 8) + alpha
        yield from _copies(length - 1, _LEFT)


def _copies(length: int, distance: str) -> Iterator[str]:
    whole, rest = divmod(length, _LONGEST)
    yield (_length(_LONGEST) + distance) * whole
    if rest:
        yield _length(rest) + distance


def _length(value: int) -> str:
    """The prefix of a length, and its extra bits."""
    if value <= 4:
        return _green(_LITERALS + value - 1)
    size = (value - 1).bit_length() - 1
    second = (value - 1) >> (size - 1) & 1
    extra = size - 1
    return _green(_LITERALS + 2 * size + second) + number((value - 1) & ((1 << extra) - 1), extra)
