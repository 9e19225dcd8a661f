"""The pytest plugin, as the tests of its users see it: their code asks the real client."""

import asyncio
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI

import replay_server
from replay_server import ReplayServer, pytest_plugin
from tests.conftest import CASSETTES

ROOT = Path(__file__).parent.parent
PLUGINS = ("-p", "replay_server.pytest_plugin", "-p", "no:cacheprovider")
ASK = """
import pytest
from openai import AsyncOpenAI, AzureOpenAI, NotFoundError, OpenAI

def asked(text):
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]}

def ask(text, **options):
    with OpenAI(max_retries=0) as client:
        return client.chat.completions.create(**asked(text), **options).choices[0].message.content

GREETING = "Hello! How can I help you today?"
"""

ASK_QUICKLY = """
import json
import os
import pytest
from urllib.request import Request, urlopen

def ask(text, **options):
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}], **options}
    url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
    with urlopen(Request(url, json.dumps(body).encode())) as response:
        return json.load(response)["choices"][0]["message"]["content"]
"""
"""For tests of several processes: the real client takes a second to import."""

Run = Callable[..., pytest.RunResult]


@pytest.fixture(scope="session")
def _loaded() -> None:
    """Import whatever the runs in this process import, and remember it.

    pytester forgets what a run has imported, and a second copy of a library does not know the errors of the first.
    """
    for module in walk_packages(replay_server.__path__, "replay_server."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    with ReplayServer(CASSETTES) as server:
        asked: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Say hello."}]}
        with OpenAI(base_url=server.base_url, api_key="any") as client:
            client.chat.completions.create(**asked)

        async def ask() -> None:
            async with AsyncOpenAI(base_url=server.base_url, api_key="any") as client:
                await client.chat.completions.create(**asked)

        asyncio.run(ask())


@pytest.fixture
def project(_loaded: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project whose tests are beside the cassette of a greeting."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    (pytester.path / "cassettes").mkdir()
    shutil.copy(CASSETTES / "greeting.yaml", pytester.path / "cassettes")
    return pytester


@pytest.fixture
def run(project: pytest.Pytester) -> Run:
    """Run the tests of a module in this process: `run(code, *options)`."""

    def run(code: str, *options: str, module: str = "test_app") -> pytest.RunResult:
        project.makepyfile(**{module: ASK + code})
        return project.runpytest_inprocess(*PLUGINS, *options)

    return run


@pytest.fixture
def upstream() -> Iterator[str]:
    """The URL of an API that can be recorded."""
    with ReplayServer("no cassettes") as server:
        yield server.base_url


def recorded(project: pytest.Pytester) -> list[str]:
    folder = project.path / "cassettes"
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.yaml") if path.parent != folder)


# A test and its server -----------------------------------------------------------------------------------------------


def test_a_test_that_asks_for_the_fixture_is_answered(run: Run) -> None:
    result = run(
        """
def test_it(replay_server):
    assert ask("Say hello.") == GREETING
    (entry,) = replay_server.assert_called(times=1, contains="hello")
    assert entry.interaction == "greeting.yaml#1"
    with OpenAI(base_url=replay_server.base_url, api_key="mine") as client:
        assert client.models.list().data
"""
    )

    result.assert_outcomes(passed=1)


def test_a_marked_test_needs_no_fixture(run: Run) -> None:
    result = run(
        """
import unittest

@pytest.mark.cassette
def test_function():
    assert ask("Say hello.") == GREETING

@pytest.mark.cassette("greeting", only=True)
class TestClass:
    @pytest.mark.parametrize("place", ["paris", "a/b"])
    def test_method(self, place):
        assert ask("Say hello.") == GREETING

@pytest.mark.cassette
class TestCase(unittest.TestCase):
    def test_case(self):
        self.assertEqual(ask("Say hello."), GREETING)
"""
    )

    result.assert_outcomes(passed=4)


def test_asynchronous_tests_are_answered_and_may_block(run: Run) -> None:
    result = run(
        """
@pytest.mark.asyncio
async def test_it(replay_server):
    async with AsyncOpenAI() as client:
        answer = await client.chat.completions.create(**asked("Say hello."))
    assert answer.choices[0].message.content == ask("Say hello.") == GREETING
    assert len(replay_server.journal) == 2
""",
        *("-p", "pytest_asyncio.plugin", "-o", "asyncio_default_fixture_loop_scope=function"),
    )

    result.assert_outcomes(passed=1)


def test_the_variables_of_all_clients_are_set_for_the_test_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-real")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    result = run(
        """
import os

def test_with(replay_server):
    assert os.environ["OPENAI_BASE_URL"] == os.environ["OPENAI_API_BASE"] == replay_server.base_url
    assert os.environ["AZURE_OPENAI_ENDPOINT"] == os.environ["ANTHROPIC_BASE_URL"] == replay_server.url
    for name in ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        assert os.environ[name] == "replay-server"
    assert ask("Say hello.") == GREETING
    with AzureOpenAI(api_version="2024-10-21") as client:
        assert client.chat.completions.create(**asked("Say hello.")).choices[0].message.content == GREETING

def test_without():
    assert (os.environ["OPENAI_API_KEY"], "OPENAI_BASE_URL" in os.environ) == ("sk-real", False)
"""
    )

    result.assert_outcomes(passed=2)


def test_each_test_has_a_session_of_its_own(run: Run, project: pytest.Pytester) -> None:
    (project.path / "cassettes" / "turns.yaml").write_text(
        "request: {model: gpt-4o-mini, messages: [{role: user, content: Next}]}\n"
        "response: [{content: one}, {content: two}]\n"
    )
    result = run(
        """
@pytest.mark.parametrize("round", range(2))
def test_it(replay_server, round):
    assert [ask("Next"), ask("Next")] == ["one", "two"]
    replay_server.add(request=asked("Say hello."), response={"content": f"{round}"})
    assert ask("Say hello.") == f"{round}"
    assert len(replay_server.journal) == 3

def test_another(replay_server):
    assert ask("Say hello.") == GREETING
"""
    )

    result.assert_outcomes(passed=3)


def test_a_marker_names_cassettes_pace_and_what_answers_a_miss(run: Run, project: pytest.Pytester) -> None:
    (project.path / "cassettes" / "tools").mkdir()
    (project.path / "cassettes" / "tools" / "hello.yaml").write_text(
        "request: {model: gpt-4o-mini, messages: [{role: user, content: Say hello.}]}\nresponse: {content: Tool}\n"
    )
    result = run(
        """
pytestmark = pytest.mark.cassette(pace="ttft=1ms")

@pytest.mark.cassette("tools")
def test_folder():
    assert ask("Say hello.") == "Tool"

@pytest.mark.cassette("tools/hello.yaml", on_miss="generate")
def test_file(replay_server):
    assert ask("Say hello.") == "Tool"
    assert ask("Say hullo.")
    assert [entry.source for entry in replay_server.journal] == ["cassette", "generated"]

def test_other():
    assert ask("Say hello.") == GREETING
"""
    )

    result.assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("marker", "problem"),
    [
        ("'wether'", "*@pytest.mark.cassette: *cassettes holds no cassette 'wether'"),
        ("on_mis='generate'", "*there is no on_mis=: the options are on_miss, pace, only, allow_misses"),
        ("pace='slow'", "*pace: 'slow' is no pace*"),
        ("on_miss='upstream'", "*--on-miss upstream needs an upstream: add --upstream URL"),
    ],
    ids=["name", "option", "pace", "upstream"],
)
def test_a_marker_that_cannot_be_is_an_error(run: Run, marker: str, problem: str) -> None:
    result = run(f"@pytest.mark.cassette({marker})\ndef test_it(): pass\n")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([problem])
    result.stdout.no_fnmatch_line("*another exception*")


