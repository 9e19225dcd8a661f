"""From the response of an interaction, or a reply that was made up, to what goes over the wire."""

from replay_server.cassettes.matching import Keyed
from replay_server.cassettes.reader import dotted
from replay_server.cassettes.response_head import EVENT_STREAM, JSON
from replay_server.cassettes.sameness import neutral_reply
from replay_server.endpoints.base import BadField, Resource
from replay_server.errors import ApiError
from replay_server.fallback import Generator
from replay_server.interaction import (
    ErrorReply,
    Interaction,
    Recorded,
    Reply,
    Response,
    WireResponse,
    WireStream,
)
from replay_server.replay.additions import is_added
from replay_server.replay.rendered import RenderedAnswers, rendered_key
from replay_server.stamp import Stamp


class Renderer:
    """Renders responses, with what `generator` makes of that which their authors left out, and remembers them."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._remembered = RenderedAnswers()

    def at(self, asked: Keyed, interaction: Interaction, place: int, revision: int) -> WireResponse | WireStream:
        """What a place in a sequence answers. `revision`: of the library."""
        response = interaction.responses[place]
        if isinstance(response, Recorded) and (recorded := _as_it_came(asked, interaction, response)) is not None:
            return recorded
        if is_added(interaction):  # its name may have been another's before
            return self.wire(asked, interaction, response, place)
        key = rendered_key(asked, interaction, place, revision)
        wire = self._remembered.get(key)
        return wire or self._remembered.put(key, self.wire(asked, interaction, response, place))

    def wire(self, asked: Keyed, interaction: Interaction, response: Response, place: int) -> WireResponse | WireStream:
        """A response on the wire."""
        stamp = Stamp(asked.key, place)
        if isinstance(response, ErrorReply):
            return _error(asked.resource, response, stamp)
        reply = _understood(asked.resource, interaction, response) if isinstance(response, Recorded) else response
        wanted = asked.resource.wanted(asked.request)
        return send(asked, self._generator.complete(wanted, reply, asked.key), stamp)


def _as_it_came(asked: Keyed, interaction: Interaction, recorded: Recorded) -> WireResponse | WireStream | None:
    """The recorded bytes; None for an answer that came plain and is wanted as a stream, or the other way round."""
    other_mode = bool(recorded.frames) is not asked.request.stream
    if other_mode and interaction.recorded and (interaction.request.get("stream") is True) is asked.request.stream:
        other_mode = False  # the upstream itself answered in the other mode
    if other_mode and recorded.status == 200 and asked.resource.both_modes:
        return None
    if recorded.frames:
        frames = tuple(frame.data for frame in recorded.frames)
        return WireStream(recorded.status, {"content-type": EVENT_STREAM, **recorded.headers}, frames)
    return WireResponse(recorded.status, {"content-type": JSON, **recorded.headers}, recorded.body)


def send(asked: Keyed, reply: object, stamp: Stamp) -> WireResponse | WireStream:
    """The reply as the request wants it: plain, or as a stream."""
    send = asked.resource.stream if asked.request.stream else asked.resource.render
    return send(asked.request, reply, stamp)


def _error(resource: Resource, reply: ErrorReply, stamp: Stamp) -> WireResponse:
    error = ApiError(reply.message, status=reply.status, type=reply.type, param=reply.param, code=reply.code)
    wire = resource.error(error, stamp)
    return WireResponse(wire.status, {**wire.headers, **reply.headers}, wire.body)


def _understood(resource: Resource, interaction: Interaction, recorded: Recorded) -> Reply:
    try:
        return neutral_reply(resource, recorded)
    except BadField as error:
        kept, wanted, ask = _STREAM_WORDS if recorded.frames else _PLAIN_WORDS
        problem = " ".join(filter(None, (dotted(error.path), error.problem)))
        raise ApiError(
            f"{interaction.id}: response.{kept} {problem}, so it cannot be {wanted}: ask {ask} stream",
            status=422,  # client libraries do not retry it
            code=f"recording_cannot_be_{wanted}",
        ) from None


_STREAM_WORDS = ("stream", "collected", "with")
_PLAIN_WORDS = ("body", "streamed", "without")
