"""A soft tone, one note after the other: signed 16-bit samples, little end first, as the API's `pcm` has them."""

from array import array
from functools import cache
from sys import byteorder

from replay_server.fallback.draw import Draw

RATE = 24_000
"""Samples a second, of one channel, in every format."""
_NOTE = 6_000  # samples: a quarter of a second
_LOUDEST = 6_000  # of 32,767
_PERIODS = (92, 82, 72, 62, 54, 46)  # samples: five notes of a pentatonic scale from 261 Hz, and the first an octave up


def tone(seed: str, samples: int) -> bytes:
    """So many samples; another seed, another tune."""
    draw = Draw("tone", seed)
    whole, rest = divmod(samples, _NOTE)
    notes = [_note(draw.choice(_PERIODS), _NOTE) for _ in range(whole)]
    return b"".join(notes) + (_note(draw.choice(_PERIODS), rest) if rest else b"")


@cache
def _note(period: int, length: int) -> bytes:
    """A note that swells and fades. Whole numbers alone, as the sines of two machines differ in their last bits."""
    swell = max(1, length // 4)
    wave = [_wave(at, period) for at in range(period)]
    played = array("h", (wave[at % period] * min(at, length - at, swell) // swell for at in range(length)))
    if byteorder == "big":
        played.byteswap()
    return played.tobytes()


def _wave(at: int, period: int) -> int:
    """Two parabolas, which come near to a sine."""
    half = period // 2
    place = at % half
    height = 4 * _LOUDEST * place * (half - place) // (half * half)
    return height if at < half else -height