# Misses --------------------------------------------------------------------------------------------------------------


def test_a_miss_fails_its_test_also_where_its_error_is_swallowed(run: Run) -> None:
    result = run(
        """
def test_swallows(replay_server):
    try:
        ask("Say hullo.")
    except NotFoundError:
        pass
"""
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "request 1 of test_app.py::test_swallows: no interaction for chat/completions (key *) in *cassettes*",
            "*greeting.yaml#1*'Say hello.'*'Say hullo.'*",
            "record it: pytest test_app.py::test_swallows --record-mode new_episodes --upstream URL",
        ]
    )


def test_a_test_that_fails_by_a_miss_shows_its_explanation_too(run: Run) -> None:
    result = run("def test_it(replay_server):\n    ask('Say hullo.')\n")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *NotFoundError*", "*Captured replay-server call*", "request 1 of *"])


def test_a_miss_of_a_later_fixture_is_an_error(run: Run) -> None:
    result = run(
        """
@pytest.fixture
def closing(replay_server):
    yield
    with pytest.raises(NotFoundError):
        ask("Say goodbye.")

def test_it(closing):
    ask("Say hello.")
"""
    )

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["request 2 of test_app.py::test_it: no interaction *"])


def test_a_miss_fails_its_test_also_where_the_journal_is_reset(run: Run) -> None:
    result = run(
        """
def test_resets(replay_server):
    with pytest.raises(NotFoundError):
        ask("Say hullo.")
    replay_server.reset()
    ask("Say hello.")
    with pytest.raises(NotFoundError):
        ask("Say hullo.")
"""
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["request 1 of test_app.py::test_resets: *", "request 3 of test_app.py::test_resets: *"]
    )


