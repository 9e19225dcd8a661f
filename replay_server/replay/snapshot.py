"""A report made of a tally: which interaction a count belongs to, also where files have changed meanwhile."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from replay_server.cassettes.digest import digest
from replay_server.cassettes.library import Library
from replay_server.cassettes.redaction.redactor import Redactor
from replay_server.interaction import Interaction
from replay_server.replay.additions import is_added
from replay_server.replay.report import Answers, Kind, Report, Row, merge
from replay_server.replay.tally import Which

_NEVER_MET = -1


@dataclass(slots=True)
class _Use:
    """What was counted of one interaction."""

    hits: int = 0
    drift: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A tally at one moment, and what the library held then. `met` and `recorded` are by number."""

    counts: Mapping[Which, int]
    met: Mapping[int, Interaction]
    recorded: Mapping[int, int]
    misses: Mapping[str, int]
    complete: bool
    held: tuple[Interaction, ...]
    redactor: Redactor

    def report(self) -> Report:
        """The report. Names that clients have given are without secrets."""
        clean = cache(self.redactor.text)
        answers: Counter[tuple[str, str, int]] = Counter()
        sessions: dict[str, Counter[str]] = defaultdict(Counter)
        for (session, endpoint, source, status, _, _), count in self.counts.items():
            answers[endpoint, source, status] += count
            sessions[clean(session)][source] += count
        report = Report(
            interactions=tuple(self._rows(clean)),
            answers=tuple(Answers(*which, count) for which, count in answers.items()),
            sessions=sessions,
            misses=self.misses,
            complete=self.complete,
        )
        return merge([report])  # which puts it in order, and rows of one document together

    def _rows(self, clean: Callable[[str], str]) -> Iterator[Row]:
        uses = self._uses(clean)
        for number, row in self._places():
            use = uses.get(number) or _Use()
            yield replace(row, hits=use.hits, recorded=self.recorded.get(number, 0), drift=dict(use.drift))

    def _uses(self, clean: Callable[[str], str]) -> dict[int, _Use]:
        uses: dict[int, _Use] = defaultdict(_Use)
        for (_, _, _, _, number, drift), count in self.counts.items():
            uses[number].hits += count
            for name in drift:
                uses[number].drift[clean(name)] += count
        return uses

    def _places(self) -> Iterator[tuple[int, Row]]:
        """The place of each interaction that is there or was, and its number if it has been met."""
        numbers = {id(interaction): number for number, interaction in self.met.items()}
        rows = {id(interaction): _row(interaction) for interaction in self.held}
        yield from ((numbers.get(identity, _NEVER_MET), row) for identity, row in rows.items())
        documents = {(row.cassette, row.digest): row for row in reversed(rows.values())}
        for number in (numbers[identity] for identity in numbers.keys() - rows.keys()):
            row = _row(self.met[number])
            # Its file was read anew: it may be there as it was, perhaps in another place.
            gone = row if row.kind is Kind.ADDED else replace(row, kind=Kind.GONE)
            yield number, documents.get((row.cassette, row.digest), gone)


def held(library: Library) -> Iterator[Interaction]:
    """All interactions of a library."""
    yield from (candidate.interaction for candidate in library)
    yield from (matcher.interaction for matcher in library.matchers or ())


def _row(interaction: Interaction) -> Row:
    return Row(interaction=interaction.id, digest=digest(interaction), kind=_kind(interaction), line=interaction.line)


def _kind(interaction: Interaction) -> Kind:
    if is_added(interaction):
        return Kind.ADDED
    if interaction.conditions is not None:
        return Kind.MATCHER
    return Kind.RECORDED if interaction.recorded else Kind.WRITTEN
