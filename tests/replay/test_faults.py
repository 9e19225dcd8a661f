"""Which fault hits which call."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from replay_server.cassettes.library import Library
from replay_server.cassettes.reader import read_cassette
from replay_server.endpoints.chat import RESOURCE as CHAT
from replay_server.faults.reading import parse_fault
from replay_server.interaction import RawRequest, WireResponse
from replay_server.replay.answer import Answer
from replay_server.replay.decision import OnMiss, Replay
from replay_server.replay.state import MemoryState

TWICE = "status=429, times=2"
SEQUENCE = b"""\
request: {model: m, messages: [{role: user, content: x}]}
response: [{content: one}, {content: two}]
fault: {status: 503, calls: [1, 3]}
"""


def replay(
    clock: Callable[[], float] = time.monotonic, cassette: bytes = b"", on_miss: OnMiss = OnMiss.GENERATE
) -> Replay:
    library, state = Library("cassettes", read_cassette("a.yaml", cassette)), MemoryState(limit_clock=clock)
    return Replay(library, state, on_miss, "")


async def set_fault(replay: Replay, text: str, session: str = "", **only: str) -> str:
    wanted = {"endpoint": None, "model": None} | only
    return (await replay.state.set_fault(session, parse_fault(text), **wanted)).id


async def ask(
    replay: Replay,
    fault: str | None = None,
    said: str = "x",
    session: str = "",
    key: str = "me",
    model: str = "m",
    **fields: Any,
) -> Answer:
    body = {"model": model, "messages": [{"role": "user", "content": said}], **fields}
    raw = RawRequest("POST", "/chat/completions", {}, (), {"authorization": f"Bearer {key}"}, orjson.dumps(body))
    own = None if fault is None else parse_fault(fault)
    return await replay.answer(CHAT, CHAT.from_cassette(body), session, raw, fault=own)


async def statuses(replay: Replay, calls: int, *arguments: Any, **options: Any) -> list[int]:
    return [(await ask(replay, *arguments, **options)).wire.status for _ in range(calls)]


def content(answer: Answer) -> str:
    assert isinstance(answer.wire, WireResponse)
    said = orjson.loads(answer.wire.body)["choices"][0]["message"]["content"]
    assert isinstance(said, str)
    return said


async def test_a_header_hits_the_calls_that_carry_it() -> None:
    server = replay()

    assert await statuses(server, 3, TWICE) == [429, 429, 200]
    assert await statuses(server, 1) == [200]
    assert await statuses(server, 2, "status=500, every=2", said="another") == [200, 500]


KINDS = (
    "status=500",
    "delay=1s",
    "slow=1ms",
    "stall",
    "cut",
    "cut=mid-chunk",
    "reset",
    "malformed",
    "no_done",
    "error_event",
    "empty",
    "content_type=text/html",
)


async def hits(text: str, calls: int) -> list[bool]:
    """Which calls of a stream a fault hits on a fresh server."""
    server = replay()
    return ["x-replay-fault" in (await ask(server, text, stream=True)).headers for _ in range(calls)]


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_hits_exact_calls_or_repeats_its_chance(kind: str) -> None:
    chance = await hits(f"{kind}, p=0.5", 20)

    assert await hits(f"{kind}, calls=2 3", 4) == [False, True, True, False]
    assert await hits(f"{kind}, every=2", 4) == [False, True, False, True]
    assert await hits(f"{kind}, times=2", 4) == [True, True, False, False]
    assert await hits(f"{kind}, p=0.5", 20) == chance
    assert set(chance) == {True, False}


async def test_calls_are_counted_by_session() -> None:
    server = replay()

    first = await statuses(server, 3, TWICE, session="one")

    assert first == await statuses(server, 3, TWICE, session="two") == [429, 429, 200]


async def test_a_document_fails_before_its_sequence_goes_on() -> None:
    server = replay(cassette=SEQUENCE)

    answers = [await ask(server) for _ in range(5)]

    assert [answer.wire.status for answer in answers] == [503, 200, 503, 200, 200]
    assert [content(answer) for answer in answers if answer.wire.status == 200] == ["one", "two", "two"]


async def test_a_matcher_fails_as_its_document_says() -> None:
    server = replay(
        cassette=b"match: {last_user: {regex: '(?P<what>.+)'}}\nresponse: {content: '{{ what }}!'}\nfault: %b\n"
        % TWICE.encode()
    )

    answers = [await ask(server, said="Hey") for _ in range(3)]

    assert [answer.wire.status for answer in answers] == [429, 429, 200]
    assert [answer.headers["x-replay-source"] for answer in answers] == ["fault", "fault", "matcher"]
    assert content(answers[2]) == "Hey!"


async def test_an_answer_names_the_fault_that_made_it() -> None:
    made, whole = await ask(replay(cassette=SEQUENCE)), await ask(replay())

    assert made.headers == {
        "x-replay-source": "fault",
        "x-replay-key": made.headers["x-replay-key"],
        "x-replay-interaction": "a.yaml#1",
        "x-replay-fault": "status=503, calls=1 3",
    }
    assert "x-replay-fault" not in whole.headers


@pytest.mark.parametrize(
    ("text", "source"),
    [("delay=1s", "generated"), ("slow=1ms", "generated"), ("cut", "fault"), ("content_type=a/b", "fault")],
)
async def test_what_is_only_late_keeps_its_source(text: str, source: str) -> None:
    answer = await ask(replay(), text)

    assert answer.headers["x-replay-source"] == source
    assert answer.headers["x-replay-fault"] == text


async def test_the_first_fault_that_is_due_hits() -> None:
    server = replay(cassette=SEQUENCE)
    await set_fault(server, "status=500, calls=1 2")

    found = [(await ask(server, "status=429, calls=1")).wire.status for _ in range(4)]

    # The header's; the rule's, whose first call was the second one; the document's second call is none of its faults.
    assert found == [429, 500, 500, 503]


async def test_a_fault_of_streams_leaves_plain_answers_alone_and_does_not_count_them() -> None:
    server = replay()

    plain = await ask(server, "no_done, times=1")
    streamed = await ask(server, "no_done, times=1", stream=True)

    assert plain.spoiling is None
    assert streamed.spoiling is not None


async def test_a_miss_is_told_as_it_is() -> None:
    server = replay(on_miss=OnMiss.ERROR)

    answer = await ask(server, "cut")

    assert (answer.wire.status, answer.headers["x-replay-source"], answer.spoiling) == (404, "miss", None)
    assert await statuses(server, 1, "status=503") == [503]


@pytest.mark.parametrize(
    ("only", "hit"),
    [
        ({}, True),
        ({"session": "one"}, True),
        ({"session": "other"}, False),
        ({"endpoint": "chat/completions"}, True),
        ({"endpoint": "completions"}, False),
        ({"model": "gpt-4*"}, True),
        ({"model": "GPT-4*"}, False),
        ({"model": "gpt-5*"}, False),
    ],
    ids=str,
)
async def test_a_fault_that_is_set_hits_what_it_is_for(only: dict[str, str], hit: bool) -> None:
    server = replay()
    await set_fault(server, "status=500", **only)

    assert await statuses(server, 1, model="gpt-4o", session="one") == [500 if hit else 200]


async def test_a_fault_that_is_taken_back_hits_no_more() -> None:
    server = replay()
    name = await set_fault(server, "status=500")

    assert await statuses(server, 1) == [500]
    await server.state.clear_faults([name])
    assert await statuses(server, 1) == [200]


async def test_a_fault_that_is_set_again_counts_anew() -> None:
    server = replay()
    for _ in range(2):
        name = await set_fault(server, TWICE)
        assert await statuses(server, 3) == [429, 429, 200]
        await server.state.clear_faults([name])


async def test_the_fault_of_a_session_hits_before_that_of_all_sessions() -> None:
    server = replay()
    await set_fault(server, "status=500")
    await set_fault(server, "status=503, times=1", session="one")

    assert await statuses(server, 2, session="one") == [503, 500]
    assert await statuses(server, 1, session="two") == [500]


class Clock:
    """Goes on when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_rate_limits_count_down_refuse_and_recover() -> None:
    clock = Clock()
    server = replay(clock)
    limit = "ratelimit=requests:2/1m tokens:1000/1m"

    answers = [await ask(server, limit) for _ in range(3)]
    clock.now = 30.0
    later = await ask(server, limit)

    assert [answer.wire.status for answer in (*answers, later)] == [200, 200, 429, 200]
    assert [answer.headers["x-ratelimit-remaining-requests"] for answer in (*answers, later)] == ["1", "0", "0", "0"]
    refused = answers[2]
    assert isinstance(refused.wire, WireResponse)
    assert refused.wire.headers["retry-after"] == "30"
    assert refused.headers["x-replay-source"] == "fault"
    assert orjson.loads(refused.wire.body)["error"] == {
        "message": "Rate limit reached for m on requests per min (RPM): Limit 2, Used 2, Requested 1."
        " Please try again in 30s.",
        "type": "requests",
        "param": None,
        "code": "rate_limit_exceeded",
    }