def test_a_client_that_outlives_its_test_fails_the_next_one(run: Run) -> None:
    result = run(
        """
@pytest.fixture(scope="module")
def urls():
    return []

@pytest.mark.parametrize("round", range(2))
def test_it(replay_server, urls, round):
    urls.append(replay_server.base_url)
    with OpenAI(base_url=urls[0], api_key="any") as client:
        client.chat.completions.create(**asked("Say hello."))
"""
    )

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["chat/completions gpt-4o-mini was asked in the session of test_app.py::test_it[[]0], which has ended: *"]
    )


def test_misses_may_be_allowed_or_expected(run: Run) -> None:
    result = run(
        """
@pytest.mark.cassette(allow_misses=True)
def test_allowed():
    with pytest.raises(NotFoundError):
        ask("Say hullo.")

@pytest.mark.xfail(strict=True)
@pytest.mark.cassette
def test_expected():
    with pytest.raises(NotFoundError):
        ask("Say hullo.")
"""
    )

    result.assert_outcomes(passed=1, xfailed=1)


def test_a_test_that_asks_for_nothing_is_left_alone(run: Run, project: pytest.Pytester) -> None:
    result = run("import sys\ndef test_it():\n    assert True\n")

    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*replay-server*")


# Cassettes and recording ---------------------------------------------------------------------------------------------

TWO_TESTS = """
@pytest.mark.cassette
@pytest.mark.parametrize("place", ["paris", "Rio de Janeiro"])
def test_rain(place):
    assert ask(f"Does it rain in {place}?") and ask("And tomorrow?")
"""


def test_each_test_is_recorded_into_a_cassette_of_its_own(run: Run, project: pytest.Pytester, upstream: str) -> None:
    made = run(TWO_TESTS, "--record-mode", "once", "--upstream", upstream, "--block-network")
    again = run(TWO_TESTS)

    made.assert_outcomes(passed=2)
    again.assert_outcomes(passed=2)
    assert [name.rpartition("-")[0] for name in recorded(project)] == [
        "test_app/test_rain-Rio-de-Janeiro-85600a14/and-tomorrow",
        "test_app/test_rain-Rio-de-Janeiro-85600a14/does-it-rain-in-rio-de-janeiro",
        "test_app/test_rain-paris/and-tomorrow",
        "test_app/test_rain-paris/does-it-rain-in-paris",
    ]


