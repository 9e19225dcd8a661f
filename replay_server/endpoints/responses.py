"""`POST /responses`. Wire facts: OpenAI's API description 2.3.0, and recordings of the live API."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from replay_server.endpoints import responses_request
from replay_server.endpoints.base import Resource, Route, ToolResults
from replay_server.endpoints.chat_request import stream_options
from replay_server.endpoints.openai import Fields, OpenAIResource, headers, json_response, object_or_none, unless
from replay_server.errors import ApiError, BadRequest
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

if TYPE_CHECKING:
    from replay_server.conditions import Spoken
    from replay_server.endpoints.objects import Objects


class Responses(OpenAIResource):
    """Responses. What few replays need is imported where it is used: a server must start at once."""

    name = "responses"
    id_marks = (b'"previous_response_id"', b'"conversation"', b'"file_id"')
    routes = (Route("POST", "/responses", "createResponse", "Create a response"),)
    fields = Fields(
        prompt=("model", "instructions", "previous_response_id", "conversation", "prompt", "input"),
        shape={
            "tools": responses_request.shape_of_tools,
            "tool_choice": responses_request.shape_of_tool_choice,
            "text": responses_request.shape_of_text,
            "include": responses_request.shape_of_include,
            "background": unless("background", False),
        },
        defaults={
            "temperature": 1,
            "top_p": 1,
            "parallel_tool_calls": True,
            "store": True,
            "service_tier": "auto",
            "truncation": "disabled",
            "background": False,
            "top_logprobs": 0,
            "tool_choice": "auto",
            "text": {"format": {"type": "text"}},
            "metadata": {},
            "include": [],
            "tools": [],
        },
    )

    def canonical(self, request: Request) -> JsonObject:
        """Model, instructions, input and what went before, tool calls numbered by first use."""
        return responses_request.canonical_request(request.keyed)

    def validate(self, request: Request) -> None:
        """Raise the error that the live API answers this request with, if it refuses it."""
        from replay_server.endpoints.responses_rules import check_context, check_response_request

        check_response_request(request.body)
        check_context(request)

    def unknown_model(self, model: str) -> ApiError:
        """The error of the live API for a model that there is not: here it is no 404."""
        return BadRequest(f"The requested model '{model}' does not exist.", param="model", code="model_not_found")

    def wanted(self, request: Request) -> TextWanted:
        """One prompt: instructions and input."""
        from replay_server.endpoints.responses_wanted import wanted

        return wanted(request)

    def read_reply(self, short: JsonObject) -> TextReply:
        """Read the short form."""
        from replay_server.endpoints.responses_short import read_short

        return read_short(short)

    def write_reply(self, reply: TextReply) -> JsonObject:
        """The short form of a reply."""
        from replay_server.endpoints.responses_short import write_short

        return write_short(reply)

    def spoken(self, request: Request) -> "Spoken":
        """What instructions and input say."""
        from replay_server.endpoints.responses_messages import as_messages
        from replay_server.endpoints.spoken import spoken_in_messages

        return spoken_in_messages([*as_messages(request.body)])

    def keeps(self, request: Request) -> bool:
        """Unless the request says no."""
        return request.body.get("store") is not False

    async def keep(self, request: Request, said: Json, key: str, objects: "Objects") -> None:
        """Keep the response, for `GET /responses/{id}` and whoever goes on from it."""
        from replay_server.endpoints.stored_responses import keep_response

        await keep_response(request, said, key, objects)

    def say(self, body: JsonObject, text: str) -> JsonObject:
        """The request in which the user says something more."""
        from replay_server.endpoints.responses_conversation import say

        return say(body, text)

    def hear(self, body: JsonObject, reply: TextReply, results: ToolResults) -> tuple[JsonObject, bool]:
        """The request with the answer and the results of its tools, and whether it is the model's turn again."""
        from replay_server.endpoints.responses_conversation import hear

        return hear(body, reply, results)

    def read_body(self, body: Json) -> TextReply:
        """Read a recorded response."""
        from replay_server.endpoints.responses_reading import read_response_body

        return read_response_body(body)

    def read_stream(self, chunks: Sequence[Json]) -> TextReply:
        """Read the events of a recorded stream."""
        from replay_server.endpoints.responses_reading import read_response_stream

        return read_response_stream(chunks)

    def ends_stream(self, data: bytes) -> bool | None:
        """Whether a frame's data is the last event of a response, or other servers' `[DONE]`. A failure is not."""
        return data == b"[DONE]" or _event_type(data) in ("response.completed", "response.incomplete")

    def carries_delta(self, data: bytes) -> bool:
        """Whether an event brings a piece of something."""
        return _event_type(data).endswith(".delta")

    def tokens_said(self, body: bytes) -> int:
        """The tokens of the output, as its usage counts them."""
        answer = object_or_none(body)
        usage = answer.get("usage") if answer else None
        tokens = usage.get("output_tokens") if isinstance(usage, dict) else None
        return tokens if isinstance(tokens, int) else 0

    def render(self, request: Request, reply: TextReply, stamp: Stamp) -> WireResponse:
        """A `response`."""
        from replay_server.endpoints.responses_object import said_in

        return json_response(said_in(request, reply, stamp), stamp)

    def stream(self, request: Request, reply: TextReply, stamp: Stamp) -> WireStream:
        """The events of a response. None says that the stream is done: the last one is telling."""
        from replay_server.endpoints.responses_events import Cuts, response_events
        from replay_server.endpoints.responses_object import finished

        obfuscated = stream_options(request.body).get("include_obfuscation") is not False
        padding = stamp.text("obfuscation", 1024) if obfuscated else None
        events = response_events(finished(request, reply, stamp), Cuts(reply.choices[0]), padding)
        return WireStream(200, headers(stamp, "text/event-stream; charset=utf-8"), events)


RESOURCE: Resource = Responses()


def _event_type(data: bytes) -> str:
    event = object_or_none(data)
    kind = event.get("type") if event else None
    return kind if isinstance(kind, str) else ""
