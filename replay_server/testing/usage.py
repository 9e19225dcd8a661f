"""What a run of tests used of its cassettes: noted for each test, added up over all workers."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from replay_server.in_process.entry import Entry
from replay_server.terminal import counted

Id = tuple[str, str]
"""A cassette directory, and an interaction in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestUse:
    """What one test used. All of it is JSON, for workers to send."""

    __test__ = False  # pytest: this is no test

    test: str
    directory: str
    own: bool
    """No other test has its cassettes: they are called as it is."""
    held: list[str]
    """The interactions of its cassettes."""
    sources: dict[str, int]
    used: list[str]
    drift: dict[str, str]
    """The fields adrift, by interaction."""
    generated: dict[str, int]
    """How often, by what was asked: `chat/completions gpt-4o-mini`."""
    problems: list[str]
    """What to say of requests that must not be."""
    passed: bool = False

    def as_json(self) -> dict[str, Any]:
        """For another process."""
        return asdict(self)


def test_use(
    *, test: str, directory: str, own: bool, held: Iterable[str], journal: Iterable[Entry], problems: Iterable[str]
) -> TestUse:
    """What a test used, by what was asked."""
    entries = list(journal)
    return TestUse(
        test=test,
        directory=directory,
        own=own,
        held=list(held),
        sources=dict(Counter(entry.source for entry in entries)),
        used=sorted({entry.interaction for entry in entries if entry.interaction}),
        drift={entry.interaction: ", ".join(entry.drift) for entry in entries if entry.interaction and entry.drift},
        generated=dict(Counter(entry.asked for entry in entries if entry.source == "generated")),
        problems=list(problems),
    )


@dataclass(slots=True)
class Usage:
    """What all tests of a run used. `partial`: there are tests that did not run."""

    tests: list[TestUse] = field(default_factory=list)
    partial: bool = False

    @property
    def sources(self) -> Mapping[str, int]:
        """How many answers came from where."""
        return sum((Counter(test.sources) for test in self.tests), Counter())

    def unused(self) -> list[Id]:
        """The interactions that no test used, of the cassettes of tests that passed and recorded nothing.

        Other tests may use a cassette that is not called as one test: in a partial run nobody knows.
        """
        used = {(test.directory, each) for test in self.tests for each in test.used}
        replayed = (test for test in self.tests if test.passed and "upstream" not in test.sources)
        tests = (test for test in replayed if test.own or not self.partial)
        return sorted({(test.directory, each) for test in tests for each in test.held} - used)

    def lines(self) -> Iterator[str]:
        """What there is to say of it: nothing, where all answers came from cassettes just as they were asked for."""
        for test in self.tests:
            yield from (f"generated  {test.test}: {asked}{_times(n)}" for asked, n in test.generated.items())
            yield from (f"drift      {test.test}: {each}: {fields}" for each, fields in test.drift.items())
        yield from (f"unused     {directory}/{each}" for directory, each in self.unused())

    def total(self) -> str:
        """All requests, by where their answers came from."""
        by_source = ", ".join(f"{count} {source}" for source, count in sorted(self.sources.items()))
        return f"{counted(sum(self.sources.values()), 'request')}: {by_source}"


def _times(count: int) -> str:
    return f" ({count} times)" if count > 1 else ""
