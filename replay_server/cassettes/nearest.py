"""The interactions nearest to a request that none answers, and where each differs from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from heapq import nsmallest

from replay_server.cassettes.matching import Candidate, Keyed
from replay_server.interaction import Interaction, JsonObject
from replay_server.keys import Difference, canonical_json, explain, parts

_COMPARED_CLOSELY = 20
_COMPARED_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class Near:
    """An interaction that a request nearly matches. `differences` has at least one; recorded left, asked right."""

    interaction: Interaction
    differences: tuple[Difference, ...]


def nearest(candidates: Iterable[Candidate], asked: Keyed, count: int = 1) -> list[Near]:
    """The interactions that agree with a request in most parts, best first, all of its endpoint."""
    rivals = (candidate for candidate in candidates if candidate.interaction.endpoint == asked.request.endpoint)
    shortlist = nsmallest(_COMPARED_CLOSELY, rivals, key=lambda rival: _by_parts(rival, asked))
    closest = sorted(shortlist, key=lambda rival: (_by_parts(rival, asked)[0], -_likeness(rival.keyed, asked)))
    return [Near(rival.interaction, tuple(differences(rival.keyed, asked))) for rival in closest[:count]]


def differences(recorded: Keyed, asked: Keyed) -> Iterable[Difference]:
    """Every place where they differ, in what makes the key and what shapes the answer."""
    yield from explain(dict(recorded.canonical), dict(asked.canonical))
    yield from explain(dict(recorded.shape), dict(asked.shape))


def _by_parts(rival: Candidate, asked: Keyed) -> tuple[int, str, int]:
    ours, theirs = _parts(rival.keyed), _parts(asked)
    agreeing = sum(value == theirs.get(name, ...) for name, value in ours.items())
    return -2 * agreeing + abs(len(ours) - len(theirs)), rival.interaction.cassette, rival.interaction.place


def _parts(keyed: Keyed) -> JsonObject:
    return dict(parts(keyed.canonical, keyed.shape))


def _likeness(recorded: Keyed, asked: Keyed) -> float:
    ours, theirs = (canonical_json(keyed.canonical).decode()[-_COMPARED_TEXT:] for keyed in (recorded, asked))
    return SequenceMatcher(None, ours, theirs, autojunk=False).ratio()
