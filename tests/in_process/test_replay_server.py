"""A server in the process of its test: started, asked, looked at, stopped."""

import asyncio
import gc
import multiprocessing
import subprocess
import sys
import threading
import unittest
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, NotFoundError, OpenAI

from replay_server import ReplayServer, ReplaySession
from replay_server.errors import CassetteError, UsageError
from tests.conftest import CASSETTES

HELLO = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello."}]}
HULLO = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hullo."}]}
GREETING = "Hello! How can I help you today?"


def ask(at: ReplaySession, asked: dict[str, Any] = HELLO) -> str | None:
    with OpenAI(base_url=at.base_url, api_key="any", max_retries=0) as client:
        return client.chat.completions.create(**asked).choices[0].message.content


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("replay-server")]


# Starting and stopping -----------------------------------------------------------------------------------------------


def test_it_answers_within_with_and_leaves_nothing_behind() -> None:
    with ReplayServer(CASSETTES) as server:
        url, answer = server.base_url, ask(server)

    assert answer == GREETING
    assert threads() == []
    with pytest.raises(openai.APIConnectionError), OpenAI(base_url=url, api_key="any", max_retries=0) as client:
        client.chat.completions.create(**HELLO)


async def test_async_with_is_the_same() -> None:
    async with ReplayServer(CASSETTES) as server, AsyncOpenAI(base_url=server.base_url, api_key="any") as client:
        answer = await client.chat.completions.create(**HELLO)

        assert answer.choices[0].message.content == GREETING
        assert [entry.source for entry in server.journal] == ["cassette"]
    assert threads() == []


def test_an_entry_names_the_fault_of_its_answer() -> None:
    with ReplayServer(CASSETTES) as server:
        with pytest.raises(openai.InternalServerError):
            ask(server, {**HELLO, "extra_headers": {"x-replay-fault": "status=503"}})
        ask(server)

        assert [(entry.source, entry.fault) for entry in server.journal] == [
            ("fault", "status=503"),
            ("cassette", None),
        ]


async def test_a_client_that_blocks_the_loop_is_answered_all_the_same() -> None:
    async with ReplayServer(CASSETTES) as server:
        assert ask(server) == GREETING


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError], ids=lambda error: error.__name__)
def test_it_is_stopped_where_its_with_ends_in_an_error(error: type[BaseException]) -> None:
    with pytest.raises(error), ReplayServer(CASSETTES):
        raise error

    assert threads() == []


async def test_it_is_stopped_where_its_start_is_cancelled() -> None:
    async def start() -> None:
        async with ReplayServer(CASSETTES):
            await asyncio.Event().wait()

    starting = asyncio.create_task(start())
    await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting

    assert threads() == []


def test_it_can_be_started_again(write: Callable[[str, str], Path]) -> None:
    server = ReplayServer(CASSETTES)

    with server:
        ask(server)
    with server:
        assert (ask(server), len(server.journal)) == (GREETING, 1)


def test_many_run_side_by_side(write: Callable[[str, str], Path]) -> None:
    empty = write("other.yaml", "")

    with ReplayServer(CASSETTES, strict=True) as one, ReplayServer(empty, strict=True) as other:
        assert ask(one) == GREETING
        with pytest.raises(NotFoundError):
            ask(other)


def test_a_server_that_does_not_run_says_so() -> None:
    server = ReplayServer(CASSETTES)

    with pytest.raises(UsageError, match=r"^the server does not run: use it within `with ReplayServer"):
        server.url  # noqa: B018 - a property, which raises


def test_a_server_that_runs_is_not_started_again() -> None:
    with ReplayServer(CASSETTES) as server, pytest.raises(UsageError, match=r"^the server runs already$"):
        server.start()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # that is the point
def test_a_forked_process_asks_the_server_of_its_parent_and_does_not_stop_it() -> None:
    context = multiprocessing.get_context("fork")
    with ReplayServer(CASSETTES) as server:
        child = context.Process(target=_ask_and_stop, args=(server,))
        child.start()
        child.join()

        assert child.exitcode == 0
        assert ask(server) == GREETING


def _ask_and_stop(server: ReplayServer) -> None:
    answered = subprocess.run(
        [sys.executable, "-c", f"import urllib.request as r; r.urlopen('{server.base_url}/models').read()"], check=False
    )
    server.stop()
    sys.exit(answered.returncode)


def test_the_garbage_collector_stays_as_it_was() -> None:
    gc.disable()
    frozen = gc.get_freeze_count()
    try:
        with ReplayServer(CASSETTES):
            assert (gc.isenabled(), gc.get_freeze_count()) == (False, frozen)
    finally:
        gc.enable()


