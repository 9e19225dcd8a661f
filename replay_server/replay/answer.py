"""An answer, and where it comes from."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from replay_server.cassettes.matching import Keyed, Match
from replay_server.errors import ApiError
from replay_server.interaction import Pace, Recorded, RecordedPace, Response, WireLive, WireResponse, WireStream
from replay_server.stamp import Stamp

if TYPE_CHECKING:
    from replay_server.replay.spoiling import Spoiling
    from replay_server.replay.timing import Timing


class Source(StrEnum):
    """Where an answer comes from: the header `x-replay-source`."""

    CASSETTE = "cassette"
    MATCHER = "matcher"
    GENERATED = "generated"
    UPSTREAM = "upstream"
    STATE = "state"
    FAULT = "fault"
    MISS = "miss"
    ERROR = "error"


class Answer(NamedTuple):
    """What goes out, and the `x-replay-*` headers that say where it comes from.

    `timing`: None where nothing waits. `spoiling`: None where nothing goes wrong.
    """

    wire: WireResponse | WireStream | WireLive
    headers: Mapping[str, str]
    timing: "Timing | None" = None
    explanation: str = ""
    """Of a miss."""
    match: Match | None = None
    """What answered, where that is an interaction."""
    spoiling: "Spoiling | None" = None


# Bare texts: the garbage collector need not look at an answer's headers, of which the journal keeps many.
_WORDS: Mapping[str, str] = {source: source.value for source in Source}


def replay_headers(source: str, asked: Keyed, match: Match | None = None) -> dict[str, str]:
    """What says where an answer comes from."""
    headers = {"x-replay-source": _WORDS[source], "x-replay-key": asked.key[:16]}
    if match is not None:
        headers["x-replay-interaction"] = match.interaction.id
        if match.drift:
            headers["x-replay-drift"] = ", ".join(match.drift)
    return headers


def refused(asked: Keyed, error: ApiError) -> Answer:
    """An error of the API, as an answer."""
    explanation = error.message if error.source == Source.MISS else ""
    wire = asked.resource.error(error, Stamp(asked.key))
    return Answer(wire, replay_headers(error.source, asked), explanation=explanation)


def timing_of(
    pace: Pace, asked: Keyed, wire: WireResponse | WireStream, place: int = 0, response: Response | None = None
) -> "Timing | None":
    """How an answer is timed, None where nothing waits: no model speaks in an error, nor in what the server knows."""
    if wire.status >= 400 or asked.resource.known:
        return None
    recorded = response.frames if isinstance(response, Recorded) else ()
    if isinstance(pace, RecordedPace) and not recorded:
        return None
    from replay_server.replay.timing import Timing  # nobody needs it who wants no pace

    return Timing(pace=pace, resource=asked.resource, key=asked.key, place=place, recorded=recorded)