@pytest.mark.slow
def test_workers_record_the_same_as_one_process(project: pytest.Pytester, upstream: str) -> None:
    project.makepyfile(test_app=ASK_QUICKLY + TWO_TESTS)
    options = (*PLUGINS, "-p", "xdist.plugin", "-n", "2")

    made = project.runpytest_subprocess(*options, "--record-mode", "new_episodes", "--upstream", upstream)
    files = recorded(project)
    again = project.runpytest_subprocess(*options, "--record-mode", "new_episodes", "--upstream", upstream)

    made.assert_outcomes(passed=2)
    again.assert_outcomes(passed=2)
    assert (len(files), recorded(project)) == (4, files)


def test_a_file_that_is_called_as_the_test_is_its_cassette(run: Run, project: pytest.Pytester) -> None:
    (project.path / "cassettes" / "test_app").mkdir()
    (project.path / "cassettes" / "test_app" / "test_it.yaml").write_text(
        "request: {model: gpt-4o-mini, messages: [{role: user, content: Say hello.}]}\nresponse: {content: Mine}\n"
    )
    result = run(
        """
def test_it(replay_server):
    assert ask("Say hello.") == "Mine"

def test_another(replay_server):
    assert ask("Say hello.") == GREETING
"""
    )

    result.assert_outcomes(passed=2)


@pytest.mark.parametrize("how", ["option", "ini"])
def test_one_directory_may_hold_the_cassettes_of_all(project: pytest.Pytester, how: str) -> None:
    (project.path / "cassettes").rename(project.path / "shared")
    if how == "ini":
        project.makeini("[pytest]\nreplay_cassettes = shared\n")
    for folder in ("unit", "integration"):
        (project.path / folder).mkdir()
        (project.path / folder / f"test_{folder}.py").write_text(
            f"{ASK}\ndef test_it(replay_server):\n    assert ask('Say hello.') == GREETING\n"
        )

    options = ("--cassettes", "shared") if how == "option" else ()
    result = project.runpytest_inprocess(*PLUGINS, *options)

    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--record-mode", "once"), "--record-mode once needs an upstream: add --upstream URL"),
        (("--record-mode", "onse"), "Invalid value for '--record-mode': 'onse' is not one of 'none', *"),
        (("--record-mode", "rewrite"), "--record-mode rewrite is not there: --record-mode all records everything *"),
        (("--upstream", "api.openai.com"), "--upstream 'api.openai.com' is no URL*"),
    ],
    ids=["no upstream", "word", "rewrite", "no URL"],
)
def test_options_that_cannot_be_stop_the_run(run: Run, options: tuple[str, ...], problem: str) -> None:
    result = run("def test_it(): pass\n", *options)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {problem}"])


