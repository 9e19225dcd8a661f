"""`POST /embeddings`. Wire facts: OpenAI's API description 2.3.0, its Python package, and a recording of Azure's."""

from typing import TYPE_CHECKING

from replay_server.endpoints.base import Resource, Route
from replay_server.endpoints.embedding_request import canonical_input, default_dimensions, prompts, shape_of_dimensions
from replay_server.endpoints.openai import Fields, json_response, unless
from replay_server.endpoints.plain import PlainResource
from replay_server.endpoints.text import integer
from replay_server.interaction import Json, JsonObject, Request, VectorsReply, VectorsWanted, WireResponse
from replay_server.keys import normalise
from replay_server.stamp import Stamp

if TYPE_CHECKING:
    from replay_server.conditions import Spoken

_SNAPSHOTS = {"text-embedding-ada-002": "text-embedding-ada-002-v2"}
"""What the live API answers with. Other models have one version only."""


class Embeddings(PlainResource):
    """Vectors of texts. What few replays need is imported where it is used: a server must start at once."""

    name = "embeddings"
    kind = "list of embeddings"
    routes = (Route("POST", "/embeddings", "createEmbedding", "Create embeddings"),)
    rendered_from = ("model", "input", "encoding_format", "dimensions")
    fields = Fields(
        prompt=("model", "input"),
        shape={"encoding_format": unless("encoding_format", "float"), "dimensions": shape_of_dimensions},
    )

    def canonical(self, request: Request) -> JsonObject:
        """Model and input; a list of one input is that input."""
        return {
            "model": normalise(request.body.get("model")),
            "input": canonical_input(request.body.get("input")),
        }

    def drifting_field(self, request: Request, name: str) -> Json:
        """One of the other fields: those that shape the answer are compared whole, and nothing of them drifts."""
        return None if name in self.fields.shape else super().drifting_field(request, name)

    def validate(self, request: Request) -> None:
        """Raise the error that the live API answers this request with, if it refuses it."""
        from replay_server.endpoints.embedding_rules import check_embedding

        check_embedding(request.body)

    def wanted(self, request: Request) -> VectorsWanted:
        """A vector for each input."""
        dimensions = integer(request.body, "dimensions") or default_dimensions(request.model)
        return VectorsWanted(prompts=prompts(request.body.get("input")), dimensions=dimensions)

    def spoken(self, request: Request) -> "Spoken":
        """An input is what the user says."""
        from replay_server.endpoints.spoken import spoken_in_prompt

        return spoken_in_prompt(request.body.get("input"))

    def read_reply(self, short: JsonObject) -> VectorsReply:
        """Read the short form."""
        from replay_server.endpoints.embedding_form import read_vectors

        return read_vectors(short)

    def write_reply(self, reply: VectorsReply) -> JsonObject:
        """The short form of a reply."""
        from replay_server.endpoints.embedding_form import write_vectors

        return write_vectors(reply)

    def read_body(self, body: Json) -> VectorsReply:
        """Read a recorded list of embeddings."""
        from replay_server.endpoints.embedding_body import read_embeddings

        return read_embeddings(body)

    def render(self, request: Request, reply: VectorsReply, stamp: Stamp) -> WireResponse:
        """A `list` of `embedding` objects."""
        from replay_server.endpoints.embedding_body import embeddings

        tokens = reply.prompt_tokens or 0
        answer: dict[str, Json] = {
            "object": "list",
            "data": embeddings(reply, in_base64=request.body.get("encoding_format") == "base64"),
            "model": reply.model or _SNAPSHOTS.get(request.model, request.model),
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
        return json_response(answer, stamp)


RESOURCE: Resource = Embeddings()
