"""What a request for a moderation says, and the categories that there are. Total functions."""

from collections.abc import Iterator, Mapping

from replay_server.interaction import Json, Judged
from replay_server.keys import normalise

_TEXT = ("text",)
_BOTH = ("text", "image")

CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "harassment": _TEXT,
    "harassment/threatening": _TEXT,
    "hate": _TEXT,
    "hate/threatening": _TEXT,
    "illicit": _TEXT,
    "illicit/violent": _TEXT,
    "self-harm": _BOTH,
    "self-harm/instructions": _BOTH,
    "self-harm/intent": _BOTH,
    "sexual": _BOTH,
    "sexual/minors": _TEXT,
    "violence": _BOTH,
    "violence/graphic": _BOTH,
}
"""Each with the kinds of input that it is looked for in."""


def canonical_input(value: Json) -> Json:
    """The input: a list of one text, plain or as a part, is that text."""
    if isinstance(value, list) and len(value) == 1:
        (item,) = value
        if isinstance(item, str):
            return item
        if isinstance(item, dict) and item.keys() == {"type", "text"} and item["type"] == "text":
            return normalise(item["text"])
    return normalise(value)


def inputs(value: Json) -> tuple[Judged, ...]:
    """A text, several texts, or the parts of one input: texts and images."""
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return (Judged(text="\n".join(texts(value)), images=tuple(_images(value))),)
    return tuple(Judged(text=text) for text in texts(value))


def texts(value: Json) -> Iterator[str]:
    """The texts of an input."""
    for item in value if isinstance(value, list) else [value]:
        text = item.get("text") if isinstance(item, dict) else item
        if isinstance(text, str):
            yield text


def _images(parts: list[Json]) -> Iterator[str]:
    for part in parts:
        image = part.get("image_url") if isinstance(part, dict) else None
        url = image.get("url") if isinstance(image, dict) else None
        if isinstance(url, str):
            yield url
