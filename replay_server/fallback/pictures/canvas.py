"""A picture as the encoders take it: bands of equal rows, each a row of runs of one colour."""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

Colour = tuple[int, int, int]
"""Red, green and blue, each from 0 to 255."""


class Run(NamedTuple):
    """Pixels side by side that have one colour: its place in the palette."""

    length: int
    colour: int


class Band(NamedTuple):
    """Rows one below the other that are the same."""

    height: int
    runs: tuple[Run, ...]


class Canvas(NamedTuple):
    """A picture. With `transparent`, nothing is to be seen of the palette's first colour."""

    width: int
    height: int
    palette: tuple[Colour, ...]
    bands: tuple[Band, ...]
    transparent: bool = False


def runs_of(cells: Iterator[tuple[int, int]]) -> tuple[Run, ...]:
    """Runs of cells, each with its length and colour: neighbours of one colour become one run."""
    grouped = groupby(((length, colour) for length, colour in cells if length), key=lambda cell: cell[1])
    return tuple(Run(sum(length for length, _ in group), colour) for colour, group in grouped)


def bands_of(rows: Iterator[tuple[int, tuple[Run, ...]]]) -> tuple[Band, ...]:
    """Bands of rows, each with its height: neighbours that are the same become one band."""
    grouped = groupby(((height, runs) for height, runs in rows if height), key=lambda row: row[1])
    return tuple(Band(sum(height for height, _ in group), runs) for runs, group in grouped)
