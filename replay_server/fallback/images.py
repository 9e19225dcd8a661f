"""Pictures for whoever asks: painted from a seed that the key gives, or that the author of a cassette names."""

from dataclasses import replace
from hashlib import sha256

from replay_server.fallback.draw import Draw
from replay_server.fallback.pictures import picture
from replay_server.fallback.prose import Prose
from replay_server.fallback.tokens import prompt_tokens
from replay_server.fallback.topic import topic_of
from replay_server.interaction import ImagesReply, ImagesWanted, Picture, Usage

_PARTIAL_TOKENS = 100
"""What each picture that is shown before it is done costs."""


def images_reply(wanted: ImagesWanted, key: str) -> ImagesReply:
    """Make pictures up."""
    images = tuple(Picture(seed=_seed(key, at), revised_prompt=_revised(wanted, key, at)) for at in range(wanted.n))
    return complete_images(wanted, ImagesReply(images=images), key)


def complete_images(wanted: ImagesWanted, reply: ImagesReply, key: str) -> ImagesReply:
    """The reply with what its author left out painted."""
    images = tuple(_painted(wanted, image, key, at) for at, image in enumerate(reply.images))
    return replace(reply, images=images, usage=reply.usage or _usage(wanted, len(images)))


def _seed(key: str, at: int) -> str:
    return sha256(f"{key} image {at}".encode()).hexdigest()[:32]


def _painted(wanted: ImagesWanted, image: Picture, key: str, at: int) -> Picture:
    if image.data is not None or image.url is not None:
        return image
    seed = image.seed or _seed(key, at)
    if wanted.by_url:
        return replace(image, seed=seed)
    count = wanted.partial_images
    partials = tuple(_paint(wanted, seed, (place + 1) / (count + 1)) for place in range(count))
    return replace(image, seed=seed, data=_paint(wanted, seed), partials=partials)


def _paint(wanted: ImagesWanted, seed: str, shown: float = 1.0) -> bytes:
    size = (wanted.width, wanted.height)
    return picture(seed, *size, wanted.format, transparent=wanted.transparent, shown=shown)


def _revised(wanted: ImagesWanted, key: str, at: int) -> str | None:
    if not wanted.revises:
        return None

    sentence = Prose(topic_of(wanted.prompt.text), Draw(key, "revised", at), at).sentence()
    return f"{wanted.prompt.text.strip().rstrip('.')}. {sentence}"


def _usage(wanted: ImagesWanted, count: int) -> Usage:
    each = wanted.output_tokens + _PARTIAL_TOKENS * wanted.partial_images
    asked = prompt_tokens(wanted.prompt)
    return Usage(prompt_tokens=asked, completion_tokens=count * each, image_tokens=wanted.prompt.framing_tokens)
