"""The interactions nearest to a request that none answers, and where each differs from it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from replay_server.cassettes.agreement import SAME, Part, agreement, differences
from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import EVERYTHING, Candidate, Disagreement, Keyed, Scope
from replay_server.interaction import Interaction, JsonObject
from replay_server.keys import Difference, canonical_json, parts

NEAREST = 3
_COMPARED_CLOSELY = 20
_TEXT_COMPARED = 2_000


@dataclass(frozen=True, slots=True)
class Near:
    """An interaction that a request nearly matches: recorded left, asked right.

    `differences` is empty only for one that would answer, and is in no cassette that the session may use.
    """

    candidate: Candidate
    parts: tuple[Part, ...]
    differences: tuple[Difference, ...]

    @property
    def interaction(self) -> Interaction:
        """The interaction."""
        return self.candidate.interaction


def nearest(
    library: Library,
    asked: Keyed,
    disagreements: Sequence[Disagreement] = (),
    count: int = NEAREST,
    scope: Scope = EVERYTHING,
) -> list[Near]:
    """The interactions that agree with a request in most parts, best first, all of its endpoint and in `scope`.

    Those that have its key, and disagree in something else, come before all others.
    """
    match_on = library.config.match_on
    same_prompt = sorted(
        (near_to(disagreement.candidate, asked, match_on) for disagreement in disagreements),
        key=lambda near: (len(near.differences), near.interaction.cassette, near.interaction.place),
    )
    others = [
        candidate
        for candidate in closest(library, asked)
        if candidate.keyed.key != asked.key and scope.admits(candidate.interaction)
    ]
    missing = max(0, count - len(same_prompt))
    return same_prompt[:count] + [near_to(candidate, asked, match_on) for candidate in others[:missing]]


def agreeing(near: Near) -> int:
    """In how many parts it agrees."""
    return sum(part.sign == SAME for part in near.parts)


def near_to(candidate: Candidate, asked: Keyed, match_on: tuple[str, ...]) -> Near:
    """A candidate, compared with a request in all that has to agree."""
    found = tuple(differences(candidate, asked, match_on))
    return Near(candidate, tuple(agreement(candidate, asked, match_on)), found)


def closest(library: Library, asked: Keyed) -> list[Candidate]:
    """The candidates on the shortlist; of those that agree in as many parts, first the one whose text is most alike."""
    shortlist = library.neighbours.shortlist(asked, _COMPARED_CLOSELY)
    ranked = sorted(shortlist, key=lambda found: (found[0][0], -_likeness(found[1].keyed, asked)))
    return [candidate for _, candidate in ranked]


def _likeness(recorded: Keyed, asked: Keyed) -> float:
    """From 0 to 1: how many runs of three characters the parts have in common that do not agree."""
    ours, theirs = (dict(parts(keyed.canonical, {})) for keyed in (recorded, asked))
    left, right = _runs(ours, theirs), _runs(theirs, ours)
    return 2 * (left & right).total() / ((left.total() + right.total()) or 1)


def _runs(ours: JsonObject, theirs: JsonObject) -> Counter[str]:
    unequal = (part for name, part in ours.items() if part != theirs.get(name))
    text = "".join(canonical_json(part).decode()[-_TEXT_COMPARED:] for part in unequal)
    return Counter(text[at : at + 3] for at in range(len(text) - 2))
