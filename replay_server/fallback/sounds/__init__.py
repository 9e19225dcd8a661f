"""Sounds of a length: a soft tone as WAV and PCM, silence in the formats that pack.

Written here, and not by a library: the same request must give the same bytes everywhere, and each version of a codec
packs in its own way. Silence needs little of a format.
"""

from collections.abc import Callable, Mapping

from replay_server.fallback.sounds.aac import aac
from replay_server.fallback.sounds.flac import flac
from replay_server.fallback.sounds.mp3 import mp3
from replay_server.fallback.sounds.opus import opus
from replay_server.fallback.sounds.tone import RATE, tone
from replay_server.fallback.sounds.wav import wav

SILENT: Mapping[str, Callable[[int], bytes]] = {"mp3": mp3, "opus": opus, "aac": aac, "flac": flac}
"""By format, silence of so many samples."""


def sound(seed: str, seconds: float, form: str) -> bytes:
    """A sound of this length in one of the formats; in those that pack, of the next whole frame."""
    samples = max(1, round(seconds * RATE))
    if form in SILENT:
        return SILENT[form](samples)
    played = tone(seed, samples)
    return wav(played) if form == "wav" else played
