"""What a run really used: a value that is written, read again, and put together with those of other runs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from replay_server.terminal import counted

VERSION = 1
"""Of the form in which a report is written."""


class Kind(StrEnum):
    """What an interaction is."""

    RECORDED = "recorded"
    WRITTEN = "written"
    MATCHER = "matcher"
    ADDED = "added"
    """At run time: it is in no file."""
    GONE = "gone"
    """It was there, and has been changed or taken out since."""

    @property
    def is_kept(self) -> bool:
        """Whether it is a document of a cassette."""
        return self not in (Kind.ADDED, Kind.GONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One interaction: how often it answered, and how often each field was adrift in that."""

    interaction: str
    """Its id, such as `weather.yaml#3`."""
    digest: str
    """What it says: another document in the same place is another interaction."""
    kind: Kind
    line: int = 1
    hits: int = 0
    recorded: int = 0
    """How often an answer was recorded into it, or found to be there already."""
    drift: Mapping[str, int] = field(default_factory=dict)

    @property
    def used(self) -> bool:
        """Whether the run had need of it."""
        return self.hits > 0 or self.recorded > 0

    @property
    def cassette(self) -> str:
        """The file that it is in."""
        return self.interaction.rpartition("#")[0]


@dataclass(frozen=True, slots=True)
class Answers:
    """How many answers an endpoint gave, by where they came from and with which status."""

    endpoint: str
    source: str
    status: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was used. The empty one is that of a run without cassettes that was asked nothing."""

    interactions: tuple[Row, ...] = ()
    answers: tuple[Answers, ...] = ()
    sessions: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By session, how many answers came from where. The empty text is that of requests that name none."""
    misses: Mapping[str, int] = field(default_factory=dict)
    """By explanation, how often."""
    complete: bool = True
    """False: there were more interactions than could be told apart, so that one that was used may seem unused."""

    @property
    def requests(self) -> int:
        """How many answers there were."""
        return sum(answers.count for answers in self.answers)

    @property
    def sources(self) -> Mapping[str, int]:
        """How many answers came from where, the most frequent first."""
        counts: Counter[str] = Counter()
        for answers in self.answers:
            counts[answers.source] += answers.count
        return dict(sorted(counts.items(), key=lambda found: (-found[1], found[0])))

    @property
    def kept(self) -> tuple[Row, ...]:
        """The interactions that are documents of cassettes."""
        return tuple(row for row in self.interactions if row.kind.is_kept)

    @property
    def unused(self) -> tuple[Row, ...]:
        """The documents of cassettes that nobody had need of."""
        return tuple(row for row in self.kept if not row.used)

    @property
    def adrift(self) -> tuple[Row, ...]:
        """The interactions that answered requests with other parameters."""
        return tuple(row for row in self.interactions if row.drift)


def merge(reports: Iterable[Report]) -> Report:
    """One report of several runs: what one of them used is used. The order of them makes no difference."""
    rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
    answers: Counter[tuple[str, str, int]] = Counter()
    sessions: dict[str, Counter[str]] = defaultdict(Counter)
    misses: Counter[str] = Counter()
    complete = True
    for report in reports:
        for row in report.interactions:
            rows[row.interaction, row.digest].append(row)
        for each in report.answers:
            answers[each.endpoint, each.source, each.status] += each.count
        for session, sources in report.sessions.items():
            sessions[session].update(sources)
        misses.update(report.misses)
        complete = complete and report.complete
    return Report(
        interactions=in_order(map(_together, rows.values())),
        answers=tuple(Answers(*which, count) for which, count in sorted(answers.items())),
        sessions={session: dict(sources) for session, sources in sessions.items()},
        misses=dict(misses),
        complete=complete,
    )


def in_order(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Rows in the order of cassettes and places."""
    return tuple(sorted(rows, key=_place))


def _place(row: Row) -> tuple[str, int, str]:
    cassette, _, place = row.interaction.rpartition("#")
    return cassette, int(place), row.digest


def _together(rows: list[Row]) -> Row:
    if len(rows) == 1:
        return rows[0]
    first, drift = rows[0], Counter[str]()
    for row in rows:
        drift.update(row.drift)
    return Row(
        interaction=first.interaction,
        digest=first.digest,
        kind=min((row.kind for row in rows), key=list(Kind).index),  # gone here, and there in another run
        line=min(row.line for row in rows),
        hits=sum(row.hits for row in rows),
        recorded=sum(row.recorded for row in rows),
        drift=dict(drift),
    )


# What a run must not do ----------------------------------------------------------------------------------------------


class FailOn(StrEnum):
    """What makes a run fail, where somebody says so."""

    MISS = "miss"
    GENERATED = "generated"
    UNUSED = "unused"
    DRIFT = "drift"


def parse_fail_on(text: str) -> tuple[FailOn, ...]:
    """The words of a list with commas. Raises ValueError for one that there is not."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        if word not in list(FailOn):
            raise ValueError(f"{word!r} is none of {', '.join(FailOn)}")
    return tuple(FailOn(word) for word in dict.fromkeys(words))


def failures(report: Report, fail_on: Iterable[FailOn]) -> list[str]:
    """What a run fails on, a line each; none: it does not."""
    counts = {
        FailOn.MISS: (report.sources.get("miss", 0), "missed request"),
        FailOn.GENERATED: (report.sources.get("generated", 0), "generated answer"),
        FailOn.UNUSED: (len(report.unused), "unused interaction"),
        FailOn.DRIFT: (len(report.adrift), "drifting interaction"),
    }
    return [f"--fail-on {word}: {counted(*counts[word])}" for word in fail_on if counts[word][0]]
