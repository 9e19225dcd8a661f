"""What a miss says: the key, the nearest interaction, the first difference, and how to mend it."""

from collections.abc import Iterator, Mapping, Sequence

from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import Disagreement, Keyed, Match
from replay_server.cassettes.nearest import nearest
from replay_server.errors import CassetteMiss
from replay_server.interaction import Interaction
from replay_server.replay.view import View


def miss(
    library: Library,
    view: View,
    asked: Keyed,
    disagreements: Sequence[Disagreement],
    remedy: str,
    headers: Mapping[str, str],
) -> CassetteMiss:
    """The error for a request that nothing of a view on the library answers."""
    elsewhere = library.find(asked)
    lines = [
        f"no interaction for {asked.request.endpoint} (key {asked.key[:16]}) in {library.directory}"
        f" ({len(library)} interactions)",
        _closest(view, asked, disagreements),
        *_closest_matcher(view, asked, headers),
        _admit(elsewhere) if isinstance(elsewhere, Match) else remedy,
    ]
    return CassetteMiss("\n".join(lines), code="cassette_miss")


def _admit(elsewhere: Match) -> str:
    """What to do where an interaction would answer, if its session let it."""
    return (
        f"{elsewhere.interaction.id} would answer, but this session was told to do without it:"
        " name its cassette among those of the session, or reset what was taken out"
    )


def exhausted(asked: Keyed, interaction: Interaction) -> CassetteMiss:
    """The error for a sequence with `repeat: error` that has given all its responses."""
    count = len(interaction.responses)
    return CassetteMiss(
        f"{interaction.id} has given its {count} responses in this session (key {asked.key[:16]})\n"
        "it says repeat: error: add a response to it, or change repeat to last or cycle",
        code="sequence_exhausted",
    )


def _closest(view: View, asked: Keyed, disagreements: Sequence[Disagreement]) -> str:
    if disagreements:
        found = disagreements[0]
        return (
            f"nearest: {found.candidate.interaction.id} has the same prompt, but another shape of answer:"
            f" recorded != asked at {found.difference}"
        )
    found_near = nearest(view.candidates, asked)
    if not found_near:
        return f"nearest: none, as no cassette holds a request for {asked.request.endpoint}"
    near = found_near[0]
    return f"nearest: {near.interaction.id}, recorded != asked at {near.differences[0]}"


def _closest_matcher(view: View, asked: Keyed, headers: Mapping[str, str]) -> Iterator[str]:
    for near in view.nearest_matchers(asked, headers, 1):
        yield f"nearest matcher: {near.interaction.id}, {near.failing[0]}"
