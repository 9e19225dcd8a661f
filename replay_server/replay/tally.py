"""Counts what answers. On the way of a request, the journal's entry goes into a list: many are counted at once.

The journal forgets, so a report is not made of it. What is counted here is bounded too, but loses no answer: beyond
the bounds, sessions and drift are no longer told apart.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import Match
from replay_server.endpoints.table import ENDPOINTS
from replay_server.interaction import Interaction
from replay_server.replay.journal import Fields
from replay_server.replay.measures import Measures

if TYPE_CHECKING:
    from replay_server.replay.report import Report
    from replay_server.replay.snapshot import Snapshot

OTHER = "other"
"""The endpoint of requests that no module knows: clients make up their paths."""
OTHERS = "(others)"
"""Sessions and fields that are no longer told apart."""
MOST_SESSIONS = 10_000
MOST_COUNTS = 200_000
MOST_INTERACTIONS = 1_000_000
MOST_COUNTED_AT_ONCE = 256
"""Few enough to lie in the cache of the processor until they are counted."""
MOST_MISSES = 1_000
"""Distinct ones; of more it is only known how many there were."""

_KNOWN = {endpoint: endpoint for endpoint in ENDPOINTS}
NONE = 0
"""In place of an interaction."""
_PASSED_ON = "upstream"
"""The source of answers that begin when the upstream's first piece comes."""
_ERRORS = 400
"""The first status of one: it is no stream, whatever was asked for."""

Which: TypeAlias = tuple[str, str, str, int, int, tuple[str, ...]]
"""Session, endpoint, source, status, the number of the interaction, the fields adrift."""


class Tally:
    """What has answered so far. Interactions are told apart as objects: another version of a file has others."""

    def __init__(self) -> None:
        self._noted: list[tuple[Fields, Match | None, bool]] = []
        self._measures = Measures()
        self._counts: Counter[Which] = Counter()
        self._settled = 0  # how many of the counts, from the first one on, keep to the bounds
        self._numbers: dict[int, int] = {}  # by the identity of the object
        self._met: dict[int, Interaction] = {}  # by number; which keeps them, so that no other gets their identity
        self._recorded: Counter[int] = Counter()
        self._sessions: set[str] = set()
        self._misses: dict[str, int] = {}
        self._complete = True

    def note(self, entry: Fields, match: Match | None, begun: bool) -> None:
        """Count an answer. `begun`: it begins now, or with what an upstream says; else somebody measures it later."""
        self._noted.append((entry, match, begun))
        if len(self._noted) >= MOST_COUNTED_AT_ONCE:
            self._count()

    def miss(self, explanation: str) -> None:
        """Keep what a miss says."""
        if explanation in self._misses or len(self._misses) < MOST_MISSES:
            self._misses[explanation] = self._misses.get(explanation, 0) + 1

    def recorded(self, interaction: Interaction) -> None:
        """Count an answer that was recorded, or was found to be there already."""
        self._recorded[self._number(interaction)] += 1

    def replaced(self, before: Iterable[Interaction], now: Iterable[Interaction]) -> None:
        """Count on where a recorder has put an answer into a file: each document is still in its place."""
        self._count()
        for old, new in zip(before, now, strict=False):
            number = self._numbers.pop(id(old), None)
            if number is not None:
                self._take(new, number)

    @property
    def measures(self) -> Measures:
        """How long answers take."""
        self._count()
        return self._measures

    @property
    def answers(self) -> Counter[tuple[str, str, int]]:
        """How many answers there were, by endpoint, source and status."""
        self._count()
        answers: Counter[tuple[str, str, int]] = Counter()
        for (_, endpoint, source, status, _, _), count in self._counts.items():
            answers[endpoint, source, status] += count
        return answers

    def snapshot(self, library: Library) -> "Snapshot":
        """What there is at this moment. Making a report of it takes longer, and may be done in a thread."""
        from replay_server.replay.snapshot import Snapshot, held  # most servers are never asked

        self._count()
        return Snapshot(
            counts=dict(self._counts),
            met=dict(self._met),
            recorded=dict(self._recorded),
            misses=dict(self._misses),
            complete=self._complete,
            held=tuple(held(library)),
            redactor=library.config.redactor,
        )

    def report(self, library: Library) -> "Report":
        """What was used, of this library and beside it."""
        return self.snapshot(library).report()

    def _count(self) -> None:
        numbers = self._numbers
        self._counts.update(
            [
                (entry[0], entry[3], entry[7]["x-replay-source"], entry[6], NONE, ())
                if match is None
                else (
                    entry[0],
                    entry[3],
                    entry[7]["x-replay-source"],
                    entry[6],
                    numbers.get(id(match.interaction)) or self._number(match.interaction),
                    match.drift,
                )
                for entry, match, _ in self._noted
            ]
        )
        if len(self._counts) > self._settled:
            self._settle()
        self._measure()
        self._noted.clear()

    def _measure(self) -> None:
        """Note when answers began."""
        plain: dict[str, list[float]] = defaultdict(list)
        streams: dict[str, list[float]] = defaultdict(list)
        for entry, _, has_begun in self._noted:
            if has_begun:
                begun = streams if entry[5] and entry[6] < _ERRORS else plain
                begun[entry[7]["x-replay-source"]].append(entry[9])
        for stream, found in ((False, plain), (True, streams)):
            for source, seconds in found.items():
                if source != _PASSED_ON:
                    self._measures.observe(source, seconds, stream=stream)

    def _settle(self) -> None:
        """Have the counts that are new keep to the bounds."""
        new = tuple(islice(reversed(self._counts), len(self._counts) - self._settled))
        counts = [(which, self._counts.pop(which)) for which in new]
        for which, count in reversed(counts):
            self._counts[self._within_bounds(which)] += count
        self._settled = len(self._counts)

    def _within_bounds(self, which: Which) -> Which:
        session, endpoint, source, status, number, drift = which
        if len(self._counts) >= MOST_COUNTS:
            session, drift = OTHERS, (OTHERS,) if drift else ()
        return self._session(session), _KNOWN.get(endpoint, OTHER), source, status, number, drift

    def _session(self, session: str) -> str:
        if session not in self._sessions and len(self._sessions) >= MOST_SESSIONS:
            return OTHERS
        self._sessions.add(session)
        return session

    def _number(self, interaction: Interaction) -> int:
        number = self._numbers.get(id(interaction))
        if number is not None:
            return number
        if len(self._met) >= MOST_INTERACTIONS:
            self._complete = False
            return NONE
        number = len(self._met) + 1
        self._take(interaction, number)
        return number

    def _take(self, interaction: Interaction, number: int) -> None:
        self._numbers[id(interaction)] = number
        self._met[number] = interaction
