"""PNG, each pixel a byte that names its colour. Source: PNG Specification, third edition, sections 5, 11.2 and 11.3."""

import struct
from collections.abc import Iterator
from zlib import crc32

from replay_server.fallback.pictures.canvas import Canvas
from replay_server.fallback.pictures.deflate import Row, packed

_PALETTE = 3
_NO_FILTER = (1, 0)  # the byte before each row


def png(canvas: Canvas) -> bytes:
    """The picture as PNG."""
    head = struct.pack(">IIBBBBB", canvas.width, canvas.height, 8, _PALETTE, 0, 0, 0)
    colours = bytes(part for colour in canvas.palette for part in colour)
    clear = _chunk(b"tRNS", b"\0") if canvas.transparent else b""
    data = _chunk(b"IDAT", packed(_bands(canvas)))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"PLTE", colours) + clear + data + _chunk(b"IEND", b"")


def _bands(canvas: Canvas) -> Iterator[tuple[int, Row]]:
    return ((band.height, (_NO_FILTER, *band.runs)) for band in canvas.bands)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc32(name + data))
