"""Live traffic: what is recorded, where, and what is replayed in place of it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import aiohttp
import orjson
import pytest
from aiohttp import web
from yarl import URL

from replay_server.cassettes.library import Library
from replay_server.record.modes import RecordMode
from replay_server.settings import Upstream
from tests.record.conftest import Recorder
from tests.record.upstreams import Answers, ask, asked, asking, chat, chat_events, recorded, upstream

Write = Callable[[str, str], Path]

OLD = """\
request:
  model: m-1
  messages: [{role: user, content: Old?}]
response: {content: Old.}
"""


def contents(directory: Path, content: str = "Hi") -> list[str]:
    """What the recorded answers to a request say, in their order."""
    found = [
        response.content["choices"][0]["message"]["content"]
        for candidate in Library.load(directory)
        if candidate.interaction.recorded and candidate.interaction.request["messages"][0]["content"] == content
        for response in candidate.interaction.responses
    ]
    return found


async def source(url: str, content: str = "Hi", **headers: str) -> str:
    """Where an answer comes from."""
    async with asking(url, asked(content), headers=headers) as response:
        await response.read()
        return response.headers["x-replay-source"]


# Modes ---------------------------------------------------------------------------------------------------------------

RECORDS = {
    "none": {"there": False, "new": False, "missing": False},
    "once": {"there": False, "new": True, "missing": False},
    "new_episodes": {"there": False, "new": True, "missing": True},
    "all": {"there": True, "new": True, "missing": True},
}
ON_MISS = {"generate": "generated", "error": "miss", "upstream": "upstream"}


@pytest.mark.parametrize("on_miss", ON_MISS)
@pytest.mark.parametrize("mode", RecordMode)
@pytest.mark.parametrize("case", ["there", "new", "missing"])
async def test_every_cell_of_the_table_of_modes(
    recorder: Recorder, write: Write, mode: str, case: str, on_miss: str
) -> None:
    """there: the interaction is there; new: there is no such cassette yet; missing: it lacks the interaction."""
    directory = write("trip.yaml", OLD)
    cassette, content = ("new" if case == "new" else "trip"), "Old?" if case == "there" else "Hi"
    async with upstream(Answers("Live.")) as url:
        server = await recorder(url, record_mode=mode, on_miss=on_miss)
        found = await source(server.url, content, **{"x-replay-record-to": cassette})

    records = RECORDS[mode][case]
    assert contents(directory, content) == (["Live."] if records else [])
    assert found == ("upstream" if records else "cassette" if case == "there" else ON_MISS[on_miss])


async def test_a_cassette_that_is_made_now_takes_more_than_one_episode_in_mode_once(
    recorder: Recorder, cassettes: Path
) -> None:
    async with upstream(Answers("One.", "Two.")) as url:
        server = await recorder(url, record_mode="once", on_miss="error")
        for content in ("a", "b"):
            await ask(server.url, asked(content))

        again = await recorder(url, record_mode="once", on_miss="error")
        sources = [await source(again.url, content) for content in ("a", "a", "c")]

    assert sources == ["cassette", "cassette", "miss"]
    assert (contents(cassettes, "a"), contents(cassettes, "b"), contents(cassettes, "c")) == (["One."], ["Two."], [])


async def test_what_was_recorded_is_replayed_by_the_same_server(recorder: Recorder) -> None:
    answers = Answers("One.")
    async with upstream(answers) as url:
        server = await recorder(url)
        first = await ask(server.url)
        # Another parameter: it matches, with drift.
        async with asking(server.url, asked(temperature=0)) as response:
            second, drift = await response.read(), response.headers["x-replay-drift"]

    assert (second, drift, len(answers.requests)) == (first[1], "temperature", 1)


# Sequences -----------------------------------------------------------------------------------------------------------


async def test_the_nth_identical_request_of_a_session_is_element_n(recorder: Recorder, cassettes: Path) -> None:
    async with upstream(Answers("One.", "One.", "Two.")) as url:
        server = await recorder(url)
        for _ in range(3):
            await ask(server.url, headers={"x-replay-session": "trip"})
    strict = await recorder(record_mode="none", on_miss="error")
    replayed = [await ask(strict.url, headers={"x-replay-session": "trip"}) for _ in range(4)]

    assert contents(cassettes) == ["One.", "One.", "Two."]
    assert [body for _, body in replayed] == [chat("One.", 1), chat("One.", 2), chat("Two.", 3), chat("Two.", 3)]


async def test_where_no_session_is_named_the_same_again_is_nothing_new(recorder: Recorder, cassettes: Path) -> None:
    async with upstream(Answers("One.", "One.", "Two.", "Two.", "One.")) as url:
        server = await recorder(url)
        for _ in range(5):
            await ask(server.url)

    assert contents(cassettes) == ["One.", "Two.", "One."]


class OutOfOrder:
    """Answers a batch of requests in the reverse order of their arrival, each with its number."""

    def __init__(self, size: int) -> None:
        self._turns = [asyncio.Event() for _ in range(size)]
        self._arrivals = [asyncio.Event() for _ in range(size)]
        self._count = 0

    async def arrived(self, count: int) -> None:
        """So many requests are here."""
        await self._arrivals[count - 1].wait()

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        number, self._count = self._count, self._count + 1
        self._arrivals[number].set()
        if self._count == len(self._turns):
            self._turns[-1].set()
        await self._turns[number].wait()
        if number:
            self._turns[number - 1].set()
        return web.Response(body=chat(f"answer {number}"), content_type="application/json")


async def ask_one_after_the_other(url: str, turns: OutOfOrder, size: int, **headers: str) -> None:
    """Send requests in order, without waiting for an answer to one before the next is sent."""
    tasks = []
    for number in range(1, size + 1):
        tasks.append(asyncio.create_task(ask(url, headers=headers)))
        await turns.arrived(number)
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("mode", ["new_episodes", "all"])
@pytest.mark.parametrize("session", [{}, {"x-replay-session": "trip"}], ids=["unnamed", "named"])
async def test_answers_that_finish_out_of_order_stand_in_the_order_of_the_requests(
    recorder: Recorder, cassettes: Path, mode: str, session: dict[str, str]
) -> None:
    turns = OutOfOrder(4)
    async with upstream(turns) as url:
        server = await recorder(url, record_mode=mode)
        await ask_one_after_the_other(server.url, turns, 4, **session)

    assert contents(cassettes) == ["answer 0", "answer 1", "answer 2", "answer 3"]


async def test_recording_all_again_out_of_order_with_nothing_new_changes_nothing(
    recorder: Recorder, cassettes: Path
) -> None:
    for _ in range(2):
        turns = OutOfOrder(3)
        async with upstream(turns) as url:
            server = await recorder(url, record_mode="all")
            await ask_one_after_the_other(server.url, turns, 3)
        (path,) = cassettes.rglob("*.yaml")
        before = path.stat().st_mtime_ns, path.read_bytes()

    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    assert contents(cassettes) == ["answer 0", "answer 1", "answer 2"]


async def test_recording_all_again_replaces_in_place_and_keeps_what_is_not_asked_for(
    recorder: Recorder, cassettes: Path
) -> None:
    async with upstream(Answers("a", "b", "c")) as url:
        server = await recorder(url)
        for _ in range(3):
            await ask(server.url)
    async with upstream(Answers("a", "B")) as url:
        server = await recorder(url, record_mode="all")
        for _ in range(2):
            await ask(server.url)

    assert contents(cassettes) == ["a", "B", "c"]


async def test_a_failed_answer_replaces_no_good_one(recorder: Recorder, cassettes: Path) -> None:
    async with upstream(Answers("a", "b")) as url:
        server = await recorder(url)
        for _ in range(2):
            await ask(server.url)

    calls = 0

    async def busy_at_first(request: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        return web.Response(status=503) if calls == 1 else web.Response(body=chat("B"), content_type="application/json")

    async with upstream(busy_at_first) as url:
        server = await recorder(url, record_mode="all")
        statuses = [(await ask(server.url))[0] for _ in range(2)]

    assert (statuses, contents(cassettes)) == ([503, 200], ["a", "B"])


async def test_two_sessions_into_one_cassette_lose_nothing(recorder: Recorder, cassettes: Path) -> None:
    async with upstream(Answers("a", "b", "c", "d")) as url:
        server = await recorder(url, record_mode="all")
        for session in ("one", "one", "two", "one"):
            await ask(server.url, headers={"x-replay-session": session, "x-replay-record-to": "both"})

    assert contents(cassettes) == ["c", "b", "d"]  # the first request of a session is always element 1


# Nothing new ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_recording_all_again_with_nothing_new_leaves_the_file_untouched(
    recorder: Recorder, cassettes: Path, stream: bool
) -> None:
    calls = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        number, headers = b"%d" % calls, {"x-request-id": f"req_{calls}", "openai-processing-ms": str(calls)}
        if not stream:
            return web.Response(body=chat("Hello.", calls), headers=headers, content_type="application/json")
        cut = chat_events("Hel", "lo.") if calls == 1 else chat_events("Hello", ".")  # and other deltas
        body = b"".join(cut).replace(b"chatcmpl-1", b"chatcmpl-" + number)
        return web.Response(body=body, headers=headers, content_type="text/event-stream")

    async with upstream(answer) as url:
        states = []
        for _ in range(2):
            server = await recorder(url, record_mode="all")
            await ask(server.url, asked(stream=stream))
            (path,) = cassettes.rglob("*.yaml")
            states.append((path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino))

    assert (calls, states[1]) == (2, states[0])


# Names ---------------------------------------------------------------------------------------------------------------


async def test_a_file_is_named_by_the_last_text_of_the_prompt_and_the_key(recorder: Recorder, cassettes: Path) -> None:
    async with upstream(Answers("One.")) as url:
        server = await recorder(url)
        keys = []
        for content in ("What's the capital of Ünited États — and why is it so?", "日本語"):
            async with asking(server.url, asked(content)) as response:
                keys.append(response.headers["x-replay-key"][:8])
                await response.read()

    assert sorted(recorded(cassettes)) == sorted(
        [
            f"recorded/what-s-the-capital-of-united-etats-and-w-{keys[0]}.yaml",
            f"recorded/chat-completions-{keys[1]}.yaml",
        ]
    )


async def test_variants_with_one_key_get_files_of_their_own(recorder: Recorder, cassettes: Path) -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
    async with upstream(Answers("One.")) as url:
        server = await recorder(url)
        for fields in ({}, {"tools": tools}, {"n": 2}):
            await ask(server.url, asked(**fields))

    stems = sorted(Path(name).stem for name in recorded(cassettes))
    first = stems[0]
    assert stems == [first, f"{first}-2", f"{first}-3"]


@pytest.mark.parametrize(
    ("headers", "path", "folder"),
    [
        ({}, "", "recorded"),
        ({"x-replay-session": "trip.1"}, "", "trip.1"),
        ({}, "/__replay/s/rome", "rome"),
        ({"x-replay-session": "trip", "x-replay-record-to": "shared_ones"}, "", "shared_ones"),
        ({"x-replay-record-to": "trips/rome"}, "", "trips/rome"),
    ],
    ids=["nothing", "header", "base URL", "x-replay-record-to", "folder"],
)
async def test_a_cassette_is_named_by_session_or_header(
    recorder: Recorder, cassettes: Path, headers: dict[str, str], path: str, folder: str
) -> None:
    answers = Answers("One.")
    async with upstream(answers) as url:
        server = await recorder(url)
        status, _ = await ask(server.url, path=f"{path}/v1/chat/completions", headers=headers)

    assert (status, answers.requests[0].raw_path) == (200, "/v1/chat/completions")
    assert [Path(name).parent.as_posix() for name in recorded(cassettes)] == [folder]


@pytest.mark.parametrize(
    "name",
    ["../out", "/etc", "a/../b", "a//b", "a/", ".hidden", "..", "a\\b", "a b", "ü", "x" * 129, "a%2f"],
    ids=lambda name: name[:9],
)
async def test_what_is_no_name_is_refused_and_not_asked(recorder: Recorder, tmp_path: Path, name: str) -> None:
    answers = Answers("One.")
    async with upstream(answers) as url:
        server = await recorder(url)
        before = recorded(tmp_path)
        status, body = await ask(server.url, headers={"x-replay-record-to": name})

    assert (status, orjson.loads(body)["error"]["code"]) == (400, "invalid_cassette")
    assert "is not the name of a cassette" in orjson.loads(body)["error"]["message"]
    assert (answers.requests, recorded(tmp_path)) == ([], before)


async def test_a_link_out_of_the_directory_is_refused(recorder: Recorder, cassettes: Path, tmp_path: Path) -> None:
    cassettes.mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (cassettes / "away").symlink_to(outside)
    async with upstream(Answers("One.")) as url:
        server = await recorder(url)
        status, body = await ask(server.url, headers={"x-replay-record-to": "away"})

    assert (status, list(outside.iterdir())) == (400, [])
    assert "lies outside" in orjson.loads(body)["error"]["message"]


# Where requests go ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "model", "answered", "seen"),
    [
        ("/v1/chat/completions", "gpt-4o", "gpt", "/base/v1/chat/completions"),
        ("/v1/chat/completions", "other", "all", "/v1/chat/completions"),
        ("/chat/completions", "other", "all", "/v1/chat/completions"),
        ("/anthropic/v1/messages", "gpt-4o", "anthropic", "/v1/messages"),
        ("/anthropic/beta/v1/messages", "x", "beta", "/v1/messages"),
        ("/openai/deployments/d-1/chat/completions?api-version=2024-10-21", "x", "all", None),
        ("/openai/v1/chat/completions", "x", "all", None),
        ("/v1/files/a%2Fb%20c?after=%C3%A4+b&q", "x", "all", None),
    ],
    ids=["model", "all", "no version", "path", "longest path", "azure", "azure v1", "as it is encoded"],
)
async def test_requests_go_where_model_and_path_say(
    recorder: Recorder, path: str, model: str, answered: str, seen: str | None
) -> None:
    names = {"all": "", "gpt": "gpt-*", "anthropic": "/anthropic", "beta": "/anthropic/beta"}
    calls = []

    async def answer(request: web.Request) -> web.Response:
        calls.append(request.raw_path)
        return web.Response(text=request.host)

    async with (
        upstream(answer) as url,
        upstream(answer) as gpt,
        upstream(answer) as anthropic,
        upstream(answer) as beta,
    ):
        urls = {"all": url, "gpt": f"{gpt}/base/v1", "anthropic": anthropic, "beta": beta}
        server = await recorder(*(Upstream(names[name], where) for name, where in urls.items()))
        status, body = await ask_exactly(server.url + path, {**asked(), "model": model})

    assert (status, f"http://{body.decode()}") == (200, urls[answered].removesuffix("/base/v1"))
    assert calls == [seen or path]


async def ask_exactly(url: str, body: object) -> tuple[int, bytes]:
    """Ask without a change of the URL."""
    async with aiohttp.ClientSession() as session, session.post(URL(url, encoded=True), json=body) as response:
        return response.status, await response.read()


async def test_a_request_that_no_upstream_takes_is_answered_as_without_one(recorder: Recorder) -> None:
    async with upstream(Answers("One.")) as url:
        server = await recorder(Upstream("gpt-*", url), on_miss="error")
        status, body = await ask(server.url)

    assert (status, b"no interaction for chat/completions" in body) == (404, True)


async def test_two_servers_record_into_one_directory(recorder: Recorder, cassettes: Path) -> None:
    async with upstream(Answers("One.")) as url:
        servers = [await recorder(url) for _ in range(2)]
        await asyncio.gather(
            *(ask(server.url, asked(f"{number} {at}")) for number in range(20) for at, server in enumerate(servers)),
            *(ask(server.url, asked("the same")) for server in servers),
        )

    assert len(Library.load(cassettes)) == 41
