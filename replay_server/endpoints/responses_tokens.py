"""`POST /responses/input_tokens`: how many tokens a request would cost. Wire facts: OpenAI's API description 2.3.0."""

from collections.abc import Sequence

from replay_server.endpoints.base import BadField, Resource, Route
from replay_server.endpoints.openai import Fields, OpenAIResource, json_response
from replay_server.endpoints.responses_request import canonical_request, shape_of_tools
from replay_server.endpoints.short_form import known, required
from replay_server.interaction import CountReply, CountWanted, Json, JsonObject, Request, WireResponse, WireStream
from replay_server.stamp import Stamp

_COUNTED = "input_tokens"


class InputTokens(OpenAIResource):
    """A count: nobody need record it, as it is no model that tells."""

    name = "responses/input_tokens"
    routes = (Route("POST", "/responses/input_tokens", "Getinputtokencounts", "Count the tokens of an input"),)
    known = True
    both_modes = False
    fields = Fields(
        prompt=("model", "instructions", "previous_response_id", "conversation", "input"),
        shape={"tools": shape_of_tools},
    )

    def canonical(self, request: Request) -> JsonObject:
        """As that of the response that it counts for."""
        return canonical_request(request.body)

    def validate(self, request: Request) -> None:
        """Raise the error that the live API answers with, if it refuses this request: the model may be absent."""
        from replay_server.endpoints.description import request_schema
        from replay_server.endpoints.validation import check

        check(request.body, request_schema("Getinputtokencounts"))

    def wanted(self, request: Request) -> CountWanted:
        """The tokens of instructions, input and tools."""
        from replay_server.endpoints.responses_wanted import prompt

        return CountWanted(prompt=prompt(request.body))

    def read_reply(self, short: JsonObject) -> CountReply:
        """Read the short form: `input_tokens`."""
        known(short, (_COUNTED,))
        return CountReply(tokens=required(short, _COUNTED, int))

    def write_reply(self, reply: CountReply) -> JsonObject:
        """The short form."""
        return {_COUNTED: reply.tokens}

    def read_body(self, body: Json) -> CountReply:
        """Read a recorded count."""
        if not isinstance(body, dict):
            raise BadField((), "is no count of tokens")
        return CountReply(tokens=required(body, _COUNTED, int))

    def read_stream(self, chunks: Sequence[Json]) -> CountReply:
        """A count is never streamed."""
        raise BadField((), "is no count of tokens")

    def render(self, request: Request, reply: CountReply, stamp: Stamp) -> WireResponse:
        """A `response.input_tokens`."""
        return json_response({"object": "response.input_tokens", _COUNTED: reply.tokens}, stamp)

    def stream(self, request: Request, reply: CountReply, stamp: Stamp) -> WireStream:
        """The plain answer: there is no parameter that asks for a stream."""
        plain = self.render(request, reply, stamp)
        return WireStream(plain.status, plain.headers, (plain.body,))


RESOURCE: Resource = InputTokens()
