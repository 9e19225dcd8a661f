"""What the endpoints share that never stream."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from replay_server.endpoints.base import BadField
from replay_server.endpoints.openai import OpenAIResource
from replay_server.interaction import Json, JsonObject, Reply, Request, WireResponse, WireStream
from replay_server.stamp import Stamp


class PlainResource(OpenAIResource, ABC):
    """A resource whose answers are always plain, whatever `stream` says. `kind` is what messages call an answer."""

    both_modes: ClassVar[bool] = False
    kind: ClassVar[str]

    def from_cassette(self, fields: JsonObject) -> Request:
        """The request with this body."""
        return super().from_cassette(fields)._replace(stream=False)

    def read_stream(self, chunks: Sequence[Json]) -> Reply:
        """There are no streams of it."""
        raise BadField((), f"is no {self.kind}")

    @abstractmethod
    def render(self, request: Request, reply: Any, stamp: Stamp) -> WireResponse:
        """The answer."""

    def stream(self, request: Request, reply: Any, stamp: Stamp) -> WireStream:
        """The plain answer: there is no parameter that asks for a stream."""
        plain = self.render(request, reply, stamp)
        return WireStream(plain.status, plain.headers, (plain.body,))
