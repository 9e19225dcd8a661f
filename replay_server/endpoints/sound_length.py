"""How long an uploaded sound is: a WAV says so, of any other the size gives an idea."""

import struct

from replay_server.endpoints.http_form import NotKept, bytes_of
from replay_server.interaction import Json

_BYTES_A_SECOND = 16_000
"""128 kbit/s: what speech is often packed to."""
_SHORTEST = 0.1


def wav_seconds(data: bytes) -> float | None:
    """How long a WAV is, None where it is none. Source: as in `fallback.sounds.wav`."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return None
    place, rate = 12, 0
    while place + 8 <= len(data):
        name, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        place += 8
        if name == b"fmt " and place + 16 <= len(data):
            (rate,) = struct.unpack_from("<I", data, place + 8)
        elif name == b"data":
            # A WAV that was written while it was made does not know its size.
            return round(min(size, len(data) - place) / rate, 2) if rate else None
        place += size + size % 2
    return None


def seconds_of(file: Json) -> float:
    """How long the sound in a file is, at least about."""
    if not isinstance(file, dict):
        return _SHORTEST
    seconds = file.get("seconds")
    if isinstance(seconds, int | float) and seconds > 0:
        return max(_SHORTEST, float(seconds))
    return max(_SHORTEST, round(size_of(file) / _BYTES_A_SECOND, 2))


def size_of(file: Json) -> int:
    """How many bytes a file has."""
    if not isinstance(file, dict):
        return 0
    size = file.get("bytes")
    if isinstance(size, int):
        return size
    try:
        return len(bytes_of(file.get("value", file)))
    except NotKept:
        return 0
