"""What is to be seen: a quilt of patches in a few colours that go together, the same on its left and on its right."""

from collections.abc import Callable, Iterator
from colorsys import hls_to_rgb
from itertools import chain

from replay_server.fallback.draw import Draw
from replay_server.fallback.pictures.canvas import Band, Canvas, Colour, Run, bands_of, runs_of

CELLS = 8
"""Cells along the side of a patch."""
_FEWEST, _MOST = 3, 6  # patches along the shorter side
_BLOCK = 8
"""JPEG knows blocks of as many pixels: cells that are as large come out of it as they are."""
_SHADES = ((0.30, 0.45), (0.50, 0.60), (0.68, 0.65), (0.82, 0.55))  # lightness and saturation
_TURNS = (0.0, 0.08, 0.5, 0.58)  # around the circle of hues: neighbours, and those across

Patch = tuple[tuple[int, ...], ...]
"""Rows of cells, each the place of its colour in the palette."""


def quilt(seed: str, width: int, height: int, *, transparent: bool = False, shown: float = 1.0) -> Canvas:
    """The quilt of a seed. Below what is `shown` of it there is the background alone."""
    draw = Draw("quilt", seed)
    palette = _palette(draw)
    rows = bands_of(_rows(draw, width, height, len(palette)))
    return Canvas(width, height, palette, tuple(_begun(rows, width, round(height * shown))), transparent)


def _palette(draw: Draw) -> tuple[Colour, ...]:
    """The background, and the colours on it."""
    hue = draw.fraction()
    shades = [_colour(hue + draw.choice(_TURNS), *shade) for shade in _SHADES]
    return (_colour(hue, 0.95, 0.35), *shades, _colour(hue + 0.5, 0.2, 0.3))


def _colour(hue: float, lightness: float, saturation: float) -> Colour:
    red, green, blue = (round(part * 255) for part in hls_to_rgb(hue % 1.0, lightness, saturation))
    return red, green, blue


def _rows(draw: Draw, width: int, height: int, colours: int) -> Iterator[tuple[int, tuple[Run, ...]]]:
    """The rows of all patches, with the border around them."""
    cell = _cell(min(width, height), draw.between(_FEWEST, _MOST))
    across, down = width // (cell * CELLS), height // (cell * CELLS)  # none at all in a picture smaller than a patch
    down = down if across else 0
    left, top = (width - across * cell * CELLS) // 2, (height - down * cell * CELLS) // 2
    left, top = left - left % _BLOCK, top - top % _BLOCK
    border = (Run(width, 0),)
    yield top, border
    for _ in range(down):
        half = [_patch(draw, colours) for _ in range((across + 1) // 2)]
        patches = half + [_mirrored(patch) for patch in reversed(half[: across // 2])]
        for row in zip(*patches, strict=True):
            cells = ((cell, colour) for colour in chain.from_iterable(row))
            right = width - left - across * cell * CELLS
            yield cell, runs_of(chain([(left, 0)], cells, [(right, 0)]))
    yield height - top - down * cell * CELLS, border


def _cell(side: int, patches: int) -> int:
    size = side // (patches * CELLS)
    return max(1, size - size % _BLOCK if size >= _BLOCK else size)


def _begun(bands: tuple[Band, ...], width: int, rows: int) -> Iterator[Band]:
    for height, runs in bands:
        done = min(height, max(0, rows))
        if done:
            yield Band(done, runs)
        if done < height:
            yield Band(height - done, (Run(width, 0),))
        rows -= height


# Patches -------------------------------------------------------------------------------------------------------------


def _patch(draw: Draw, colours: int) -> Patch:
    inks = draw.shuffled(range(colours))
    return draw.choice(_PATCHES)(inks)


def _mirrored(patch: Patch) -> Patch:
    return tuple(row[::-1] for row in patch)


def _nested(inks: list[int]) -> Patch:
    """Squares within each other."""
    last = CELLS - 1
    return tuple(tuple(inks[min(x, y, last - x, last - y)] for x in range(CELLS)) for y in range(CELLS))


def _framed(inks: list[int]) -> Patch:
    """A square with a wide frame."""
    inside = range(CELLS // 4, CELLS - CELLS // 4)
    return tuple(tuple(inks[1 if x in inside and y in inside else 0] for x in range(CELLS)) for y in range(CELLS))


def _checks(inks: list[int]) -> Patch:
    """Four squares, in two colours."""
    half = CELLS // 2
    return tuple(tuple(inks[(x // half + y // half) % 2] for x in range(CELLS)) for y in range(CELLS))


def _stripes(inks: list[int]) -> Patch:
    """Lying stripes."""
    return tuple((inks[y // 2 % 3],) * CELLS for y in range(CELLS))


def _bars(inks: list[int]) -> Patch:
    """Standing stripes."""
    return (tuple(inks[x // 2 % 3] for x in range(CELLS)),) * CELLS


def _stairs(inks: list[int]) -> Patch:
    """A corner filled up to its diagonal."""
    return tuple(tuple(inks[1 if x <= y else 0] for x in range(CELLS)) for y in range(CELLS))


_PATCHES: tuple[Callable[[list[int]], Patch], ...] = (_nested, _framed, _checks, _stripes, _bars, _stairs)
