"""The pytest plugin: a server for the run, a session for each test.

pytest loads this in every run of everybody who has the package installed: so it imports nothing of ours, and does
next to nothing, until a test asks for a server.
"""

from __future__ import annotations

from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from replay_server.in_process import ReplaySession
    from replay_server.testing.attending import Attending
    from replay_server.testing.run import Run

_RUN: pytest.StashKey[Run] = pytest.StashKey()
_FROM_WORKERS = pytest.StashKey[list[Any]]()
_BLOCKS = pytest.StashKey[bool]()
_DESELECTED = pytest.StashKey[bool]()
_ATTENDING: pytest.StashKey[Attending] = pytest.StashKey()
_FIXTURE = "replay_server"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, those that pytest-recording has only where it is not installed."""
    group = parser.getgroup("replay-server", "recorded answers of an API")
    group.addoption(
        "--cassettes",
        dest="replay_cassettes",
        metavar="DIR",
        help="Cassettes of all tests. Default: the ini option replay_cassettes, else `cassettes` beside each module.",
    )
    group.addoption(
        "--upstream",
        dest="replay_upstreams",
        action="append",
        metavar="[MODEL=|/PATH=]URL",
        help="The API that is recorded. Also: REPLAY_SERVER_UPSTREAM.",
    )
    group.addoption(
        "--api-key-env",
        dest="replay_api_key_env",
        action="append",
        metavar="[MODEL=|/PATH=]VARIABLE",
        help="Variable that holds the upstream's key. Default: the client's own key goes on.",
    )
    group.addoption(
        "--replay-prune",
        action="store_true",
        help="Show which interactions of the tests' cassettes would be removed, as no test used them.",
    )
    group.addoption("--replay-prune-write", action="store_true", help="Remove them, if all tests passed.")
    parser.addini("replay_cassettes", "Directory of the cassettes of all tests, below the root directory.")
    if not _recording_is_installed():
        _add_recording_options(group)


def _recording_is_installed() -> bool:
    return find_spec("pytest_recording") is not None


def _add_recording_options(group: pytest.OptionGroup) -> None:
    group.addoption(
        "--record-mode",
        metavar="MODE",
        help="What of the upstream's answers is recorded: none (default), once, new_episodes, all.",
    )
    group.addoption("--block-network", action="store_true", help="Let tests reach nothing but this machine.")
    group.addoption(
        "--allowed-hosts",
        metavar="HOST,…",
        help="Hosts that --block-network lets through, as regular expressions.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers, and refuse options that cannot be used."""
    config.addinivalue_line(
        "markers",
        "cassette(*names, on_miss=, pace=, only=, allow_misses=): run with a server that answers from these cassettes,"
        " by default from the one that is called as the test.",
    )
    config.addinivalue_line(
        "markers", "block_network(allowed_hosts=[...]): let the test reach nothing but this machine and these hosts."
    )
    config.stash[_BLOCKS] = not _recording_is_installed()  # it knows the same marker
    if config.getoption("record_mode", None) or config.getoption("replay_upstreams"):
        _options(config)


def _options(config: pytest.Config) -> Any:
    from replay_server.errors import UsageError
    from replay_server.testing.options import read_options

    try:
        return read_options(config)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_itemcollected(item: pytest.Item) -> None:
    """A marked test has a server, whether it asks for the fixture or not."""
    names = getattr(item, "fixturenames", None)
    if names is not None and _FIXTURE not in names and item.get_closest_marker("cassette"):
        names.insert(0, _FIXTURE)


# Fixtures ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def replay_server(request: pytest.FixtureRequest) -> Iterator[ReplaySession]:
    """The test's own session of the server: `url`, `base_url`, `journal`, `add`, `assert_called` and more."""
    from replay_server.errors import UsageError

    with ExitStack() as stack:
        try:
            attending = stack.enter_context(_run(request.config).attend(request.node))
        except UsageError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        request.node.stash[_ATTENDING] = attending
        yield attending.session
        problems = attending.untold_problems()
    if problems:
        pytest.fail(problems, pytrace=False)


def _run(config: pytest.Config) -> Run:
    if _RUN not in config.stash:
        from replay_server.testing.run import Run

        config.stash[_RUN] = Run(_options(config))
    return config.stash[_RUN]


@pytest.fixture(autouse=True)
def _replay_block_network(request: pytest.FixtureRequest) -> Iterator[None]:
    marker = request.node.get_closest_marker("block_network")
    config = request.config
    if not config.stash[_BLOCKS] or not (marker or config.getoption("block_network", default=False)):
        yield
        return
    from replay_server.testing.network import blocked

    by_option = (config.getoption("allowed_hosts", None) or "").split(",")
    allowed = (marker.kwargs.get("allowed_hosts") if marker else None) or by_option
    with blocked([host.strip() for host in allowed if host.strip()]) as tried:
        yield
    if tried:
        request.node.add_report_section("call", "network", f"blocked: {', '.join(tried)}")


# Tests ---------------------------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """A miss fails its test, also where the code under test has swallowed the error."""
    attending = item.stash.get(_ATTENDING, None)
    try:
        yield
    except BaseException:
        if problems := attending.untold_problems() if attending else "":
            item.add_report_section("call", "replay-server", problems)
        raise
    if problems := attending.untold_problems() if attending else "":
        pytest.fail(problems, pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Notice which tests did not pass: what they did not use is not to be called unused."""
    report = yield
    attending = item.stash.get(_ATTENDING, None)
    if attending and not report.passed:
        attending.passed = False
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Notice that there are tests that will not run, whoever takes them out: some that make shards tell nobody."""
    before = len(items)
    yield
    config.stash[_DESELECTED] = len(items) < before


# The end -------------------------------------------------------------------------------------------------------------


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the servers; a worker tells what its tests used."""
    run = session.config.stash.get(_RUN, None)
    if run is None:
        return
    run.stop()
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        told = {"tests": [use.as_json() for use in run.uses()], "deselected": _deselected(session.config)}
        output[_FIXTURE] = told


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a worker of pytest-xdist tells; one that crashed tells nothing."""
    told = getattr(node, "workeroutput", {}).get(_FIXTURE)
    if told:
        node.config.stash.setdefault(_FROM_WORKERS, []).append(told)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workeroutput")


def _deselected(config: pytest.Config) -> bool:
    return config.stash.get(_DESELECTED, False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    """Say what was generated, what drifts and what nobody used; remove the last, if that is wanted."""
    run, workers = config.stash.get(_RUN, None), config.stash.get(_FROM_WORKERS, [])
    if (run is None and not workers) or _is_worker(config):  # a worker has a reporter too, but knows only its own
        return
    from replay_server.testing.summary import summarise

    tests = [use.as_json() for use in run.uses()] if run else []
    deselected = _deselected(config) or any(told["deselected"] for told in workers)
    everything = [*tests, *(use for told in workers for use in told["tests"])]
    summarise(terminalreporter, everything, deselected=deselected, passed=exitstatus == pytest.ExitCode.OK)
