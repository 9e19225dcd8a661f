"""How the answer of an operation is put on the wire: its status, its media type, and JSON that its schema allows."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from replay_server.endpoints.described.api import Api, Described
from replay_server.endpoints.described.collections import JSON, Listing, properties
from replay_server.endpoints.described.lives import beginning
from replay_server.endpoints.described.media import content
from replay_server.endpoints.described.request import Asked, is_json
from replay_server.endpoints.described.values import made
from replay_server.endpoints.openai import headers
from replay_server.endpoints.operation import Call
from replay_server.endpoints.shapes import Shape, alternatives
from replay_server.interaction import Json, JsonObject, JsonReply, JsonWanted, WireResponse, WireStream

EVENT_STREAM = "text/event-stream"
_LOOKED_AT = 2000  # characters of a request: more say no more of what it is about


@dataclass(frozen=True, slots=True)
class Answers:
    """What one request can be answered with."""

    api: Api
    call: Call
    described: Described
    asked: Asked

    @property
    def schema(self) -> Shape:
        """That of the answer, where it is JSON; else one that allows anything."""
        return next((schema for media, schema in self.described.answers.items() if is_json(media)), {})

    def made(self, schema: Shape, known: JsonObject, seed: str = "", *, created: int | None = None) -> Json:
        """A value of a schema with all that is known. The same seed, the same value: as a rule that of an object."""
        moment = self.call.stamp.created if created is None else created
        text = f"{self.call.session} {seed}" if seed else self.call.stamp.key
        key = hashlib.sha256(text.encode()).hexdigest()
        about = json.dumps(dict(self.asked.body), ensure_ascii=False)[:_LOOKED_AT]

        def generate(root: JsonObject) -> Json:
            return cast("JsonReply", self.call.generate(JsonWanted(schema=root, about=about), key)).value

        return made(self.api, schema, {**beginning(schema, moment), **known}, generate)

    def whole(self, value: Json) -> WireResponse | WireStream:
        """The answer that is this value, unless the description has another media type, or no body."""
        answers = self.described.answers
        if EVENT_STREAM in answers and (self.asked.streams or len(answers) == 1):
            return self.streamed()
        if not any(map(is_json, answers)):
            return self.content()
        body = json.dumps(value, ensure_ascii=False, indent=2).encode()
        return WireResponse(self.described.status, self.headers(JSON), body)

    def listed(self, listing: Listing, values: Sequence[Json], *, more: bool = False) -> WireResponse | WireStream:
        """A list of these."""
        if not listing.name:
            return self.whole(list(values))
        ids: list[Json] = [each.get("id") if isinstance(each, dict) else None for each in values]
        nothing = None if _may_be_null(self.schema, "first_id") else ""
        first, last = (ids[0], ids[-1]) if ids else (nothing, nothing)
        following = last if more else None
        facts: dict[str, Json] = {"object": "list", "has_more": more, "first_id": first, "last_id": last}
        facts |= {"next": following, "total": len(values), listing.name: list(values)}
        return self.whole(self.made(self.schema, facts))

    def content(self, kept: bytes = b"") -> WireResponse:
        """An answer that is no JSON: what was uploaded, else what its media type demands, or no body at all."""
        if kept:
            return WireResponse(self.described.status, self.headers("application/octet-stream"), kept)
        medias = [media for media in self.described.answers if not is_json(media) and media != EVENT_STREAM]
        accepted = self.call.raw.headers.get("accept", "")
        media = next((each for each in medias if each in accepted), medias[0] if medias else "")
        body = content(media, self.call.stamp) if media else b""
        return WireResponse(self.described.status, self.headers(media), body)

    def headers(self, media: str) -> dict[str, str]:
        """The headers of an answer; an API that is not OpenAI's has none of its own."""
        found = headers(self.call.stamp, media)
        ours = {name: value for name, value in found.items() if self.api.closed or not name.startswith("openai-")}
        return {name: value for name, value in ours.items() if media or name != "content-type"}

    # Streams ---------------------------------------------------------------------------------------------------------

    def streamed(self) -> WireStream:
        """One event of each kind that the description has, in its order."""
        schema = self.described.answers[EVENT_STREAM]
        known = {**self.call.parameters, **self.asked.body}
        values = [self.made(shape, known, f"{place} {self.call.stamp.key}") for place, shape in _events(schema)]
        return self.frames([_frame(value) for value in values if isinstance(value, dict)])

    def frames(self, frames: Sequence[bytes]) -> WireStream:
        """A stream of these."""
        media = f"{EVENT_STREAM}; charset=utf-8"
        return WireStream(self.described.status, self.headers(media), tuple(frames))


def frame(name: str, data: Json) -> bytes:
    """An event; one without a name is data alone."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {text}\n\n".encode()


def _events(schema: Shape) -> Iterator[tuple[int, Shape]]:
    return ((place, each) for place, each in enumerate(alternatives(schema)) if each["type"] == "object")


def _frame(event: Mapping[str, Json]) -> bytes:
    """Its name is its type, or it is an event that is described with its data."""
    if isinstance(name := event.get("event"), str) and "data" in event:
        return frame(name, event["data"])
    kind = event.get("type")
    return frame(kind if isinstance(kind, str) else "", dict(event))


def _may_be_null(schema: Shape, name: str) -> bool:
    found = properties(schema).get(name)
    return found is None or any(shape["type"] in ("null", "any") for shape in alternatives(found))
