"""Opus frames with nothing in them, in Ogg. Sources: RFC 7845 (Opus in Ogg), RFC 6716 section 3.1, RFC 3533."""

import struct

from replay_server.fallback.sounds.crc import Crc
from replay_server.fallback.sounds.tone import RATE

_CLOCK = 48_000  # positions count at this rate, whatever was recorded
_FRAME = _CLOCK // 50
_LEAD = 312
"""Samples that a decoder needs to settle, and leaves out."""
_SILENCE = b"\xf8\xff\xfe"  # full band, 20 ms, one channel
_PACKETS = 50  # on a page
_FIRST, _LAST = 2, 4
_STREAM = 1
_MAKER = b"replay-server"
_CRC = Crc(0x04C11DB7, 32)


def opus(samples: int) -> bytes:
    """Silence of exactly so many samples: the last position says where it ends."""
    length = samples * _CLOCK // RATE + _LEAD
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, _LEAD, RATE, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", len(_MAKER)) + _MAKER + struct.pack("<I", 0)
    pages = [_page(0, 0, [head], _FIRST), _page(1, 0, [tags])]
    packets = -(-length // _FRAME)
    for number, start in enumerate(range(0, packets, _PACKETS), start=2):
        end = min(start + _PACKETS, packets)
        last = end == packets
        position = length if last else end * _FRAME
        pages.append(_page(number, position, [_SILENCE] * (end - start), _LAST if last else 0))
    return b"".join(pages)


def _page(number: int, position: int, packets: list[bytes], kind: int = 0) -> bytes:
    sizes = bytes(len(packet) for packet in packets)
    head = struct.pack("<4sBBqII", b"OggS", 0, kind, position, _STREAM, number)
    rest = bytes([len(sizes)]) + sizes + b"".join(packets)
    check = _CRC.of(head + bytes(4) + rest)
    return head + struct.pack("<I", check) + rest