# Options -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"on_miss": "explode"}, "Invalid value for '--on-miss': 'explode' is not one of 'generate', 'error'"),
        ({"record_mode": "onse"}, "Invalid value for '--record-mode': 'onse' is not one of 'none', 'once'"),
        ({"record_mode": "once"}, "--record-mode once needs an upstream: add --upstream URL"),
        ({"on_miss": "upstream"}, "--on-miss upstream needs an upstream: add --upstream URL"),
        ({"strict": True, "on_miss": "generate"}, "--strict and --on-miss generate contradict each other"),
        ({"pace": "slow"}, "--pace: 'slow' is no pace"),
        ({"upstream": "api.openai.com"}, "--upstream 'api.openai.com' is no URL"),
        ({"upstream": "https://a.example", "api_key_env": "NOT_SET"}, "NOT_SET is not set"),
    ],
    ids=lambda value: "" if isinstance(value, str) else ",".join(value),
)
def test_options_are_refused_in_the_words_of_the_command_line(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(UsageError) as raised:
        ReplayServer(CASSETTES, **options)

    assert str(raised.value).startswith(problem)


def test_a_broken_cassette_stops_the_start(write: Callable[[str, str], Path]) -> None:
    directory = write("broken.yaml", "request: {model: m, messages: []}\n")

    with pytest.raises(CassetteError, match=r"broken\.yaml:1: "):
        ReplayServer(directory).start()

    assert threads() == []


def test_it_records_from_an_upstream(tmp_path: Path) -> None:
    with (
        ReplayServer(CASSETTES) as upstream,
        ReplayServer(tmp_path, upstream=upstream.base_url, record_mode="once") as server,
    ):
        assert ask(server.session("greeting")) == GREETING

    (recorded,) = (tmp_path / "greeting").iterdir()
    assert GREETING in recorded.read_text()


def test_a_session_is_recorded_into_the_first_cassette_that_it_names(tmp_path: Path) -> None:
    with (
        ReplayServer(CASSETTES) as upstream,
        ReplayServer(tmp_path, upstream=upstream.base_url, record_mode="once") as server,
    ):
        ask(server.session("one", cassettes=["tools/hello", "*"], only=True))

    assert [path.name for path in tmp_path.glob("tools/hello/*.yaml")] == ["say-hello-7d366d4c.yaml"]


# Sessions, journal, interactions -------------------------------------------------------------------------------------


def test_the_journal_says_what_was_asked_and_what_answered() -> None:
    with ReplayServer(CASSETTES, strict=True) as server:
        one = server.session("one")
        ask(one)
        with pytest.raises(NotFoundError):
            ask(one, HULLO)
        hit, missed = one.journal

    assert (hit.id, hit.source, hit.interaction, hit.request) == ("one#1", "cassette", "greeting.yaml#1", HELLO)
    assert (missed.source, missed.status, missed.request) == ("miss", 404, HULLO)
    assert "nearest: greeting.yaml#1" in str(missed.explanation)
    assert str(hit) == "one#1 chat/completions gpt-4o-mini cassette greeting.yaml#1"
    with pytest.raises(FrozenInstanceError):
        hit.id = "another"  # what was, was


def test_a_session_has_a_journal_of_its_own_and_the_server_has_all() -> None:
    with ReplayServer(CASSETTES) as server:
        ask(server.session("one"))
        ask(server.session("two"))

        assert [entry.id for entry in server.session("one").journal] == ["one#1"]
        assert [entry.id for entry in server.journal] == ["one#1", "two#1"]


def test_what_is_added_answers_before_the_cassettes_and_in_its_session_alone() -> None:
    with ReplayServer(CASSETTES, strict=True) as server:
        one, two = server.session("one"), server.session("two")

        assert one.add(request=HELLO, response={"content": "Hi."}) == ["run-time/one/1#1"]
        assert (ask(one), ask(two)) == ("Hi.", GREETING)


def test_what_is_added_to_the_server_answers_in_all_sessions_until_it_is_reset() -> None:
    with ReplayServer(CASSETTES, strict=True) as server:
        server.add("request: {model: m, messages: [{role: user, content: Hi}]}\nresponse: {content: Ho}\n")
        hi = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
        assert ask(server.session("one"), hi) == "Ho"

        server.reset()
        with pytest.raises(NotFoundError):
            ask(server.session("one"), hi)


def test_a_matcher_can_be_added() -> None:
    with ReplayServer(CASSETTES, strict=True) as server:
        server.add(match={"last_user": {"regex": "Say (?P<word>h[aeu]llo)"}}, response={"content": "{{ word }}!"})

        assert ask(server, HULLO) == "hullo!"


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        ({}, "add either the text of a cassette, or request"),
        ({"yaml": "response: {}", "request": HELLO}, "add either the text of a cassette, or request"),
        ({"yaml": "# nothing"}, "the text that is to be added holds no interaction"),
        ({"request": HELLO}, "run-time/1:1: "),
        ({"request": HELLO, "respond": {}, "response": {"content": "x"}}, "run-time/1:1: "),
    ],
    ids=["nothing", "both", "comment", "no response", "unknown field"],
)
def test_what_cannot_be_added_is_refused(added: dict[str, Any], problem: str) -> None:
    with ReplayServer(CASSETTES) as server, pytest.raises(UsageError) as raised:
        server.add(**added)

    assert str(raised.value).startswith(problem)