def test_an_upstream_may_come_from_the_environment_and_gets_the_key_that_is_there(
    run: Run, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-real")
    with ReplayServer(CASSETTES, api_key="sk-real") as server:
        monkeypatch.setenv("REPLAY_SERVER_UPSTREAM", server.base_url)
        result = run("def test_it(replay_server):\n    ask('Say it.')\n", "--record-mode", "all")

        assert [entry.status for entry in server.journal] == [200]
    result.assert_outcomes(passed=1)
    assert len(recorded(project)) == 1


# The network ---------------------------------------------------------------------------------------------------------


def test_the_network_is_blocked_by_option_and_by_marker(run: Run, project: pytest.Pytester) -> None:
    code = """
import httpx
import socket

@pytest.mark.cassette
def test_server():
    assert ask("Say hello.") == GREETING

def test_elsewhere():
    httpx.get("https://api.example.com")

@pytest.mark.block_network
def test_marked():
    with pytest.raises(RuntimeError, match="Network is disabled"):
        httpx.get("https://api.example.com")

@pytest.mark.block_network(allowed_hosts=["203.0.113.*"])
def test_allowed():
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.connect_ex(("203.0.113.1", 443))
    with pytest.raises(RuntimeError, match="203.0.113.1" and "192.0.2.1:443"):
        socket.create_connection(("192.0.2.1", 443))
"""
    result = run(code, "--block-network")

    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*NetworkBlocked: Network is disabled: the test tried to reach api.example.com:443;*"])


def test_hosts_are_allowed_by_option(run: Run) -> None:
    code = """
import socket

def test_it():
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.connect_ex(("203.0.113.1", 443))
"""
    run(code, "--block-network", "--allowed-hosts", "192.0.2.1, 203.0.113.1").assert_outcomes(passed=1)
    run(code, "--block-network").assert_outcomes(failed=1)


def test_the_options_of_pytest_recording_are_its_own_where_it_is_installed(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.makepyfile(
        pytest_recording="""
def pytest_addoption(parser):
    parser.addoption("--record-mode", choices=["none", "once", "rewrite"], default="none")
    parser.addoption("--block-network", action="store_true")
""",
        test_app=f"{ASK}\ndef test_it(replay_server):\n    assert ask('Say hello.') == GREETING\n",
    )
    monkeypatch.syspath_prepend(project.path)

    result = project.runpytest_inprocess("-p", "pytest_recording", *PLUGINS, "--record-mode", "none")

    result.assert_outcomes(passed=1)


# The summary ---------------------------------------------------------------------------------------------------------

USES = """
@pytest.mark.cassette(on_miss="generate")
def test_generates():
    ask("Say anything.")

@pytest.mark.cassette("drifting")
def test_drifts():
    ask("Say hello.", temperature=1)
"""
DRIFTING = """
request: {model: gpt-4o-mini, temperature: 0, messages: [{role: user, content: Say hello.}]}
response: {content: Hi}
---
# nobody asks this
request: {model: gpt-4o-mini, messages: [{role: user, content: Say nothing.}]}
response: {content: ""}
"""


@pytest.fixture
def drifting(project: pytest.Pytester) -> Path:
    """A cassette with an interaction that drifts and one that nobody uses."""
    path = project.path / "cassettes" / "drifting.yaml"
    path.write_text(DRIFTING.lstrip())
    return path


@pytest.mark.parametrize("workers", [False, True], ids=["one process", "two workers"])
def test_the_summary_says_what_was_generated_drifts_and_is_unused(
    project: pytest.Pytester, drifting: Path, workers: bool
) -> None:
    project.makepyfile(test_app=ASK_QUICKLY + USES)

    if workers:
        result = project.runpytest_subprocess(*PLUGINS, "-p", "xdist.plugin", "-n", "2")
    else:
        result = project.runpytest_inprocess(*PLUGINS)

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "=*= replay-server =*=",
            "2 requests: 1 cassette, 1 generated",
            "unused     cassettes/drifting.yaml#2",
        ]
    )
    result.stdout.fnmatch_lines(["generated  test_app.py::test_generates: chat/completions gpt-4o-mini"])
    result.stdout.fnmatch_lines(["drift      test_app.py::test_drifts: drifting.yaml#1: temperature"])


@pytest.mark.parametrize(
    ("options", "said", "pruned"),
    [
        (("--replay-prune",), "1 unused interaction would be removed: do it with --replay-prune-write", False),
        (("--replay-prune-write",), "1 unused interaction removed", True),
        (("--replay-prune-write", "test_app.py"), "nothing is to be pruned", False),
        (
            ("--replay-prune-write", "-k", "drifts"),
            "nothing is pruned: there were tests that failed or did not *",
            False,
        ),
        (
            ("--replay-prune-write", "--ignore", "other.py"),
            "nothing is pruned: there were tests that failed or *",
            False,
        ),
    ],
    ids=["shown", "written", "by name", "deselected", "ignored"],
)
def test_what_is_unused_is_pruned_if_that_is_wanted_and_safe(
    run: Run, drifting: Path, options: tuple[str, ...], said: str, pruned: bool
) -> None:
    result = run(USES, *options)

    result.stdout.fnmatch_lines([said])
    first = DRIFTING.lstrip().partition("---\n")[0]
    assert drifting.read_text() == (first if pruned else DRIFTING.lstrip())


