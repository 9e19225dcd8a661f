"""Faults that are set at run time, over the control API."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import openai
import pytest
import pytest_asyncio

from tests.server.test_control import HELLO, HULLO, Client
from tests.server.test_http import raw, request
from tests.server.test_pace import STREAMED

FAIL = {"fault": "status=503, message=Busy."}
TWICE = {"fault": "status=429, retry_after=1ms, times=2"}


@pytest_asyncio.fixture
async def client(serve: Any) -> AsyncIterator[Client]:
    server = await serve()
    async with aiohttp.ClientSession() as http:
        yield Client(server, http)


async def statuses(client: Client, calls: int, session: str | None = None) -> list[int]:
    return [(await client.chat(HELLO, session))[0] for _ in range(calls)]


async def test_a_fault_is_set_listed_and_taken_back(client: Client) -> None:
    status, made = await client.control("POST", "faults", FAIL)
    answers = [await client.chat(HELLO)]
    _, found = await client.control("GET", "faults")
    _, removed = await client.control("DELETE", f"faults/{made['id']}")
    answers.append(await client.chat(HELLO))

    assert (status, made) == (201, found["faults"][0])
    assert made == {
        "id": "fault-1",
        "fault": "status=503, message=Busy.",
        "session": None,
        "endpoint": None,
        "model": None,
    }
    assert answers == [(503, "fault", "Busy."), (200, "cassette", "Hello! How can I help you today?")]
    assert removed == {"removed": ["fault-1"]}
    assert (await client.control("GET", "faults"))[1] == {"faults": []}
    assert (await client.control("DELETE", "faults/fault-1"))[0] == 404


async def test_a_fault_may_be_an_object(client: Client) -> None:
    _, made = await client.control("POST", "faults", {"fault": {"status": 418, "calls": [2]}})

    assert made["fault"] == "status=418, calls=2"
    assert await statuses(client, 3) == [200, 418, 200]


async def test_the_fault_of_a_session_leaves_the_others_alone(client: Client) -> None:
    await client.control("POST", "faults", TWICE | {"session": "one"})

    assert await statuses(client, 3) == [200, 200, 200]
    assert await statuses(client, 3, "two") == [200, 200, 200]
    assert await statuses(client, 3, "one") == [429, 429, 200]


async def test_a_fault_of_all_sessions_is_counted_in_each(client: Client) -> None:
    await client.control("POST", "faults", TWICE)

    for session in (None, "one", "two"):
        assert await statuses(client, 3, session) == [429, 429, 200]


@pytest.mark.parametrize(
    ("only", "status"),
    [
        ({"endpoint": "chat/completions"}, 503),
        ({"endpoint": "completions"}, 200),
        ({"model": "gpt-4o*"}, 503),
        ({"model": "gpt-5"}, 200),
        ({"endpoint": "GET /v1/files"}, 200),
    ],
    ids=str,
)
async def test_a_fault_hits_what_it_is_for(client: Client, only: dict[str, str], status: int) -> None:
    await client.control("POST", "faults", FAIL | only)

    assert await statuses(client, 1) == [status]


async def test_those_of_a_session_are_taken_back_alone(client: Client) -> None:
    for session in ({}, {"session": "one"}, {"session": "two"}):
        await client.control("POST", "faults", FAIL | session)

    removed = [(await client.control("DELETE", path))[1] for path in ("faults?session=one", "faults?session=one")]
    _, left = await client.control("GET", "faults")
    _, hits_one = await client.control("GET", "faults?session=one")
    _, last = await client.control("DELETE", "faults")

    assert removed == [{"removed": ["fault-2"]}, {"removed": []}]
    assert [fault["id"] for fault in left["faults"]] == ["fault-3", "fault-1"]
    assert [fault["id"] for fault in hits_one["faults"]] == ["fault-1"]
    assert last == {"removed": ["fault-3", "fault-1"]}
    assert await statuses(client, 1, "two") == [200]


async def test_two_rate_limits_then_success_for_a_client_that_knows_nothing_of_faults(client: Client) -> None:
    await client.control("POST", "faults", TWICE | {"session": "one"})
    base_url = f"{client.url}/__replay/s/one/v1"

    async with openai.AsyncOpenAI(base_url=base_url, api_key="any", max_retries=2) as ours:
        answer = await ours.chat.completions.with_raw_response.create(**HELLO)

    assert (answer.retries_taken, answer.headers["x-replay-source"]) == (2, "cassette")
    assert [entry["status"] for entry in await client.journal("?session=one")] == [429, 429, 200]


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        ({}, "fault", "Missing required parameter: 'fault'."),
        ({"fault": 3}, "fault", "Invalid type for 'fault': expected one of a string or object"),
        ({"fault": ""}, "fault", "'' is no fault: says nothing that goes wrong: give one of status,"),
        ({"fault": "stattus=429"}, "fault", "'stattus=429' is no fault: 'stattus' is none of status,"),
        ({"fault": {"status": 200}}, "fault.status", "{'status': 200} is no fault: status must be an HTTP status from"),
        ({"fault": "cut, stall"}, "fault", "'cut, stall' is no fault: stall and cut exclude each other"),
        (FAIL | {"session": "a/b"}, "session", ""),
        (FAIL | {"endpoint": "chat"}, "endpoint", "endpoint 'chat' is none of chat/completions, completions, "),
        (FAIL | {"models": "m"}, "models", "Unknown parameter: 'models'."),
    ],
    ids=str,
)
async def test_what_is_no_fault_is_a_400_that_says_why(client: Client, body: Any, param: str, message: str) -> None:
    status, answer = await client.control("POST", "faults", body)

    assert (status, answer["error"]["param"]) == (400, param)
    assert answer["error"]["message"].startswith(message)
    assert (await client.control("GET", "faults"))[1] == {"faults": []}


async def test_one_fault_too_many_is_refused(client: Client) -> None:
    found = [(await client.control("POST", "faults", FAIL))[0] for _ in range(101)]

    assert found == [201] * 100 + [409]
    assert (await client.control("POST", "faults", FAIL | {"session": "one"}))[0] == 201


# What ends them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [None, {"session": "one"}], ids=["of all", "of the session"])
async def test_a_reset_takes_back_the_faults_of_the_session(client: Client, body: Any) -> None:
    await client.control("POST", "faults", FAIL | {"session": "one"})

    await client.control("POST", "reset", body)

    assert await statuses(client, 1, "one") == [200]
    assert (await client.control("GET", "faults"))[1] == {"faults": []}


async def test_a_reset_of_a_session_keeps_what_was_set_for_all_and_counts_anew(client: Client) -> None:
    await client.control("POST", "faults", TWICE)
    before = [await statuses(client, 3, session) for session in ("one", "two")]

    await client.control("POST", "reset", {"session": "one"})

    assert before == [[429, 429, 200], [429, 429, 200]]
    assert await statuses(client, 3, "one") == [429, 429, 200]
    assert await statuses(client, 1, "two") == [200]


@pytest.mark.parametrize(("method", "path", "body"), [("DELETE", "s/one", None), ("POST", "reset", {"session": "one"})])
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("status=429, times=1", [429, 200]),
        ("status=429, every=2", [200, 429]),
        ("status=429, calls=2", [200, 429]),
        ("ratelimit=requests:1/1h", [200, 429]),
    ],
)
async def test_a_session_that_ends_or_is_reset_forgets_its_counts(
    client: Client, method: str, path: str, body: Any, fault: str, expected: list[int]
) -> None:
    headers = {"x-replay-session": "one", "x-replay-fault": fault}

    async def twice() -> list[int]:
        url = f"{client.url}/v1/chat/completions"
        return [(await client.http.post(url, json=HELLO, headers=headers)).status for _ in range(2)]

    before = await twice()
    await client.control(method, path, body)

    assert (before, await twice()) == (expected, expected)


async def test_a_session_that_ends_takes_its_faults_with_it(client: Client) -> None:
    await client.control("POST", "faults", FAIL | {"session": "one"})

    _, ended = await client.control("DELETE", "s/one")

    assert ended["faults"] == ["fault-1"]
    assert (await client.control("GET", "faults"))[1] == {"faults": []}
    assert await statuses(client, 1, "one") == [200]


# In the journal ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("status=429", 429),
        ("ratelimit=requests:1/1h", 429),
        ("malformed", 200),
        ("cut=after 2 events", 200),
        ("reset=after 2 events", 200),
        ("reset", None),
        ("cut=after 0 events", None),
    ],
)
async def test_the_journal_names_the_fault_and_the_status_that_came(
    client: Client, fault: str, status: int | None
) -> None:
    for _ in range(2):
        try:
            await raw(client.url, request(STREAMED, f"x-replay-fault: {fault}"))
        except ConnectionResetError:
            assert "reset" in fault

    entry = (await client.journal("?source=fault"))[-1]

    assert (entry["status"], entry["source"], entry["fault"]) == (status, "fault", fault)
    assert entry["interaction"] == "greeting.yaml#1"


async def test_what_is_only_late_is_in_the_journal_with_its_source(client: Client) -> None:
    await client.control("POST", "faults", {"fault": "delay=1ms"})

    await client.chat(HULLO)

    (entry,) = await client.journal()
    assert (entry["status"], entry["source"], entry["fault"]) == (200, "generated", "delay=1ms")


async def test_the_journal_shows_no_secret_of_a_fault(client: Client) -> None:
    await client.control("POST", "faults", {"fault": "status=401, message=Incorrect API key provided: sk-" + "a1" * 24})

    await client.chat(HELLO)

    assert "a1a1a1" not in str(await client.journal())


async def test_verify_counts_what_a_fault_answered(client: Client) -> None:
    await client.control("POST", "faults", TWICE)
    await statuses(client, 3)

    found = [
        (await client.control("POST", "verify", {"source": source, "times": times}))[0]
        for source, times in (("fault", 2), ("cassette", 1))
    ]

    assert found == [200, 200]
