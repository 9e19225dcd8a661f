"""What the image models differ in. Wire facts: OpenAI's API description 2.3.0 and its page on image generation."""

import re
from collections.abc import Mapping

from replay_server.endpoints.image_urls import LARGEST
from replay_server.endpoints.text import integer
from replay_server.interaction import ImagesWanted, JsonObject, Prompt

GPT_ONLY = (
    "background",
    "input_fidelity",
    "moderation",
    "output_compression",
    "output_format",
    "partial_images",
    "stream",
)
"""Parameters that DALL·E does not have."""
DALL_E_ONLY = ("response_format", "style")
"""Parameters that the GPT models do not have."""

SQUARE = (1024, 1024)
# Tokens of a picture that is square, upright, lying.
_TOKENS: Mapping[str, tuple[int, int, int]] = {
    "low": (272, 408, 400),
    "medium": (1056, 1584, 1568),
    "high": (4160, 6240, 6208),
}
_USUAL_QUALITY = "medium"
"""What `auto` turns out to be."""
_IMAGE_TOKENS = 323
"""What a picture that is sent costs, about."""
_SIZE = re.compile(r"([0-9]{1,4})x([0-9]{1,4})")


def model_of(body: JsonObject, usual: str) -> str:
    """The model that answers: where none is named the usual one, or a GPT one if only that has what is asked."""
    named = body.get("model")
    if isinstance(named, str) and named:
        return named
    return "gpt-image-1" if any(name in body for name in GPT_ONLY) else usual


def is_dall_e(model: str) -> bool:
    """Whether a model is one of the DALL·E models."""
    return model.startswith("dall-e")


def is_gpt(model: str) -> bool:
    """Whether a model is one of the GPT image models, which answer with the picture itself and say what it costs."""
    return model.startswith(("gpt-image", "chatgpt-image"))


def wants_url(body: JsonObject, model: str) -> bool:
    """Whether the answer names URLs."""
    return not is_gpt(model) and body.get("response_format") != "b64_json" and body.get("stream") is not True


def quality_of(body: JsonObject) -> str:
    """The quality of a GPT model's picture."""
    quality = body.get("quality")
    return quality if isinstance(quality, str) and quality in _TOKENS else _USUAL_QUALITY


def size_of(body: JsonObject) -> tuple[int, int]:
    """Width and height: a square, where nobody says otherwise."""
    found = _SIZE.fullmatch(str(body.get("size")))
    width, height = (int(found[1]), int(found[2])) if found else SQUARE
    return (width, height) if 0 < width <= LARGEST and 0 < height <= LARGEST else SQUARE


def format_of(body: JsonObject) -> str:
    """`png`, `jpeg` or `webp`."""
    form = body.get("output_format")
    return form if form in ("jpeg", "webp") and isinstance(form, str) else "png"


def images_wanted(body: JsonObject, model: str, pictures: int = 0) -> ImagesWanted:
    """What a request asks for, that sends so many pictures."""
    width, height = size_of(body)
    prompt = body.get("prompt")
    n = integer(body, "n")
    shape = (width < height) + 2 * (width > height)
    return ImagesWanted(
        prompt=Prompt(text=prompt if isinstance(prompt, str) else "", framing_tokens=pictures * _IMAGE_TOKENS),
        n=1 if n is None else max(1, min(n, 10)),
        width=width,
        height=height,
        format=format_of(body),
        transparent=body.get("background") == "transparent",
        partial_images=max(0, min(integer(body, "partial_images") or 0, 3)) if body.get("stream") is True else 0,
        by_url=wants_url(body, model),
        revises=model == "dall-e-3",
        output_tokens=_TOKENS[quality_of(body)][shape],
    )
