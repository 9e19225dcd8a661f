"""WAV: samples with a head. Source: Multimedia Programming Interface and Data Specifications 1.0, "WAVE"."""

import struct

from replay_server.fallback.sounds.tone import RATE

_PCM, _CHANNELS, _BYTES = 1, 1, 2


def wav(samples: bytes) -> bytes:
    """The samples as a file."""
    form = struct.pack("<HHIIHH", _PCM, _CHANNELS, RATE, RATE * _BYTES, _BYTES, 8 * _BYTES)
    data = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(data) + 4) + b"WAVE" + data
