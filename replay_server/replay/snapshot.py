"""A report made of a tally: which interaction a count belongs to, also where files have changed meanwhile."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from replay_server.cassettes.digest import digest
from replay_server.cassettes.library import Library
from replay_server.cassettes.redaction.redactor import Redactor
from replay_server.interaction import Interaction
from replay_server.replay.additions import is_added
from replay_server.replay.report import Answers, Kind, Report, Row, in_order, merge
from replay_server.replay.tally import NONE, Which


@dataclass(slots=True)
class _Use:
    """What was counted of one interaction."""

    hits: int = 0
    drift: Counter[str] = field(default_factory=Counter)


_UNUSED = _Use()


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
        uses = self._uses(clean)
        numbers = {id(interaction): number for number, interaction in self.met.items()}
        rows = [self._row(interaction, uses, numbers.pop(id(interaction), NONE)) for interaction in self.held]
        report = Report(
            interactions=in_order(rows),
            answers=tuple(Answers(*which, count) for which, count in sorted(answers.items())),
            sessions=sessions,
            misses=self.misses,
            complete=self.complete,
        )
        if not numbers:
            return report
        return merge([report, Report(interactions=tuple(self._not_held(numbers.values(), uses, rows)))])

    def _uses(self, clean: Callable[[str], str]) -> dict[int, _Use]:
        uses: dict[int, _Use] = defaultdict(_Use)
        for (_, _, _, _, number, drift), count in self.counts.items():
            uses[number].hits += count
            for name in drift:
                uses[number].drift[clean(name)] += count
        return uses

    def _row(self, interaction: Interaction, uses: Mapping[int, _Use], number: int) -> Row:
        """The row of an interaction, with what was counted of it if it has been met."""
        use = uses.get(number, _UNUSED) if number else _UNUSED
        return Row(
            interaction=interaction.id,
            digest=digest(interaction),
            kind=_kind(interaction),
            line=interaction.line,
            hits=use.hits,
            recorded=self.recorded.get(number, 0),
            drift=use.drift,
        )

    def _not_held(self, numbers: Iterable[int], uses: Mapping[int, _Use], rows: Sequence[Row]) -> Iterator[Row]:
        """The rows of interactions that are there no more, or no longer as these objects."""
        documents = {(row.cassette, row.digest): row for row in reversed(rows)}
        for number in numbers:
            row = self._row(self.met[number], uses, number)
            if row.kind is not Kind.ADDED:
                # Its file was read anew: it may be there as it was, perhaps in another place.
                there = documents.get((row.cassette, row.digest), replace(row, kind=Kind.GONE))
                row = replace(row, interaction=there.interaction, kind=there.kind, line=there.line)
            yield row


def held(library: Library) -> Iterator[Interaction]:
    """All interactions of a library."""
    yield from (candidate.interaction for candidate in library)
    yield from (matcher.interaction for matcher in library.matchers or ())


def _kind(interaction: Interaction) -> Kind:
    if is_added(interaction):
        return Kind.ADDED
    if interaction.conditions is not None:
        return Kind.MATCHER
    return Kind.RECORDED if interaction.recorded else Kind.WRITTEN
