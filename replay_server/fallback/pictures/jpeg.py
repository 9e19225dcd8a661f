"""Baseline JPEG of blocks that have one colour each: all there is of a block is its mean.

Source: ITU-T T.81, annexes B (markers), C and F (Huffman codes); JFIF 1.02 for colours.
"""

import struct
from collections.abc import Iterator

from replay_server.fallback.pictures.bits import code, high_first
from replay_server.fallback.pictures.canvas import Band, Canvas, Colour

_BLOCK = 8
_COMPONENTS = (1, 2, 3)  # Y, Cb, Cr
_SAME = "0"
"""The code of a difference of nothing; the other categories have five bits."""
_END_OF_BLOCK = "0"
_SAME_BLOCK = (_SAME + _END_OF_BLOCK) * 3
_CATEGORIES = range(1, 9)

_HEAD = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
# The mean of a block, times eight, is divided by this: what is left is the mean.
_QUANTIZATION = b"\xff\xdb\x00\x43\x00" + bytes([8]) * 64
_DC_CODES = b"\x00" + bytes([1, 0, 0, 0, 8, *[0] * 11]) + bytes([0, *_CATEGORIES])
_AC_CODES = b"\x10" + bytes([1, *[0] * 15]) + b"\x00"
_SCAN = b"\xff\xda\x00\x0c\x03\x01\x00\x02\x00\x03\x00\x00\x3f\x00"
_END = b"\xff\xd9"


def jpeg(canvas: Canvas) -> bytes:
    """The picture as JPEG: it has no transparency, so that the background is seen."""
    parts = b"".join(bytes([number, 0x11, 0]) for number in _COMPONENTS)
    frame = _segment(b"\xff\xc0", struct.pack(">BHHB", 8, canvas.height, canvas.width, 3) + parts)
    tables = _segment(b"\xff\xc4", _DC_CODES) + _segment(b"\xff\xc4", _AC_CODES)
    data = high_first("".join(_blocks(canvas))).replace(b"\xff", b"\xff\x00")
    return _HEAD + _QUANTIZATION + frame + tables + _SCAN + data + _END


def _segment(marker: bytes, data: bytes) -> bytes:
    return marker + struct.pack(">H", len(data) + 2) + data


def _blocks(canvas: Canvas) -> Iterator[str]:
    """The codes of all blocks, row by row, each told by its difference from the one before it."""
    palette = [_means(colour) for colour in canvas.palette]
    last: Colour = (0, 0, 0)
    for band in _block_rows(canvas):
        for count, colour in _at_blocks(band, canvas.width):
            means = palette[colour]
            yield "".join(_difference(new - old) for new, old in zip(means, last, strict=True))
            yield _SAME_BLOCK * (count - 1)
            last = means


def _block_rows(canvas: Canvas) -> Iterator[Band]:
    """For each row of blocks, the band that its middle lies in."""
    top, middle = 0, _BLOCK // 2
    for band in canvas.bands:
        top += band.height
        while middle < top:
            yield band
            middle += _BLOCK
    if middle - _BLOCK // 2 < canvas.height:  # half a block or less is left
        yield canvas.bands[-1]


def _at_blocks(band: Band, width: int) -> Iterator[tuple[int, int]]:
    """The colours that the middles of a row's blocks have, each with the number of blocks."""
    left, done = 0, 0
    for length, colour in band.runs:
        left += length
        count = (left + _BLOCK // 2 - 1) // _BLOCK - done
        if count:
            yield count, colour
            done += count
    if done * _BLOCK < width:
        yield 1, band.runs[-1].colour


def _means(colour: Colour) -> Colour:
    """Y, Cb and Cr about zero. In thousandths, so that no rounding differs between machines."""
    red, green, blue = colour
    luma = (299 * red + 587 * green + 114 * blue + 500) // 1000 - 128
    to_blue = (-169 * red - 331 * green + 500 * blue + 500) // 1000
    to_red = (500 * red - 419 * green - 81 * blue + 500) // 1000
    return luma, min(to_blue, 127), min(to_red, 127)


def _difference(value: int) -> str:
    if value == 0:
        return _SAME + _END_OF_BLOCK
    size = abs(value).bit_length()
    bits = value if value > 0 else value + (1 << size) - 1
    return code(0x10 + size - 1, 5) + code(bits, size) + _END_OF_BLOCK
