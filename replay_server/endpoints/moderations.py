"""`POST /moderations`. Wire facts: OpenAI's API description 2.3.0."""

from typing import TYPE_CHECKING

from replay_server.endpoints.base import Resource, Route
from replay_server.endpoints.moderation_body import read_results, result
from replay_server.endpoints.moderation_form import read_verdicts, write_verdicts
from replay_server.endpoints.moderation_request import CATEGORIES, canonical_input, inputs, texts
from replay_server.endpoints.openai import Fields, json_response
from replay_server.endpoints.plain import PlainResource
from replay_server.interaction import Json, JsonObject, Judged, Request, VerdictsReply, VerdictsWanted, WireResponse
from replay_server.keys import normalise
from replay_server.stamp import Stamp

if TYPE_CHECKING:
    from replay_server.conditions import Spoken

_DEFAULT_MODEL = "omni-moderation-latest"
_SNAPSHOTS = {"text-moderation-latest": "text-moderation-007", "text-moderation-stable": "text-moderation-007"}


class Moderations(PlainResource):
    """What is harmful in texts and images."""

    name = "moderations"
    kind = "moderation"
    routes = (Route("POST", "/moderations", "createModeration", "Classify texts and images"),)
    rendered_from = ("model", "input")
    fields = Fields(prompt=("model", "input"), shape={})

    def canonical(self, request: Request) -> JsonObject:
        """Model and input: the model may be left out, and a list of one text is that text."""
        model = normalise(request.body.get("model"))
        return {
            "model": _DEFAULT_MODEL if model in (None, "") else model,
            "input": canonical_input(request.body.get("input")),
        }

    def validate(self, request: Request) -> None:
        """Raise the error that the live API answers this request with, if it refuses it."""
        from replay_server.endpoints.moderation_rules import check_moderation

        check_moderation(request.body)

    def wanted(self, request: Request) -> VerdictsWanted:
        """A verdict for each input."""
        return VerdictsWanted(inputs=inputs(request.body.get("input")), categories=tuple(CATEGORIES))

    def spoken(self, request: Request) -> "Spoken":
        """An input is what the user says."""
        from replay_server.endpoints.spoken import spoken_in_prompt

        return spoken_in_prompt(list(texts(request.body.get("input"))))

    def read_reply(self, short: JsonObject) -> VerdictsReply:
        """Read the short form."""
        return read_verdicts(short)

    def write_reply(self, reply: VerdictsReply) -> JsonObject:
        """The short form of a reply."""
        return write_verdicts(reply)

    def read_body(self, body: Json) -> VerdictsReply:
        """Read a recorded moderation."""
        return read_results(body)

    def render(self, request: Request, reply: VerdictsReply, stamp: Stamp) -> WireResponse:
        """Results, one for each input."""
        model = request.model or _DEFAULT_MODEL
        # A cassette may hold more results than the request has inputs.
        judged = (*inputs(request.body.get("input")), *[Judged()] * len(reply.verdicts))
        answer: dict[str, Json] = {
            "id": reply.id or "modr-" + stamp.hex("moderation", 32),
            "model": reply.model or _SNAPSHOTS.get(model, model),
            "results": [result(*each) for each in zip(reply.verdicts, judged, strict=False)],
        }
        return json_response(answer, stamp)


RESOURCE: Resource = Moderations()
