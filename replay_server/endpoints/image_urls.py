"""Where this server shows a picture that it has painted: the URL says all of it, so that nothing needs to be kept."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from replay_server.endpoints.address import IMAGES

SEED = re.compile(r"[A-Za-z0-9_-]{1,64}")
LARGEST = 4096
"""Pixels along a side."""

_SIDE = "[0-9]{1,4}"
_NAME = re.compile(rf"(?P<seed>{SEED.pattern})-(?P<width>{_SIDE})x(?P<height>{_SIDE})\.(?P<format>png|jpeg|webp)")
_HOST = re.compile(r"[A-Za-z0-9.:_\[\]-]{1,255}")


class Painted(NamedTuple):
    """What is to be painted."""

    seed: str
    width: int
    height: int
    format: str


def origin(headers: Mapping[str, str]) -> str:
    """Where the client has reached us, as far as its request tells."""
    host = headers.get("host", "")
    scheme = "https" if headers.get("x-forwarded-proto", "").lower() == "https" else "http"
    return f"{scheme}://{host if _HOST.fullmatch(host) else 'localhost'}"


def image_url(origin: str, painted: Painted) -> str:
    """The URL of a picture."""
    return f"{origin}{IMAGES}/{painted.seed}-{painted.width}x{painted.height}.{painted.format}"


def read_name(name: str) -> Painted | None:
    """The picture with this file name, None where there is none."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    width, height = int(found["width"]), int(found["height"])
    if not (0 < width <= LARGEST and 0 < height <= LARGEST):
        return None
    return Painted(found["seed"], width, height, found["format"])
