"""The control API: sessions, the journal, interactions, explain, verify, reset."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from openai import AsyncOpenAI, NotFoundError
from yarl import URL

from replay_server.server.run import RunningServer
from tests.conftest import size_of_cassettes

HELLO = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello."}]}
HULLO = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hullo."}]}
JOB = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Is the job done?"}]}
SAYS = """\
request: {{model: gpt-4o-mini, messages: [{{role: user, content: {}}}]}}
response: {{content: {}}}
"""
HULLO_DOCUMENT = {"request": HULLO, "response": {"content": "Hullo!"}}


class Client:
    """Talks to one server: its API in sessions, and its control API."""

    def __init__(self, server: RunningServer, http: aiohttp.ClientSession) -> None:
        self.url = server.url
        self.http = http

    async def control(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        async with self.http.request(method, f"{self.url}/__replay/{path}", json=body, **options) as response:
            return response.status, await response.json()

    async def chat(self, body: dict[str, Any], session: str | None = None) -> tuple[int, str, str]:
        """Status, source and text of the answer."""
        prefix = f"/__replay/s/{session}" if session else ""
        async with self.http.post(f"{self.url}{prefix}/v1/chat/completions", json=body) as response:
            answer = await response.json()
            text = answer["choices"][0]["message"]["content"] if "choices" in answer else answer["error"]["message"]
            return response.status, response.headers["x-replay-source"], text

    async def journal(self, query: str = "") -> list[Any]:
        status, answer = await self.control("GET", f"journal{query}")
        assert status == 200, answer
        entries: list[Any] = answer["entries"]
        return entries


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest_asyncio.fixture
async def client(serve: Any, http: aiohttp.ClientSession) -> Client:
    return Client(await serve(), http)


# Sessions ------------------------------------------------------------------------------------------------------------


async def test_a_session_answers_from_its_cassettes_alone(client: Client) -> None:
    status, told = await client.control("PUT", "s/one", {"cassettes": ["greeting"], "only": True, "on_miss": "error"})

    answers = [await client.chat(body, "one") for body in (HELLO, JOB)]

    assert (status, told["cassettes"], told["only"], told["empty_cassettes"]) == (200, ["greeting"], True, [])
    assert [answer[:2] for answer in answers] == [(200, "cassette"), (404, "miss")]
    assert "answers this, but not in this session: name" in answers[1][2]
    assert (await client.chat(JOB))[1] == "cassette"


async def test_the_cassettes_of_a_session_come_first_in_their_order(serve: Any, write: Any, http: Any) -> None:
    for name in ("a", "b", "c"):
        directory = write(f"{name}.yaml", SAYS.format("Say hullo.", name))
    client = Client(await serve(directory), http)

    said = []
    for cassettes in ([], ["c"], ["b.yaml", "c"], ["nothing"]):
        await client.control("PUT", "s/one", {"cassettes": cassettes})
        said.append((await client.chat(HULLO, "one"))[2])

    assert said == ["a", "c", "b", "a"]
    assert (await client.control("GET", "s/one"))[1]["empty_cassettes"] == ["nothing"]


async def test_a_star_is_all_files_that_lie_in_no_folder(serve: Any, write: Any, http: Any) -> None:
    write("top.yaml", SAYS.format("Say hullo.", "top"))
    directory = write("folder/within.yaml", SAYS.format("Say hello.", "within"))
    client = Client(await serve(directory), http)
    status, told = await client.control("PUT", "s/one", {"cassettes": ["*"], "only": True, "pace": "ttft=1ms"})

    answers = [await client.chat(body, "one") for body in (HULLO, HELLO)]

    assert (status, told["empty_cassettes"], told["pace"]) == (200, [], "ttft=1ms")
    assert [source for _, source, _ in answers] == ["cassette", "generated"]


async def test_a_session_is_listed_with_what_it_did_until_it_ends(client: Client) -> None:
    await client.chat(HELLO, "one")
    await client.chat(HULLO, "one")

    _, listed = await client.control("GET", "s")
    _, ended = await client.control("DELETE", "s/one")

    assert [session["id"] for session in listed["sessions"]] == ["one"]
    assert (ended["requests"], ended["sources"]) == (2, {"cassette": 1, "generated": 1})
    assert (await client.control("GET", "s/one"))[0] == 404
    assert await client.journal() == []


async def test_parallel_sessions_do_not_meet(client: Client) -> None:
    async def run(session: str) -> list[str]:
        return [(await client.chat(JOB, session))[2] for _ in range(3)]

    said = await asyncio.gather(*(run(f"s{number}") for number in range(10)))

    assert said == [["The job is queued.", "The job is running.", "The job is done."]] * 10
    assert [entry["id"] for entry in await client.journal("?session=s3")] == ["s3#1", "s3#2", "s3#3"]


@pytest.mark.parametrize(
    ("told", "param"),
    [
        ({"cassettes": "greeting"}, "cassettes"),
        ({"only": True}, "only"),
        ({"on_miss": "upstream"}, "on_miss"),
        ({"on_miss": "explode"}, "on_miss"),
        ({"pace": "slow"}, "pace"),
        ({"cassetes": []}, "cassetes"),
    ],
    ids=str,
)
async def test_what_a_session_cannot_be_told_is_a_400(client: Client, told: Any, param: str) -> None:
    status, answer = await client.control("PUT", "s/one", told)

    assert (status, answer["error"]["param"]) == (400, param)


@pytest.mark.parametrize("path", ["s/a b", "s/" + "x" * 129])
async def test_a_session_id_that_is_none_is_a_400(client: Client, path: str) -> None:
    status, answer = await client.control("PUT", path, {})

    assert (status, answer["error"]["code"]) == (400, "invalid_session")


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/__replay/s/a%2Fb"), ("POST", "/__replay/s/a%2fb/v1/chat/completions")],
    ids=["control API", "base URL"],
)
async def test_a_slash_in_a_session_id_is_told_and_not_taken_for_one_of_the_path(
    serve: Any, http: aiohttp.ClientSession, method: str, path: str
) -> None:
    url = URL((await serve()).url + path, encoded=True)

    async with http.request(method, url, json={}) as response:
        error = (await response.json())["error"]

    assert (response.status, error["code"]) == (400, "invalid_session")
    assert error["message"].startswith("the session id 'a/b' is not 1 to 128 letters")


# Journal -------------------------------------------------------------------------------------------------------------


async def test_the_journal_says_what_was_asked_and_answered(client: Client) -> None:
    await client.chat({**HELLO, "temperature": 0.5}, "one")

    (entry,) = await client.journal()

    assert entry.pop("at").endswith("Z")
    assert entry.pop("milliseconds") >= 0
    assert entry == {
        "id": "one#1",
        "session": "one",
        "method": "POST",
        "path": "/v1/chat/completions",
        "endpoint": "chat/completions",
        "model": "gpt-4o-mini",
        "stream": False,
        "status": 200,
        "source": "cassette",
        "key": "7d366d4c148a933e",
        "interaction": "greeting.yaml#1",
        "drift": [],
        "fault": None,
        "explanation": None,
    }


async def test_a_real_client_is_in_the_journal_with_its_miss(serve: Any, http: Any) -> None:
    server = await serve(on_miss="error")
    async with AsyncOpenAI(base_url=f"{server.url}/__replay/s/one/v1", api_key="any") as openai:
        with pytest.raises(NotFoundError):
            await openai.chat.completions.create(**HULLO)

    (entry,) = await Client(server, http).journal("?request=1")

    assert (entry["status"], entry["source"], entry["request"]) == (404, "miss", HULLO)
    assert "nearest: greeting.yaml#1" in entry["explanation"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["one#1", "one#2", "two#1", "#1"]),
        ("?session=one", ["one#1", "one#2"]),
        ("?source=generated", ["one#2"]),
        ("?endpoint=models", ["#1"]),
        ("?limit=2", ["two#1", "#1"]),
        ("?after=one%232", ["two#1", "#1"]),
        ("?after=one%231&limit=1", ["one#2"]),
        ("?after=one%231&session=one", ["one#2"]),
    ],
)
async def test_the_journal_is_filtered(client: Client, query: str, ids: list[str]) -> None:
    await client.chat(HELLO, "one")
    await client.chat(HULLO, "one")
    await client.chat(HELLO, "two")
    async with client.http.get(f"{client.url}/v1/models"):
        pass

    assert [entry["id"] for entry in await client.journal(query)] == ids


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("journal?limit=0", 400),
        ("journal?limit=many", 400),
        ("journal?source=thin-air", 400),
        ("journal?sesion=one", 400),
        ("journal?session=a%2Fb", 400),
        ("journal?after=one%239", 404),
        ("journal/one%239", 404),
        ("journals", 404),
    ],
)
async def test_what_the_journal_cannot_be_asked(client: Client, path: str, status: int) -> None:
    assert (await client.control("GET", path))[0] == status


async def test_refused_requests_are_in_the_journal_too(serve: Any, http: Any) -> None:
    client = Client(await serve(api_keys=("sesame",), max_body=10), http)
    await client.chat(HELLO)
    async with http.post(f"{client.url}/v1/completions", json=HELLO, headers={"api-key": "sesame"}):
        pass

    entries = await client.journal()

    assert [(entry["status"], entry["source"], entry["path"]) for entry in entries] == [
        (401, "error", "/v1/chat/completions"),
        (413, "error", "/v1/completions"),
    ]


async def test_the_journal_shows_no_secret(client: Client) -> None:
    key = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD"
    body = {**HELLO, "messages": [{"role": "user", "content": f"My key is {key}"}], "user": key}
    async with client.http.post(f"{client.url}/v1/chat/completions?key={key}", json=body) as response:
        assert response.status == 200

    async with client.http.get(f"{client.url}/__replay/journal?request=1") as response:
        shown = await response.text()

    assert "My key is <redacted:" in shown
    assert key not in shown


# Interactions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "added",
    [
        {"documents": [HULLO_DOCUMENT]},
        {"yaml": SAYS.format("Say hullo.", "Hullo!")},
    ],
    ids=["documents", "yaml"],
)
async def test_interactions_are_added_at_run_time(client: Client, added: Any) -> None:
    status, answer = await client.control("POST", "interactions", added)

    assert (status, answer) == (201, {"interactions": ["run-time/1#1"]})
    for session in (None, "one"):
        assert await client.chat(HULLO, session) == (200, "cassette", "Hullo!")


async def test_what_a_session_adds_is_its_own_and_beats_the_cassettes(client: Client) -> None:
    document = {"request": HELLO, "response": [{"content": "First."}, {"content": "Second."}]}
    await client.control("POST", "interactions", {"documents": [document], "session": "one"})

    said = [(await client.chat(HELLO, session))[2] for session in ("one", "one", "two", None)]

    assert said == ["First.", "Second.", *["Hello! How can I help you today?"] * 2]


async def test_an_id_that_comes_again_after_a_reset_has_the_new_answer(client: Client) -> None:
    for text in ("First.", "Second."):
        document = {"request": HULLO, "response": {"content": text}}
        await client.control("POST", "interactions", {"documents": [document], "session": "one"})
        assert (await client.chat(HULLO, "one"))[2] == text
        await client.control("POST", "reset", {"session": "one"})

    assert (await client.chat(HULLO, "one"))[1] == "generated"


@pytest.mark.parametrize("session", [None, "one"], ids=["for all", "for one session"])
async def test_a_loaded_interaction_is_taken_out_until_a_reset(client: Client, session: str | None) -> None:
    query = f"?session={session}" if session else ""
    status, _ = await client.control("DELETE", f"interactions/greeting.yaml%231{query}")

    out = [(await client.chat(HELLO, name))[1] for name in ("one", "two")]
    again, _ = await client.control("DELETE", f"interactions/greeting.yaml%231{query}")
    await client.control("POST", "reset")

    assert (status, again) == (200, 404)
    assert out == ["generated", "cassette" if session else "generated"]
    assert (await client.chat(HELLO, "one"))[1] == "cassette"


async def test_an_added_interaction_is_listed_first_and_can_be_taken_out(client: Client) -> None:
    await client.control("POST", "interactions", {"documents": [HULLO_DOCUMENT, {**HULLO_DOCUMENT, "name": "b"}]})

    _, listed = await client.control("GET", "interactions")
    await client.control("DELETE", "interactions/run-time/1%231")
    _, left = await client.control("GET", "interactions?cassette=run-time")

    assert [row["interaction"] for row in listed["interactions"]][:2] == ["run-time/1#1", "run-time/1#2"]
    assert len(listed["interactions"]) == 2 + size_of_cassettes()[1]
    assert [(row["interaction"], row["name"]) for row in left["interactions"]] == [("run-time/1#2", "b")]


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ({"yaml": "request:\n  messages: []\nresponse:\n  contents: x\n"}, "line 4: interaction 1: response.contents:"),
        ({"documents": [{"request": HULLO}]}, "line 1: interaction 1 has no response"),
        ({"yaml": ""}, "run-time/1 holds no interaction"),
        ({}, "give either yaml or documents"),
        ({"yaml": "a", "documents": []}, "give either yaml or documents"),
        ({"yaml": 1}, "Invalid type for 'yaml': expected a string, but got an integer instead."),
    ],
    ids=["field", "no response", "nothing", "neither", "both", "type"],
)
async def test_what_cannot_be_added_is_a_400_that_says_why(client: Client, added: Any, message: str) -> None:
    status, answer = await client.control("POST", "interactions", added)

    assert status == 400
    assert answer["error"]["message"].startswith(message)


async def test_no_file_is_touched(serve: Any, write: Any, http: Any) -> None:
    directory: Path = write("a.yaml", SAYS.format("x", "x"))
    client = Client(await serve(directory), http)
    before = contents(directory)

    await client.control("POST", "interactions", {"documents": [HULLO_DOCUMENT]})
    await client.control("DELETE", "interactions/a.yaml%231")

    assert contents(directory) == before


def contents(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory.rglob("*")}


# Explain, verify, reset ----------------------------------------------------------------------------------------------


async def test_a_generated_answer_is_explained_by_its_entry(client: Client) -> None:
    await client.chat(HULLO, "one")

    status, by_entry = await client.control("POST", "explain", {"entry": "one#1"})
    _, by_request = await client.control("POST", "explain", {"request": HULLO})

    assert status == 200
    assert by_entry == by_request
    assert (by_entry["match"], by_entry["nearest"][0]["interaction"]) == (None, "greeting.yaml#1")


async def test_an_explanation_is_that_of_its_session(client: Client) -> None:
    await client.control("POST", "interactions", {"documents": [HULLO_DOCUMENT], "session": "one"})

    matches = [
        (await client.control("POST", "explain", {"request": HULLO, "session": session}))[1]["match"]
        for session in ("one", "two")
    ]

    assert matches == ["run-time/one/1#1", None]


@pytest.mark.parametrize(
    ("asked", "status", "param"),
    [
        ({}, 400, "request"),
        ({"request": {"input": "x"}}, 400, "endpoint"),
        ({"request": {}, "endpoint": "chat"}, 400, "endpoint"),
        ({"entry": "one#1"}, 404, None),
    ],
    ids=str,
)
async def test_what_cannot_be_explained(client: Client, asked: Any, status: int, param: str | None) -> None:
    got, answer = await client.control("POST", "explain", asked)

    assert (got, answer["error"]["param"]) == (status, param)


async def test_verify_says_yes_with_the_requests_or_no_with_what_there_was(client: Client) -> None:
    await client.chat(HELLO, "one")
    await client.chat(HULLO, "one")

    yes = await client.control("POST", "verify", {"contains": "hello", "times": 1, "session": "one"})
    no = await client.control("POST", "verify", {"source": "miss", "session": "one"})
    order = await client.control("POST", "verify", {"order": [{"contains": "hullo"}, {"contains": "hello"}]})

    assert yes == (200, {"verified": True, "count": 1, "requests": ["one#1"]})
    assert (no[0], no[1]["error"]["code"]) == (409, "not_verified")
    assert "one#2 chat/completions gpt-4o-mini generated" in no[1]["error"]["message"]
    assert (order[0], order[1]["error"]["message"].partition(":")[0]) == (409, "order[1]")


@pytest.mark.parametrize(
    "asked",
    [{"times": -1}, {"order": []}, {"order": [{"times": 1}]}, {"order": [{}], "model": "m"}, {"modell": "m"}],
    ids=str,
)
async def test_what_cannot_be_verified_is_a_400(client: Client, asked: Any) -> None:
    assert (await client.control("POST", "verify", asked))[0] == 400


@pytest.mark.parametrize("body", [None, {"session": "one"}], ids=["all", "one session"])
async def test_a_reset_forgets_places_and_journal(client: Client, body: Any) -> None:
    await client.chat(JOB, "one")

    status, _ = await client.control("POST", "reset", body)

    assert status == 200
    assert await client.journal("?session=one") == []
    assert (await client.chat(JOB, "one"))[2] == "The job is queued."


@pytest.mark.parametrize(("method", "path"), [("POST", "s"), ("PUT", "journal"), ("GET", "verify"), ("PATCH", "s/one")])
async def test_a_method_that_is_not_there_is_a_405(client: Client, method: str, path: str) -> None:
    assert (await client.control(method, path))[0] == 405


# Matchers ------------------------------------------------------------------------------------------------------------

MATCHES = """\
match: {{last_user: {{contains: {}}}}}
response: {{content: {}}}
"""


async def test_an_added_matcher_answers_its_session_before_the_cassettes(client: Client) -> None:
    await client.control("POST", "interactions", {"yaml": MATCHES.format("hello", "Matched."), "session": "one"})

    answers = [await client.chat(HELLO, session) for session in ("one", "two")]
    _, explained = await client.control("POST", "explain", {"request": HELLO, "session": "one"})

    assert answers == [(200, "matcher", "Matched."), (200, "cassette", "Hello! How can I help you today?")]
    assert explained["match"] == "run-time/one/1#1"


async def test_the_matchers_of_a_session_are_those_of_its_cassettes(serve: Any, write: Any, http: Any) -> None:
    for name in ("a", "b"):
        directory = write(f"{name}.yaml", MATCHES.format("hullo", name))
    client = Client(await serve(directory), http)

    said = []
    for told in ({"cassettes": ["b"]}, {"cassettes": ["c"]}, {"cassettes": ["c"], "only": True}):
        await client.control("PUT", "s/one", told)
        said.append((await client.chat(HULLO, "one"))[1:])
    await client.control("DELETE", "interactions/a.yaml%231")

    assert said[:2] == [("matcher", "b"), ("matcher", "a")]
    assert said[2][0] == "generated"
    assert (await client.chat(HULLO))[1:] == ("matcher", "b")
