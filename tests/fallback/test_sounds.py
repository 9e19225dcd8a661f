"""Sounds are what they say: decoded by a library, they have the length that was asked."""

import hashlib
import io
from array import array

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay_server.fallback.sounds import SILENT, sound
from replay_server.fallback.sounds.tone import RATE, tone

FRAMES = {"wav": 1, "flac": 1, "opus": 1, "mp3": 576, "aac": 1024}
"""Samples of what a format cannot divide."""


def decoded(data: bytes) -> tuple[str, float]:
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        seconds = sum(frame.samples for frame in container.decode(stream)) / stream.rate
        return stream.codec_context.name, seconds


@pytest.mark.parametrize(
    ("form", "codec"),
    [("wav", "pcm_s16le"), ("flac", "flac"), ("opus", "opus"), ("mp3", "mp3float"), ("aac", "aac")],
    ids=str,
)
@settings(deadline=None, max_examples=30)
@given(samples=st.integers(RATE // 10, RATE * 4))
def test_a_sound_is_as_long_as_was_asked(form: str, codec: str, samples: int) -> None:
    name, seconds = decoded(sound("a", samples / RATE, form))

    assert name == codec
    assert 0 <= round(seconds * RATE) - samples < FRAMES[form]


@pytest.mark.parametrize("form", sorted(SILENT))
def test_a_long_sound_is_whole(form: str) -> None:
    data = sound("a", 600, form)

    assert decoded(data)[1] == pytest.approx(600, abs=0.05)
    assert len(data) < 600 * 1024


@given(seconds=st.floats(0.01, 3))
def test_a_tone_swells_from_silence_and_fades_into_it(seconds: float) -> None:
    played = array("h", tone("a", round(seconds * RATE)))

    assert len(played) == round(seconds * RATE)
    assert played[0] == 0
    assert max(map(abs, played)) <= 6_000
    assert len(played) < RATE or max(played) > 5_000


def test_another_seed_is_another_tune() -> None:
    assert len({tone(f"seed {number}", RATE * 2) for number in range(50)}) == 50


def test_a_sound_has_the_same_bytes_everywhere() -> None:
    digest = hashlib.sha256(b"".join(sound("same", 2.5, form) for form in (*sorted(SILENT), "pcm", "wav")))

    assert digest.hexdigest() == "c95d1984704c59b0de310e298f5341a12228bcda968d96f998cb9e34aec484ba"
