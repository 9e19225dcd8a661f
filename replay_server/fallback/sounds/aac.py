"""AAC-LC frames with nothing in them, in ADTS. Source: ISO/IEC 13818-7, sections 6.2 (ADTS) and 6.3 (data blocks)."""

_SAMPLES = 1024
# A single channel element without bands, then the end: 29 zeros and 111.
_BLOCK = b"\x00\x00\x00\x07"
_SIZE = 7 + len(_BLOCK)
# Sync, MPEG-4, no checksum; LC, 24 kHz, one channel; the frame's size in 13 bits; variable rate; one block.
_HEAD = bytes([0xFF, 0xF1, 0x58, 0x40, _SIZE >> 3, (_SIZE & 7) << 5 | 0x1F, 0xFC])


def aac(samples: int) -> bytes:
    """Silence, in whole frames."""
    return (_HEAD + _BLOCK) * -(-samples // _SAMPLES)
