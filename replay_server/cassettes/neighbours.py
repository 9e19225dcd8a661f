"""Where to look for what is nearest to a request: an index for each endpoint, made at the first miss."""

from collections.abc import Iterable, Iterator
from itertools import chain

from replay_server.cassettes.matching import Candidate, Keyed
from replay_server.cassettes.part_index import PartIndex, Score
from replay_server.interaction import Json, JsonObject

_PROMPTS = ("messages", "input", "prompt", "contents")
_TEXTS = ("content", "text", "parts")


class Neighbours:
    """The candidates of a library, by the parts and by the last text of their requests."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self._indexes: dict[str, PartIndex] = {}
        self._by_text: dict[str, list[Candidate]] | None = None
        in_order = sorted(candidates, key=lambda found: (found.interaction.cassette, found.interaction.place))
        for candidate in in_order:
            self.add(candidate)

    @property
    def worn(self) -> bool:
        """Whether more has been removed than is left: time to begin anew."""
        return any(index.holes > len(index) for index in self._indexes.values())

    def add(self, candidate: Candidate) -> None:
        """Take a candidate."""
        self._indexes.setdefault(candidate.interaction.endpoint, PartIndex()).add(candidate)
        self._by_text = None

    def remove(self, candidate: Candidate) -> None:
        """Forget a candidate."""
        self._indexes[candidate.interaction.endpoint].remove(candidate)
        self._by_text = None

    def shortlist(self, asked: Keyed, count: int) -> list[tuple[Score, Candidate]]:
        """The candidates of the same endpoint that agree with a request in most parts, best first."""
        index = self._indexes.get(asked.request.endpoint)
        return index.shortlist(asked, count) if index else []

    def of_other_endpoints(self, asked: Keyed) -> Iterator[Candidate]:
        """The candidates of other endpoints whose last text is that of a request."""
        if self._indexes.keys() <= {asked.request.endpoint}:  # nearly always: then no text need be looked at
            return iter(())
        same = self._texts().get(last_text(asked.canonical) or "", ())
        return (candidate for candidate in same if candidate.interaction.endpoint != asked.request.endpoint)

    def _texts(self) -> dict[str, list[Candidate]]:
        if self._by_text is None:
            self._by_text = {}
            for candidate in chain.from_iterable(self._indexes.values()):
                if text := last_text(candidate.keyed.canonical):
                    self._by_text.setdefault(text, []).append(candidate)
        return self._by_text


def last_text(canonical: JsonObject) -> str | None:
    """What a request says last, as far as that is a text: the same for all endpoints that are asked the same."""
    return next((text for name in _PROMPTS if name in canonical and (text := _last_text(canonical[name]))), None)


def _last_text(value: Json) -> str | None:
    if isinstance(value, list):
        return next((text for item in reversed(value) if (text := _last_text(item))), None)
    if isinstance(value, dict):
        return next((text for name in _TEXTS if name in value and (text := _last_text(value[name]))), None)
    return value if isinstance(value, str) else None