def test_what_a_test_used_before_it_ended_its_session_is_kept(run: Run, drifting: Path) -> None:
    forgets = """
@pytest.mark.cassette("drifting")
def test_forgets(replay_server):
    ask("Say hello.")
    replay_server.end()
"""
    result = run(forgets, "--replay-prune-write")

    result.stdout.fnmatch_lines(["unused     cassettes/drifting.yaml#2", "1 unused interaction removed"])
    assert drifting.read_text() == DRIFTING.lstrip().partition("---\n")[0]


@pytest.mark.parametrize(
    "conftest",
    [
        "def pytest_collection_modifyitems(items):\n    items.pop()\n",
        "def pytest_runtest_teardown(item):\n    item.session.shouldstop = 'enough'\n",
    ],
    ids=["shard", "stopped"],
)
def test_nothing_is_pruned_where_tests_did_not_run(
    run: Run, project: pytest.Pytester, drifting: Path, conftest: str
) -> None:
    project.makeconftest(conftest)
    result = run(f"{USES}\n@pytest.mark.cassette('drifting')\ndef test_last(): pass\n", "--replay-prune-write")

    result.stdout.fnmatch_lines(["nothing is pruned: there were tests that failed or did not run*"])
    assert drifting.read_text() == DRIFTING.lstrip()


def test_nothing_is_pruned_where_a_test_failed(run: Run, drifting: Path) -> None:
    result = run(f"{USES}\ndef test_fails():\n    assert False\n", "--replay-prune-write")

    result.stdout.fnmatch_lines(["nothing is pruned: there were tests that failed*"])
    assert drifting.read_text() == DRIFTING.lstrip()


@pytest.mark.slow
def test_workers_prune_together_what_none_of_them_used(project: pytest.Pytester, drifting: Path) -> None:
    uses_the_other = '@pytest.mark.cassette("drifting")\ndef test_other():\n    ask("Say nothing.")\n'
    project.makepyfile(test_app=ASK_QUICKLY + USES + uses_the_other)

    result = project.runpytest_subprocess(*PLUGINS, "-p", "xdist.plugin", "-n", "2", "--replay-prune-write")

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["nothing is to be pruned"])
    assert drifting.read_text() == DRIFTING.lstrip()


def test_a_miss_is_an_annotation_in_github_actions(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = run("def test_it(replay_server):\n    ask('Say hullo.')\n")

    result.stdout.fnmatch_lines(
        ["::error file=test_app.py,title=no answer for a test::request 1 of test_app.py::test_it: no *%0A*"]
    )


# As a guest ----------------------------------------------------------------------------------------------------------


def test_pytest_loads_the_plugin_by_its_entry_point() -> None:
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]

    ((name, value),) = named.items()

    assert EntryPoint(name, value, "pytest11").load() is pytest_plugin


def test_a_run_without_a_server_imports_nothing_of_ours(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
import sys

def test_it():
    ours = {name for name in sys.modules if name.startswith("replay_server")}
    assert ours == {"replay_server", "replay_server.pytest_plugin"}
    assert {"aiohttp", "yaml", "orjson"} & sys.modules.keys() == set()
"""
    )

    project.runpytest_subprocess(*PLUGINS).assert_outcomes(passed=1)


def test_no_warning_and_no_thread_is_left(project: pytest.Pytester) -> None:
    project.makepyfile(test_app=f"{ASK}\ndef test_it(replay_server):\n    assert ask('Say hello.') == GREETING\n")

    run = subprocess.run(
        [sys.executable, "-X", "dev", "-m", "pytest", *PLUGINS, "-W", "error"], cwd=project.path, capture_output=True
    )

    assert (run.returncode, run.stderr) == (0, b"")
