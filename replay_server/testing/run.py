"""A run of tests in one process: its servers, one for each cassette directory, and a session for each test."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from replay_server.errors import UsageError
from replay_server.in_process import Entry, ReplayServer
from replay_server.testing.attending import HOW_TO_RECORD, Attending
from replay_server.testing.environment import pointing_at
from replay_server.testing.marks import Marks, read_marks
from replay_server.testing.names import cassettes_of, session_of
from replay_server.testing.options import Options
from replay_server.testing.usage import TestUse, test_use


class Run:
    """Starts what tests need when they first need it."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._servers: dict[Path, ReplayServer] = {}
        self._attended: dict[str, Attending] = {}
        self._by_session: dict[str, Attending] = {}
        self._now: Attending | None = None

    @contextmanager
    def attend(self, item: pytest.Item) -> Iterator[Attending]:
        """A session for a test, with the environment pointing at it. Raises UsageError."""
        module = Path(item.path)
        marks = read_marks((mark.args, mark.kwargs) for mark in item.iter_markers("cassette"))
        directory = self._options.cassettes_of(module)
        cassettes = marks.cassettes(cassettes_of(item.nodeid, module, self._options.folder_of(module)))
        server = self._server(directory)
        self._check_named(server, directory, marks)
        name = session_of(item.nodeid)
        server.session(name).end()  # a test that is run again begins anew
        session = server.session(name, cassettes=cassettes, only=True, on_miss=marks.on_miss, pace=marks.pace)
        attending = Attending(item.nodeid, session, marks, session.interactions())
        self._attended[item.nodeid] = self._by_session[name] = self._now = attending
        with pointing_at(session.url, keep_keys=bool(self._options.upstreams)):
            yield attending
        self._now = None
        attending.use = self._use(attending, directory)
        attending.heard.clear()  # its requests may be long
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
                remedy=HOW_TO_RECORD,
            ).start()
            self._servers[directory].listen(self._hear)
        return self._servers[directory]

    def _hear(self, entry: Entry) -> None:
        attending = self._by_session.get(entry.session or "")
        if attending is not None and attending is self._now:
            attending.hear(entry)
        elif attending is not None and self._now is not None:
            self._now.hear_stray(entry, attending.test)

    def _check_named(self, server: ReplayServer, directory: Path, marks: Marks) -> None:
        """Raise UsageError for a cassette that is not there, where none will be recorded."""
        if self._options.record_mode != "none":
            return
        for name in marks.names:
            if not server.session("there", cassettes=name).interactions():
                raise UsageError(f"@pytest.mark.cassette: {directory} holds no cassette {name!r}")

    def _use(self, attending: Attending, directory: Path) -> TestUse:
        root = self._options.root
        return test_use(
            test=attending.test,
            directory=str(directory.relative_to(root) if directory.is_relative_to(root) else directory),
            own=not attending.marks.names,
            held=attending.held,
            journal=attending.heard,
            problems=attending.problems,
        )

    def uses(self) -> list[TestUse]:
        """What the tests used that have ended."""
        return [replace(each.use, passed=each.passed) for each in self._attended.values() if each.use]

    def stop(self) -> None:
        """Stop the servers."""
        for server in self._servers.values():
            server.stop()
