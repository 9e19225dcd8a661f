"""What verify says of a journal."""

from typing import Any

import orjson
import pytest

from replay_server.replay.journal import Entry, Noted
from replay_server.replay.verification import Count, Expected, called, in_order


def noted(number: int, text: str, **changed: Any) -> Noted:
    headers = {"x-replay-source": "cassette", "x-replay-key": "a" * 16, "x-replay-interaction": f"{text}.yaml#1"}
    body = orjson.dumps({"messages": [{"role": "user", "content": text}]})
    entry = Entry("s", "POST", "/v1/c", "chat/completions", "gpt", False, 200, headers, 0, 0, body, (), "", "")
    return Noted(number, number, entry._replace(**changed))


JOURNAL = [noted(1, "hello"), noted(2, "wörld\n"), noted(3, "hello")]


@pytest.mark.parametrize(
    ("count", "holds"),
    [
        ({}, True),
        ({"exactly": 2}, True),
        ({"exactly": 1}, False),
        ({"exactly": 3}, False),
        ({"at_least": 2}, True),
        ({"at_least": 3}, False),
        ({"at_most": 2}, True),
        ({"at_most": 1}, False),
        ({"at_least": 1, "at_most": 2}, True),
    ],
    ids=str,
)
def test_requests_are_counted(count: dict[str, int], holds: bool) -> None:
    verdict = called(JOURNAL, 0, Expected(contains="hello"), Count(**count))

    assert (not verdict.problem, verdict.requests) == (holds, ("s#1", "s#3"))


@pytest.mark.parametrize(
    ("expected", "count"),
    [
        ({"contains": "wörld\n"}, 1),
        ({"endpoint": "completions"}, 0),
        ({"model": "gpt", "status": 200}, 3),
        ({"interaction": "hello.yaml#1"}, 2),
        ({"key": "a" * 64}, 3),
        ({"key": "b" * 64}, 0),
        ({"source": "generated"}, 0),
        ({}, 3),
    ],
    ids=str,
)
def test_all_that_is_given_must_hold(expected: dict[str, Any], count: int) -> None:
    assert called(JOURNAL, 0, Expected(**expected), Count(exactly=count)).problem == ""


def test_none_at_all_can_be_asked_for() -> None:
    assert called(JOURNAL, 0, Expected(contains="bye"), Count(exactly=0)).problem == ""
    assert called(JOURNAL, 0, Expected(contains="bye"), Count()).requests == ()


def test_a_problem_says_what_there_was() -> None:
    verdict = called(JOURNAL[:1], 0, Expected(contains="bye", model="gpt"), Count(at_least=2, at_most=3))

    assert verdict.problem == (
        "expected at least 2 and at most 3 requests with model 'gpt' and contains 'bye', but there were 0\n"
        "all requests that there were:\n"
        "  s#1 chat/completions gpt cassette hello.yaml#1"
    )


def test_what_was_forgotten_may_have_been_one_too_many() -> None:
    assert "forgotten 5 requests" in called(JOURNAL, 5, Expected(), Count(exactly=3)).problem
    assert called(JOURNAL, 5, Expected(), Count(at_least=3)).problem == ""


def test_order_allows_others_in_between() -> None:
    order = [Expected(contains="hello"), Expected(contains="hello")]

    assert in_order(JOURNAL, order).requests == ("s#1", "s#3")


def test_what_is_out_of_order_is_named() -> None:
    verdict = in_order(JOURNAL, [Expected(contains="wörld"), Expected(contains="wörld")])

    assert verdict.problem.startswith("order[1]: there were no requests with contains 'wörld' after s#2\n")


def test_an_empty_journal_asks_whether_the_server_was_asked() -> None:
    assert "was the server asked at all" in called([], 0, Expected(), Count()).problem
