"""A run of tests in one process: its servers, one for each cassette directory, and a session for each test."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

import pytest

from replay_server.errors import UsageError
from replay_server.in_process import Entry, ReplayServer, ReplaySession
from replay_server.testing.environment import pointing_at
from replay_server.testing.marks import Marks, read_marks
from replay_server.testing.names import cassette_of, session_of
from replay_server.testing.options import Options
from replay_server.testing.usage import TestUse, test_use


@dataclass(slots=True)
class Attending:
    """A session while its test runs. `told`: how many of its misses somebody has been told of."""

    test: str
    session: ReplaySession
    marks: Marks
    told: int = 0
    passed: bool = True
    use: TestUse | None = None
    """What the test used, when it has ended."""

    def misses(self) -> str:
        """What to say of misses that nobody has been told of yet; empty where there are none."""
        every = self.all_misses()
        new, self.told = every[self.told :], len(every)
        return "\n\n".join(new)

    def all_misses(self) -> list[str]:
        """What to say of each miss, unless misses are allowed."""
        if self.marks.allow_misses:
            return []
        return [self._explained(entry) for entry in self.session.journal if entry.source == "miss"]

    def _explained(self, entry: Entry) -> str:
        number = entry.id.rpartition("#")[2]
        explanation = (entry.explanation or "").replace(_THE_TEST, f"pytest {quote(self.test)} ")
        return f"request {number} of {self.test}: {explanation}"


_THE_TEST = "pytest TEST "
_HOW_TO_RECORD = f"record it: {_THE_TEST}--record-mode new_episodes --upstream URL"


class Run:
    """Starts what tests need when they first need it."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._servers: dict[Path, ReplayServer] = {}
        self._attended: dict[str, Attending] = {}

    @contextmanager
    def attend(self, item: pytest.Item) -> Iterator[Attending]:
        """A session for a test, with the environment pointing at it. Raises UsageError."""
        module = Path(item.path)
        marks = read_marks((mark.args, mark.kwargs) for mark in item.iter_markers("cassette"))
        directory = self._options.cassettes_of(module)
        cassettes = marks.cassettes(cassette_of(item.nodeid, module, self._options.folder_of(module)))
        server = self._server(directory)
        self._check_named(server, directory, marks)
        server.session(session_of(item.nodeid)).end()  # a test that is run again begins anew
        session = server.session(
            session_of(item.nodeid), cassettes=cassettes, only=True, on_miss=marks.on_miss, pace=marks.pace
        )
        with pointing_at(session.url, keep_keys=bool(self._options.upstreams)):
            attending = self._attended[item.nodeid] = Attending(item.nodeid, session, marks)
            yield attending
        attending.use = self._use(attending, directory)
        session.end()

    def _server(self, directory: Path) -> ReplayServer:
        if directory not in self._servers:
            options = self._options
            self._servers[directory] = ReplayServer(
                directory,
                on_miss="error",
                upstream=options.upstreams,
                api_key_env=options.key_variables,
                record_mode=options.record_mode,
                remedy=_HOW_TO_RECORD,
            ).start()
        return self._servers[directory]

    def _check_named(self, server: ReplayServer, directory: Path, marks: Marks) -> None:
        """Raise UsageError for a cassette that is not there, where none will be recorded."""
        if self._options.record_mode != "none":
            return
        for name in marks.names:
            if not server.session("there", cassettes=name).interactions():
                raise UsageError(f"@pytest.mark.cassette: {directory} holds no cassette {name!r}")

    def _use(self, attending: Attending, directory: Path) -> TestUse:
        session = attending.session
        shown = directory.relative_to(self._options.root) if directory.is_relative_to(self._options.root) else directory
        held = [name for name in session.interactions() if not name.startswith("run-time/")]
        return test_use(
            test=attending.test,
            directory=str(shown),
            own=not attending.marks.names,
            held=held,
            journal=session.journal,
            misses=attending.all_misses(),
        )

    def uses(self) -> list[TestUse]:
        """What the tests used that have ended."""
        return [replace(each.use, passed=each.passed) for each in self._attended.values() if each.use]

    def stop(self) -> None:
        """Stop the servers."""
        for server in self._servers.values():
            server.stop()
