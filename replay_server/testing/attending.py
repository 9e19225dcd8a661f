"""A test while it runs: its session, and all that was asked there."""

from dataclasses import dataclass, field
from shlex import quote

from replay_server.in_process import Entry, ReplaySession
from replay_server.testing.marks import Marks
from replay_server.testing.usage import TestUse

_THE_TEST = "pytest TEST "
HOW_TO_RECORD = f"record it: {_THE_TEST}--record-mode new_episodes --upstream URL"
"""How the message of a miss ends, which does not know whose it is."""


@dataclass(slots=True)
class Attending:
    """A session while its test runs. `held`: the interactions of its cassettes, as they were when it began."""

    test: str
    session: ReplaySession
    marks: Marks
    held: list[str]
    heard: list[Entry] = field(default_factory=list)
    """What was asked, also what the journal forgets when it is reset or grows too long."""
    problems: list[str] = field(default_factory=list)
    """What to say of requests that must not be."""
    told: int = 0
    """How many of them somebody has been told of."""
    passed: bool = True
    use: TestUse | None = None
    """What the test used, when it has ended."""

    def hear(self, entry: Entry) -> None:
        """Take a request of the test."""
        self.heard.append(entry)
        if entry.source == "miss" and not self.marks.allow_misses:
            explanation = (entry.explanation or "").replace(_THE_TEST, f"pytest {quote(self.test)} ")
            self.problems.append(f"request {len(self.heard)} of {self.test}: {explanation}")

    def hear_stray(self, entry: Entry, test: str) -> None:
        """Take a request that came in the session of another test, while this one ran."""
        self.problems.append(
            f"{entry.asked} was asked in the session of {test}, which has ended: a client that was made there is still"
            f" in use, and {self.test} is not answered from its own cassettes\n"
            "make a client in each test: clear what keeps it (a global, a cache, a fixture of the module)"
        )

    def untold_problems(self) -> str:
        """What to say of problems that nobody has been told of yet; empty where there are none."""
        new, self.told = self.problems[self.told :], len(self.problems)
        return "\n\n".join(new)
