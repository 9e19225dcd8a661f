"""What is wrong with the matchers of a directory together: those that can never answer."""

from collections.abc import Iterable, Iterator

from replay_server.cassettes.matchers import Matcher, Matchers
from replay_server.cassettes.reach import Shadowed, shadowed
from replay_server.interaction import Interaction


def unreachable(interactions: Iterable[Interaction]) -> Iterator[tuple[str, int, str]]:
    """Cassette, line and problem of each matcher that never answers."""
    for index in Matchers(interactions).indexes:
        for found in shadowed(index):
            interaction = found.matcher.interaction
            yield interaction.cassette, interaction.line, _problem(found)


def _problem(found: Shadowed) -> str:
    place, by = found.matcher.interaction.place, _named(found.by)
    if found.same:
        return f"interaction {place} has the same conditions as {by}, which goes first: make them differ, or remove one"
    return f"interaction {place} never answers: {by} goes first and holds whenever it does: give it a condition more"


def _named(matcher: Matcher) -> str:
    interaction = matcher.interaction
    return f"{interaction.id} (line {interaction.line})"
