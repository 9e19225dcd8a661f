"""What the image endpoints answer: pictures in JSON or behind URLs, or one after the other as they come into being."""

import base64
import re
from binascii import Error as NoBase64
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

from replay_server.endpoints.base import BadField
from replay_server.endpoints.image_models import format_of, is_dall_e, is_gpt, model_of, quality_of, size_of, wants_url
from replay_server.endpoints.image_urls import SEED, Painted, image_url, origin
from replay_server.endpoints.openai import OpenAIResource, headers, json_response
from replay_server.endpoints.short_form import items, known, optional, required
from replay_server.endpoints.typed_events import ends, event, says
from replay_server.interaction import (
    ImagesReply,
    Json,
    JsonObject,
    Picture,
    RawRequest,
    Request,
    Usage,
    WireResponse,
    WireStream,
)
from replay_server.stamp import Stamp

_DETAILS = ("size", "quality", "background", "output_format")
_DESCRIBED_SIZES = ("1024x1024", "1024x1536", "1536x1024")
"""Those that the description has for an answer's `size`."""
_DATA_URL = re.compile(r"data:[\w/+.-]+;base64,")


class ImagesAnswer(OpenAIResource):
    """The parts of `Resource` that are alike for all image endpoints."""

    events: ClassVar[str] = "image_generation"
    usual_model: ClassVar[str] = "dall-e-2"

    def model(self, request: Request) -> str:
        """The model that answers."""
        return model_of(request.body, self.usual_model)

    def parse(self, raw: RawRequest) -> Request:
        """Read the body, and where URLs of ours are to lead."""
        request = super().parse(raw)
        return request._replace(origin=origin(raw.headers)) if wants_url(request.body, self.model(request)) else request

    def streams(self, body: JsonObject) -> bool:
        """Whether a stream is asked of a model that has streams."""
        return super().streams(body) and not is_dall_e(model_of(body, self.usual_model))

    # Short form

    def read_reply(self, short: JsonObject) -> ImagesReply:
        """Read the short form: `images`, each with what is to be said of it. What is not said is painted."""
        known(short, ("images", "created"))
        images = [_read_listed(image, at) for at, image in enumerate(items(short, "images", dict))]
        if not images:
            raise BadField(("images",), "must have at least one image: {} is one that is painted")
        return ImagesReply(images=tuple(images), created=optional(short, "created", int))

    def write_reply(self, reply: ImagesReply) -> JsonObject:
        """The short form: of a picture that was painted its seed is enough."""
        created: dict[str, Json] = {} if reply.created is None else {"created": reply.created}
        return {"images": [_write_picture(picture) for picture in reply.images], **created}

    # Recorded answers in the other mode

    def read_body(self, body: Json) -> ImagesReply:
        """Read a recorded answer."""
        if not isinstance(body, dict):
            raise BadField((), "is no answer with images")
        images = tuple(_read_image(image, ("data", at)) for at, image in enumerate(items(body, "data", dict)))
        details = {name: optional(body, name, str) for name in _DETAILS}
        return ImagesReply(images=images, usage=_read_usage(body), created=optional(body, "created", int), **details)

    def read_stream(self, chunks: Sequence[Json]) -> ImagesReply:
        """Read the events of a recorded stream: pictures that are done, with what was shown of them before."""
        images: list[Picture] = []
        partials: list[bytes] = []
        last: JsonObject = {}
        for chunk in chunks:
            if isinstance(chunk, dict) and str(chunk.get("type")).endswith(".partial_image"):
                partials.append(_decoded(chunk, "b64_json"))
            elif isinstance(chunk, dict) and str(chunk.get("type")).endswith(".completed"):
                images.append(Picture(data=_decoded(chunk, "b64_json"), partials=tuple(partials)))
                last, partials = chunk, []
        if not images:
            raise BadField((), "has no image that was completed")
        details = {name: optional(last, name, str) for name in _DETAILS}
        created = optional(last, "created_at", int)
        return ImagesReply(images=tuple(images), usage=_read_usage(last), created=created, **details)

    # Time

    def ends_stream(self, data: bytes) -> bool | None:
        """Whether a frame's data is the last event. There may be one such for each picture."""
        return ends(data, f"{self.events}.completed")

    def carries_delta(self, data: bytes) -> bool:
        """Whether it shows more of a picture."""
        return says(data, ".partial_image") or says(data, ".completed")

    def tokens_said(self, body: bytes) -> int:
        """None: a picture comes at once, though it costs thousands."""
        return 0

    # The wire

    def render(self, request: Request, reply: ImagesReply, stamp: Stamp) -> WireResponse:
        """`data`, with what the GPT models say of it."""
        created = stamp.created if reply.created is None else reply.created
        data: list[Json] = [_data(request, picture) for picture in reply.images]
        if not is_gpt(self.model(request)):
            return json_response({"created": created, "data": data}, stamp)
        told = _told(request, reply)
        if told["size"] not in _DESCRIBED_SIZES:
            del told["size"]
        body = {"created": created, "data": data, **told, "usage": _write_usage(reply.usage, in_full=True)}
        return json_response(body, stamp)

    def stream(self, request: Request, reply: ImagesReply, stamp: Stamp) -> WireStream:
        """Partial pictures, and then the whole: a frame each."""
        return WireStream(200, headers(stamp, "text/event-stream; charset=utf-8"), self._frames(request, reply, stamp))

    def _frames(self, request: Request, reply: ImagesReply, stamp: Stamp) -> Iterator[bytes]:
        created = stamp.created if reply.created is None else reply.created
        told = _told(request, reply)
        if told["size"] not in _DESCRIBED_SIZES:
            told["size"] = "auto"
        for picture in reply.images:
            common = {"created_at": created, **told}
            for at, partial in enumerate(picture.partials):
                shown = {"type": f"{self.events}.partial_image", "b64_json": _encoded(partial), **common}
                yield event({**shown, "partial_image_index": at}, named=True)
            done = {"type": f"{self.events}.completed", "b64_json": _encoded(picture.data or b""), **common}
            yield event({**done, "usage": _write_usage(reply.usage)}, named=True)


