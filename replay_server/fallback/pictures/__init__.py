"""Pictures that are drawn from a seed: a quilt of squares and stripes, as PNG, JPEG or WebP.

The formats are written here, and not by a library: the same seed must give the same bytes everywhere, and each version
of a codec, or of zlib, packs a picture in its own way. A quilt is made of rectangles, so little is needed of a format.
"""

from collections.abc import Callable, Mapping

from replay_server.fallback.pictures.canvas import Canvas
from replay_server.fallback.pictures.jpeg import jpeg
from replay_server.fallback.pictures.png import png
from replay_server.fallback.pictures.quilt import quilt
from replay_server.fallback.pictures.webp import webp

ENCODERS: Mapping[str, Callable[[Canvas], bytes]] = {"png": png, "jpeg": jpeg, "webp": webp}


def picture(
    seed: str, width: int, height: int, form: str = "png", *, transparent: bool = False, shown: float = 1.0
) -> bytes:
    """A picture in one of the formats. `shown` is how much of it is there yet, from the top."""
    return ENCODERS[form](quilt(seed, width, height, transparent=transparent, shown=shown))