async def test_rate_limits_are_those_of_a_key_and_a_model_in_a_session() -> None:
    server, limit = replay(Clock()), "ratelimit=requests:1/1m"

    assert await statuses(server, 2, limit) == [200, 429]
    assert await statuses(server, 1, limit, key="you") == [200]
    assert await statuses(server, 1, limit, model="another") == [200]
    assert await statuses(server, 1, limit, session="one") == [200]
    await server.state.reset(None)
    assert await statuses(server, 1, limit) == [200]


async def test_tokens_are_estimated_by_length_or_by_what_may_come() -> None:
    server, limit = replay(Clock()), "ratelimit=tokens:1000/1m"

    short, long, most = [
        await ask(server, limit, said=said, key=said[:1], **fields)
        for said, fields in (("a", {}), ("b" * 1000, {}), ("c", {"max_tokens": 500}))
    ]

    left = [answer.headers["x-ratelimit-remaining-tokens"] for answer in (short, long, most)]
    assert left == ["986", "736", "500"]


def run_apart(program: str, seed: str = "0") -> str:
    """What a program prints that runs in a process of its own."""
    environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return run.stdout


def drawn(seed: str) -> str:
    """The calls that a probability hits, in a process of its own."""
    program = (
        "import asyncio\n"
        "from tests.replay.test_faults import replay, statuses\n"
        "print(asyncio.run(statuses(replay(), 40, 'status=500, p=0.3')))"
    )
    return run_apart(program, seed)