def _told(request: Request, reply: ImagesReply) -> dict[str, Json]:
    """What an answer says of its pictures."""
    width, height = size_of(request.body)
    background = "transparent" if request.body.get("background") == "transparent" else "opaque"
    return {
        "size": reply.size or f"{width}x{height}",
        "quality": reply.quality or quality_of(request.body),
        "background": reply.background or background,
        "output_format": reply.output_format or format_of(request.body),
    }


# Pictures ------------------------------------------------------------------------------------------------------------


def _data(request: Request, picture: Picture) -> dict[str, Json]:
    revised: dict[str, Json] = {} if picture.revised_prompt is None else {"revised_prompt": picture.revised_prompt}
    if picture.data is not None:
        return {**revised, "b64_json": _encoded(picture.data)}
    if picture.url is not None:
        return {**revised, "url": picture.url}
    painted = Painted(picture.seed or "", *size_of(request.body), format_of(request.body))
    return {**revised, "url": image_url(request.origin, painted)}


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(holder: JsonObject, name: str) -> bytes:
    text = _DATA_URL.sub("", required(holder, name, str), count=1)
    try:
        return base64.b64decode(text, validate=True)
    except NoBase64 as error:
        raise BadField((name,), f"is not base64: {error}") from None


def _read_image(image: JsonObject, path: tuple[str | int, ...]) -> Picture:
    try:
        data = _decoded(image, "b64_json") if image.get("b64_json") is not None else None
        url, revised = optional(image, "url", str), optional(image, "revised_prompt", str)
    except BadField as error:
        raise error.below(*path) from None
    return Picture(data=data, url=url, revised_prompt=revised)


def _read_listed(image: JsonObject, at: int) -> Picture:
    try:
        known(image, ("seed", "b64_json", "url", "revised_prompt"))
        given = [name for name in ("seed", "b64_json", "url") if image.get(name) is not None]
        if len(given) > 1:
            raise BadField((given[1],), f"stands beside {given[0]}: give the image once")
        seed = optional(image, "seed", str)
        if seed is not None and not SEED.fullmatch(seed):
            raise BadField(("seed",), f"must be 1 to 64 letters, digits, underscores and hyphens, not {seed!r}")
    except BadField as error:
        raise error.below("images", at) from None
    return replace(_read_image(image, ("images", at)), seed=seed)


def _write_picture(picture: Picture) -> dict[str, Json]:
    written: dict[str, Json] = {}
    if picture.seed is not None:
        written["seed"] = picture.seed
    elif picture.data is not None:
        written["b64_json"] = _encoded(picture.data)
    elif picture.url is not None:
        written["url"] = picture.url
    if picture.revised_prompt is not None:
        written["revised_prompt"] = picture.revised_prompt
    return written


# Usage ---------------------------------------------------------------------------------------------------------------


def _read_usage(holder: JsonObject) -> Usage | None:
    usage = optional(holder, "usage", dict)
    if usage is None:
        return None
    details = optional(usage, "input_tokens_details", dict) or {}
    return Usage(
        prompt_tokens=required(usage, "input_tokens", int),
        completion_tokens=required(usage, "output_tokens", int),
        image_tokens=optional(details, "image_tokens", int) or 0,
    )


def _write_usage(usage: Usage | None, *, in_full: bool = False) -> dict[str, Json]:
    usage = usage or Usage(prompt_tokens=0, completion_tokens=0)
    text_tokens = usage.prompt_tokens - usage.image_tokens
    written: dict[str, Json] = {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"image_tokens": usage.image_tokens, "text_tokens": text_tokens},
        "output_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }
    if in_full:
        written["output_tokens_details"] = {"image_tokens": usage.completion_tokens, "text_tokens": 0}
    return written
