"""Rows of runs, packed. Source: RFC 1950 and RFC 1951, with the fixed Huffman codes of section 3.2.6.

zlib packs somewhat better, and each build of it in its own way.
"""

from collections.abc import Iterator
from zlib import adler32

from replay_server.fallback.pictures.bits import code, low_first, number

Row = tuple[tuple[int, int], ...]
"""Lengths with the byte that comes as often."""

_LONGEST, _SHORTEST = 258, 3
_DISTANCES = (
    *(1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769),
    *(1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577),
)
_LENGTHS = (
    *(3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59),
    *(67, 83, 99, 115, 131, 163, 195, 227, 258),
)
_FIRST_LENGTH = 257


def packed(bands: Iterator[tuple[int, Row]]) -> bytes:
    """The zlib stream of rows: each band is a number of rows that are the same."""
    said = ["1" + number(1, 2)]  # the last block, with the fixed codes
    check = 1
    for height, row in bands:
        data = b"".join(bytes([value]) * length for length, value in row)
        check = adler32(data * height, check)
        said += [_run(value, length) for length, value in row]
        said.append(_again(data, (height - 1) * len(data), len(data)))
    said.append(_literal(256))
    return b"\x78\x01" + low_first("".join(said)) + check.to_bytes(4, "big")


def _run(value: int, length: int) -> str:
    return _literal(value) + _again(bytes([value]), length - 1, 1)


def _again(data: bytes, length: int, distance: int) -> str:
    """So many bytes like those at a distance; `data` is what comes there, for what is too short to be copied."""
    if length < _SHORTEST:
        return "".join(_literal(data[at % len(data)]) for at in range(length))
    whole, rest = divmod(length, _LONGEST)
    if 0 < rest < _SHORTEST:
        return _copy(_LONGEST, distance) * (whole - 1) + _split(_LONGEST + rest, distance)
    return _copy(_LONGEST, distance) * whole + (_copy(rest, distance) if rest else "")


def _split(length: int, distance: int) -> str:
    return _copy(length - _SHORTEST, distance) + _copy(_SHORTEST, distance)


def _literal(value: int) -> str:
    if value < 144:
        return code(0x30 + value, 8)
    if value < 256:
        return code(0x190 + value - 144, 9)
    return code(value - 256, 7) if value < 280 else code(0xC0 + value - 280, 8)


def _copy(length: int, distance: int) -> str:
    at = max(place for place, base in enumerate(_LENGTHS) if base <= length)
    extra = 0 if at < 8 or length == _LONGEST else at // 4 - 1
    found = _literal(_FIRST_LENGTH + at) + number(length - _LENGTHS[at], extra)
    far = max(place for place, base in enumerate(_DISTANCES) if base <= distance)
    return found + code(far, 5) + number(distance - _DISTANCES[far], max(0, far // 2 - 1))