def test_a_probability_hits_the_same_calls_in_every_process() -> None:
    first = drawn("1")

    assert first == drawn("2")
    assert 5 <= first.count("500") <= 20


async def test_requests_between_do_not_change_what_a_probability_hits() -> None:
    alone, among = replay(), replay()
    text = "status=500, p=0.3"

    expected = await statuses(alone, 20, text)
    found = []
    for call in range(20):
        await ask(among, text, said=f"other {call % 3}")
        found += await statuses(among, 1, text)

    assert found == expected


def test_a_request_for_which_nothing_goes_wrong_loads_no_module_of_faults() -> None:
    program = (
        "import asyncio, sys\n"
        "from replay_server.endpoints.chat import RESOURCE\n"
        "from replay_server.replay.decision import *\n"
        "from replay_server.replay.state import MemoryState\n"
        "replay = Replay(Library('cassettes', ()), MemoryState(), OnMiss.GENERATE, '')\n"
        "request = RESOURCE.from_cassette({'model': 'm', 'messages': [{'role': 'user', 'content': 'x'}]})\n"
        "raw = RawRequest('POST', '/', {}, (), {}, b'')\n"
        "print(asyncio.run(replay.answer(RESOURCE, request, '', raw)).wire.status)\n"
        "print([name for name in sys.modules if 'fault' in name and name.startswith('replay_server')])\n"
    )

    assert run_apart(program).split() == ["200", "[]"]