def test_what_is_removed_answers_no_more() -> None:
    with ReplayServer(CASSETTES, strict=True) as server:
        server.session("one").remove("greeting.yaml#1")

        with pytest.raises(NotFoundError):
            ask(server.session("one"))
        assert ask(server.session("two")) == GREETING
        with pytest.raises(UsageError, match=r"^there is no interaction 'greeting\.yaml#9'"):
            server.remove("greeting.yaml#9")


def test_a_session_may_name_what_answers_a_miss_and_its_pace() -> None:
    with ReplayServer(CASSETTES, strict=True) as server:
        session = server.session("one", on_miss="generate", pace="ttft=1ms")

        assert ask(session, HULLO)
        assert [entry.source for entry in session.journal] == ["generated"]


@pytest.mark.parametrize(
    ("name", "told", "problem"),
    [
        ("a/b", {}, "the session id 'a/b' is not 1 to 128"),
        ("a", {"pace": "slow"}, "pace: 'slow' is no pace"),
        ("a", {"on_miss": "upstream"}, "--on-miss upstream needs an upstream"),
        ("a", {"on_miss": "explode"}, "Invalid value for '--on-miss': 'explode'"),
    ],
    ids=["slash", "pace", "upstream", "word"],
)
def test_a_session_that_cannot_be_is_refused(name: str, told: dict[str, Any], problem: str) -> None:
    with ReplayServer(CASSETTES) as server, pytest.raises(UsageError) as raised:
        server.session(name, **told)

    assert str(raised.value).startswith(problem)


# Assertions ----------------------------------------------------------------------------------------------------------


def test_calls_are_asserted_and_returned() -> None:
    with ReplayServer(CASSETTES) as server:
        ask(server)
        ask(server, HULLO)

        assert server.assert_called(times=1, contains="hullo", model="gpt-4o-mini") == server.journal[1:]
        assert len(server.assert_called(endpoint="chat/completions", at_least=2)) == 2


def test_an_assertion_that_fails_says_what_there_was() -> None:
    with ReplayServer(CASSETTES) as server:
        ask(server)
        with pytest.raises(AssertionError) as raised:
            server.assert_called(times=2, contains="hello")

    assert str(raised.value) == (
        "expected exactly 2 requests with contains 'hello', but there were 1\n"
        "all requests that there were:\n  #1 chat/completions gpt-4o-mini cassette greeting.yaml#1"
    )


def test_interactions_that_answered_nothing_fail_an_assertion() -> None:
    with ReplayServer(CASSETTES) as server:
        session = server.session("one", cassettes="greeting", only=True)
        with pytest.raises(AssertionError, match=r"nothing:\n  greeting\.yaml#1$"):
            session.assert_all_used()

        ask(session)
        session.assert_all_used()


def test_a_request_and_an_entry_are_explained() -> None:
    with ReplayServer(CASSETTES) as server:
        ask(server)

        assert "matches    greeting.yaml#1" in server.explain(HELLO)
        assert "matches    nothing" in server.explain(HULLO)
        assert server.explain(server.journal[0]) == server.explain(HELLO)
        with pytest.raises(UsageError, match="name the endpoint"):
            server.explain({"model": "m"})


class TestInUnittest(unittest.TestCase):
    """A test of another framework."""

    def setUp(self) -> None:
        self.server = ReplayServer(CASSETTES).start()
        self.addCleanup(self.server.stop)

    def test_it_answers(self) -> None:
        assert ask(self.server) == GREETING


def test_the_package_is_imported_without_a_server() -> None:
    program = "import sys, replay_server; print('aiohttp' in sys.modules, replay_server.__all__)"

    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert printed == "False ['Entry', 'ReplayServer', 'ReplaySession', '__version__']\n"
