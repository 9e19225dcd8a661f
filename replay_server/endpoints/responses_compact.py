"""`POST /responses/compact`: a conversation made short. Wire facts: OpenAI's API description 2.3.0, recordings."""

from collections.abc import Sequence

from replay_server.endpoints.base import BadField, Resource, Route
from replay_server.endpoints.openai import Fields, OpenAIResource, json_response
from replay_server.endpoints.responses_request import canonical_request
from replay_server.endpoints.short_form import known, read_text_reply
from replay_server.interaction import (
    Json,
    JsonObject,
    Request,
    TextReply,
    TextWanted,
    WireResponse,
    WireStream,
)
from replay_server.stamp import Stamp

_FIELDS = ("content", "usage", "id", "created")


class Compact(OpenAIResource):
    """What the user said stays; all the rest becomes an item that only the API can read. `content` stands for that."""

    name = "responses/compact"
    routes = (Route("POST", "/responses/compact", "Compactconversation", "Make a conversation short"),)
    both_modes = False
    fields = Fields(prompt=("model", "instructions", "previous_response_id", "input"), shape={})

    def canonical(self, request: Request) -> JsonObject:
        """As that of a response to the same conversation."""
        return canonical_request(request.body)

    def validate(self, request: Request) -> None:
        """Raise the error that the live API answers this request with, if it refuses it."""
        from replay_server.endpoints.responses_rules import check_compaction

        check_compaction(request.body)

    def wanted(self, request: Request) -> TextWanted:
        """A text about the conversation."""
        from replay_server.endpoints.responses_wanted import prompt

        return TextWanted(prompts=(prompt(request.body),))

    def read_reply(self, short: JsonObject) -> TextReply:
        """Read the short form: `content` is what is made of the conversation."""
        known(short, _FIELDS)
        return read_text_reply({"content": "", **short})

    def write_reply(self, reply: TextReply) -> JsonObject:
        """The short form."""
        return {"content": reply.choices[0].content or ""}

    def read_body(self, body: Json) -> TextReply:
        """Read a recorded compaction."""
        from replay_server.endpoints.responses_reading import read_response_body

        return read_response_body(body)

    def read_stream(self, chunks: Sequence[Json]) -> TextReply:
        """A compaction is never streamed."""
        raise BadField((), "a compaction is never a stream")

    def render(self, request: Request, reply: TextReply, stamp: Stamp) -> WireResponse:
        """A `response.compaction`."""
        from replay_server.endpoints.responses_items import compacted, response_id
        from replay_server.endpoints.responses_object import usage_object

        if reply.body is not None:
            return json_response(reply.body, stamp)
        compaction: dict[str, Json] = {
            "id": reply.id or response_id(stamp),
            "object": "response.compaction",
            "created_at": stamp.created if reply.created is None else reply.created,
            "output": compacted(request, stamp),
            "usage": usage_object(reply.usage),
        }
        return json_response(compaction, stamp)

    def stream(self, request: Request, reply: TextReply, stamp: Stamp) -> WireStream:
        """The plain answer: there is no parameter that asks for a stream."""
        plain = self.render(request, reply, stamp)
        return WireStream(plain.status, plain.headers, (plain.body,))


RESOURCE: Resource = Compact()
