"""Pictures are what they say: read by a library, they have the size and the colours that were painted."""

import hashlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from replay_server.fallback.pictures import ENCODERS, picture
from replay_server.fallback.pictures.canvas import Band, Canvas, Run
from replay_server.fallback.pictures.quilt import quilt

PATIENT = settings(deadline=None)
seeds = st.text(max_size=8)
sides = st.integers(1, 90)
forms = pytest.mark.parametrize("form", sorted(ENCODERS))


def opened(data: bytes, mode: str = "RGB") -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image.convert(mode)


def painted(canvas: Canvas) -> bytes:
    rows = [b"".join(bytes(canvas.palette[run.colour]) * run.length for run in band.runs) for band in canvas.bands]
    return b"".join(row * band.height for row, band in zip(rows, canvas.bands, strict=True))


@pytest.mark.parametrize("form", ["png", "webp"])
@PATIENT
@given(seed=seeds, width=sides, height=sides, shown=st.floats(0, 1))
def test_each_pixel_is_the_one_that_was_painted(form: str, seed: str, width: int, height: int, shown: float) -> None:
    image = opened(picture(seed, width, height, form, shown=shown))

    assert image.size == (width, height)
    assert image.tobytes() == painted(quilt(seed, width, height, shown=shown))


@PATIENT
@given(seed=seeds, width=sides, height=sides)
def test_a_jpeg_has_its_size_whatever_that_is(seed: str, width: int, height: int) -> None:
    assert opened(picture(seed, width, height, "jpeg")).size == (width, height)


def test_a_jpeg_of_a_usual_size_is_the_picture() -> None:
    exact, image = painted(quilt("a", 1024, 1024)), opened(picture("a", 1024, 1024, "jpeg")).tobytes()

    assert max(abs(left - right) for left, right in zip(exact, image, strict=True)) <= 3  # of a change of colour space


@pytest.mark.parametrize("form", ["png", "webp"])
def test_nothing_is_seen_of_a_transparent_background(form: str) -> None:
    canvas = quilt("a", 64, 64, transparent=True)
    pixels = opened(picture("a", 64, 64, form)).tobytes()
    background = [pixels[at : at + 3] == bytes(canvas.palette[0]) for at in range(0, len(pixels), 3)]

    alphas = opened(picture("a", 64, 64, form, transparent=True), "RGBA").getchannel("A").tobytes()

    assert [alpha == 0 for alpha in alphas] == background
    assert set(alphas) == {0, 255}


@forms
def test_another_seed_is_another_picture(form: str) -> None:
    assert len({picture(f"seed {number}", 256, 256, form) for number in range(50)}) == 50


@forms
@pytest.mark.parametrize("size", [(1024, 1024), (1536, 1024), (1024, 1792), (4096, 4096)], ids=str)
def test_a_picture_is_small(form: str, size: tuple[int, int]) -> None:
    data = picture("small", *size, form)

    assert opened(data).size == size
    assert len(data) < size[0] * size[1] // 40


def test_a_picture_has_the_same_bytes_everywhere() -> None:
    digest = hashlib.sha256(b"".join(picture("same", 256, 256, form) for form in sorted(ENCODERS)))

    assert digest.hexdigest() == "7bc9fd1f99334e1d702d5cfa25ac70d7655d4036764f2631b39a190dcdf1e255"


@forms
@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 257, 258, 259, 260, 261, 516, 518, 4096, 4097, 4099])
def test_runs_of_all_lengths_are_packed(form: str, length: int) -> None:
    canvas = Canvas(length, 3, ((0, 0, 0), (255, 200, 150)), (Band(3, (Run(length, 1),)),))

    image = opened(ENCODERS[form](canvas))

    assert image.size == (length, 3)
    assert image.getcolors() == [(length * 3, image.getpixel((0, 0)))]
