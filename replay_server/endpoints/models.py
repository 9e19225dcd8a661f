"""`GET /models` and `GET /models/{id}`. Wire facts: OpenAI's API description 2.3.0."""

from collections.abc import Sequence

from replay_server.endpoints.base import BadField, Resource, Route
from replay_server.endpoints.openai import Fields, OpenAIResource, json_response
from replay_server.endpoints.short_form import items, known, required
from replay_server.errors import ApiError, NotFound
from replay_server.interaction import (
    Json,
    JsonObject,
    ModelsReply,
    ModelsWanted,
    RawRequest,
    Request,
    WireResponse,
    WireStream,
)
from replay_server.stamp import Stamp


class Models(OpenAIResource):
    """The models there are."""

    name = "models"
    routes = (
        Route("GET", "/models", "listModels", "List the models"),
        Route("GET", "/models/{model+}", "retrieveModel", "Describe a model"),  # some models have a / in their name
    )
    fields = Fields(prompt=("model",), shape={})
    known = True
    rendered_from = ("model",)

    def parse(self, raw: RawRequest) -> Request:
        """Read the path: there is no body."""
        model = raw.parameters.get("model")
        return self.from_cassette({} if model is None else {"model": model})

    def validate(self, request: Request) -> None:
        """Every path that leads here is a request."""

    def unknown_model(self, model: str) -> ApiError:
        """The error of the live API for a model that there is not."""
        return NotFound(f"The model '{model}' does not exist", param="model", code="model_not_found")

    def wanted(self, request: Request) -> ModelsWanted:
        """All models, or the one that the path names."""
        return ModelsWanted(model=request.model or None)

    def read_reply(self, short: JsonObject) -> ModelsReply:
        """Read the short form: `models: [name, …]`."""
        known(short, ("models",))
        return ModelsReply(models=items(short, "models", str))

    def write_reply(self, reply: ModelsReply) -> JsonObject:
        """The short form of a list of models."""
        return {"models": list(reply.models)}

    def read_body(self, body: Json) -> ModelsReply:
        """Read a recorded list of models, or one of them."""
        if not isinstance(body, dict):
            raise BadField((), "is no list of models")
        names = [required(model, "id", str) for model in (items(body, "data", dict) if "data" in body else [body])]
        return ModelsReply(models=tuple(names))

    def read_stream(self, chunks: Sequence[Json]) -> ModelsReply:
        """Models are never streamed."""
        raise BadField((), "is no list of models")

    def render(self, request: Request, reply: ModelsReply, stamp: Stamp) -> WireResponse:
        """A `list` of `model` objects, or one of them."""
        if request.model:
            return json_response(_model(reply.models[0] if reply.models else request.model), stamp)
        return json_response({"object": "list", "data": [_model(name) for name in reply.models]}, stamp)

    def stream(self, request: Request, reply: ModelsReply, stamp: Stamp) -> WireStream:
        """The plain answer: there is no parameter that asks for a stream."""
        plain = self.render(request, reply, stamp)
        return WireStream(plain.status, plain.headers, (plain.body,))


RESOURCE: Resource = Models()


def _model(name: str) -> dict[str, Json]:
    return {"id": name, "object": "model", "created": Stamp(name).created, "owned_by": "system"}
