"""What an API resource is: its routes, and the pure functions that the server asks of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from replay_server.errors import ApiError
from replay_server.interaction import Json, JsonObject, RawRequest, Reply, Request, Wanted, WireResponse, WireStream
from replay_server.stamp import Stamp

if TYPE_CHECKING:
    from replay_server.conditions import Spoken
    from replay_server.endpoints.objects import Objects


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `path` has no `/v1`; `{name}` stands for one segment, `{name+}` for the rest of the path."""

    method: str
    path: str
    operation_id: str
    summary: str = ""


class Resource(Protocol):
    """One API resource: `routes` and pure functions from requests to neutral values and from those to the wire.

    None of them does I/O. `parse` and `canonical` take whatever JSON a client sent: a recording of a request that the
    API refused is replayed too. `validate` is asked only before an answer is made up.
    """

    @property
    def name(self) -> str:
        """The endpoint in keys and cassettes: `chat/completions`."""

    @property
    def routes(self) -> tuple[Route, ...]:
        """The operations. The first one is what a cassette's request is sent to."""

    @property
    def known(self) -> bool:
        """Whether it tells what the server knows, in place of what a model would say: that is never a miss."""

    @property
    def both_modes(self) -> bool:
        """Whether a plain recording can be streamed and a stream be collected; else it is replayed as it came."""

    @property
    def id_marks(self) -> tuple[bytes, ...]:
        """One of these is in every body that names objects of the session by id. None: no body does."""

    @property
    def rendered_from(self) -> tuple[str, ...] | None:
        """The fields of the body that the bytes of a replayed answer depend on. None: on all of them."""

    def parse(self, raw: RawRequest) -> Request:
        """Read path parameters, query, headers and body. Raises BadRequest for what is not a request at all."""

    def from_cassette(self, fields: JsonObject) -> Request:
        """Read the `request` of a cassette, as `parse` reads the wire."""

    def canonical(self, request: Request) -> JsonObject:
        """The fields that carry the prompt, normalised: the input of the key."""

    def prompt(self, request: Request) -> JsonObject:
        """The same fields as they came."""

    def shape(self, request: Request) -> JsonObject:
        """The fields that change the shape of the answer, normalised, without those that have their default."""

    def shape_field(self, request: Request, name: str) -> Json:
        """One of them, None where it has its default or is none of them."""

    def drifting(self, request: Request) -> JsonObject:
        """The fields that a match may disagree in, normalised, without those that have their default."""

    def drifting_field(self, request: Request, name: str) -> Json:
        """One of them, None where it has its default or is none of them."""

    def validate(self, request: Request) -> None:
        """Raise the error that the live API answers this request with, if it refuses it."""

    def unknown_model(self, model: str) -> ApiError:
        """The error of the live API for a model that there is not."""

    def wanted(self, request: Request) -> Wanted:
        """What the request asks for, in neutral terms."""

    def read_reply(self, short: JsonObject) -> Reply:
        """Read the short form of a cassette's `response`. Raises BadField."""

    def write_reply(self, reply: Any) -> JsonObject:
        """The short form of a reply: what `read_reply` reads."""

    def read_body(self, body: Json) -> Reply:
        """Read an answer of the wire, so that a plain recording can be streamed. Raises BadField."""

    def read_stream(self, chunks: Sequence[Json]) -> Reply:
        """Read the chunks of a recorded stream, so that it can be answered whole. Raises BadField."""

    def ends_stream(self, data: bytes) -> bool | None:
        """Whether a frame's data is what ends a stream that came whole: `[DONE]`. None where that cannot be told."""

    def carries_delta(self, data: bytes) -> bool:
        """Whether a frame's data brings more of what is said: a pace waits before it."""

    def tokens_said(self, body: bytes) -> int:
        """How many tokens a plain answer says, 0 where it does not tell: a pace waits for each."""

    def render(self, request: Request, reply: Any, stamp: Stamp) -> WireResponse:
        """The plain answer."""

    def stream(self, request: Request, reply: Any, stamp: Stamp) -> WireStream:
        """The streamed answer."""

    def error(self, error: ApiError, stamp: Stamp) -> WireResponse:
        """The answer that tells of an error."""

    def keeps(self, request: Request) -> bool:
        """Whether the session keeps the answer, to be asked for by its id."""

    async def keep(self, request: Request, said: Json, key: str, objects: "Objects") -> None:
        """Keep a good answer to a request with this key: its JSON, collected if it was streamed."""


ToolResults = Callable[[str], str | None]
"""The next result of the tool with this name; None where there is none."""


@runtime_checkable
class Conversational(Protocol):
    """A resource whose requests carry a conversation, so that the next request follows from the answer to the last."""

    def say(self, body: JsonObject, text: str) -> JsonObject:
        """The request in which the user says something more."""

    def hear(self, body: JsonObject, reply: Any, results: ToolResults) -> tuple[JsonObject, bool]:
        """The request with the answer in it, and whether it is the model's turn again: after tool results it is.

        Raises BadField for a tool that has no result.
        """


@runtime_checkable
class Speaking(Protocol):
    """A resource whose requests say something, and that knows who says what."""

    def spoken(self, request: Request) -> "Spoken":
        """What was said. What cannot be read counts as absent."""


@runtime_checkable
class Uploading(Protocol):
    """A resource whose requests are forms with files, of which a cassette may have kept the hash alone."""

    def from_parts(self, fields: JsonObject, parameters: Mapping[str, str]) -> Request:
        """The request that `{form: …}` stands for, on a path with these parameters. Raises BadField."""

    def sent(self, body: JsonObject) -> tuple[str, bytes]:
        """The content type and the form that a client sends for a body. Raises NotKept."""


@runtime_checkable
class Binary(Protocol):
    """A resource whose plain answers are not JSON."""

    def read_bytes(self, body: bytes) -> Reply:
        """Read an answer of the wire. Raises BadField."""


class BadField(Exception):
    """A field of a cassette's document that cannot be read: its `path` from where the reader began, and what to do."""

    def __init__(self, path: tuple[str | int, ...], problem: str) -> None:
        super().__init__(problem)
        self.path = path
        self.problem = problem

    def below(self, *prefix: str | int) -> "BadField":
        """The same, seen from further up."""
        return BadField((*prefix, *self.path), self.problem)
