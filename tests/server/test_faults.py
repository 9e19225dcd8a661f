"""Faults as clients see them: the openai package, sync and async, and sockets of our own."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest
from aiohttp import web

from replay_server.interaction import Profile
from replay_server.server.run import RunningServer
from replay_server.settings import Upstream
from tests.conftest import CASSETTES
from tests.record.upstreams import chat, upstream
from tests.server.test_http import CHAT, HELLO, raw, request
from tests.server.test_pace import STREAMED, until

PLAIN = STREAMED.replace(b"true", b"false")
NO_RETRY = 0
Write = Callable[[str, str], Path]


def client(server: RunningServer, fault: str = "", retries: int = NO_RETRY, **options: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        base_url=f"{server.url}/v1",
        api_key="any",
        max_retries=retries,
        default_headers={"x-replay-fault": fault} if fault else {},
        **options,
    )


async def created(ours: openai.AsyncOpenAI, **options: Any) -> Any:
    async with ours:
        return await ours.chat.completions.with_raw_response.create(**HELLO, **options)


async def streamed(ours: openai.AsyncOpenAI, texts: list[str | None]) -> None:
    """Read a stream; the texts that come are added to the list, whatever happens after them."""
    async with ours:
        async for chunk in await ours.chat.completions.create(**HELLO, stream=True):
            texts.append(chunk.choices[0].delta.content)  # noqa: PERF401  # what has come must not be lost


async def refused(server: RunningServer, fault: str) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        await created(client(server, fault))
    return caught.value


# Errors --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, openai.BadRequestError, None),
        (401, openai.AuthenticationError, "invalid_api_key"),
        (403, openai.PermissionDeniedError, "unsupported_country_region_territory"),
        (404, openai.NotFoundError, "model_not_found"),
        (408, openai.APIStatusError, None),
        (409, openai.ConflictError, None),
        (422, openai.UnprocessableEntityError, None),
        (429, openai.RateLimitError, "rate_limit_exceeded"),
        (500, openai.InternalServerError, None),
        (503, openai.InternalServerError, "overloaded"),
    ],
)
async def test_a_status_raises_what_the_live_api_raises(
    serve: Any, status: int, kind: type[openai.APIStatusError], code: str | None
) -> None:
    error = await refused(await serve(), f"status={status}")

    assert type(error) is kind
    assert (error.status_code, error.code, error.response.headers["x-replay-source"]) == (status, code, "fault")
    assert error.response.headers["x-replay-interaction"] == "greeting.yaml#1"
    assert error.response.headers["x-replay-fault"] == f"status={status}"


async def test_two_rate_limits_then_success(serve: Any) -> None:
    server = await serve()

    answer = await created(client(server, "status=429, retry_after=1ms, times=2", retries=2))

    assert answer.retries_taken == 2
    assert answer.parse().choices[0].message.content == "Hello! How can I help you today?"
    assert answer.headers["x-replay-source"] == "cassette"


async def test_two_rate_limits_then_success_of_a_document(serve: Any, write: Write) -> None:
    document = (CASSETTES / "greeting.yaml").read_text() + "fault: {status: 429, retry_after: 1ms, times: 2}\n"
    server = await serve(write("greeting.yaml", document))

    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=2) as ours:
        answer = await asyncio.to_thread(ours.chat.completions.with_raw_response.create, **HELLO)

    assert answer.retries_taken == 2
    assert answer.headers["x-replay-source"] == "cassette"


async def test_a_client_that_gives_up_too_soon_fails(serve: Any) -> None:
    with pytest.raises(openai.RateLimitError):
        await created(client(await serve(), "status=429, retry_after=1ms, times=2", retries=1))


async def test_an_error_that_says_so_is_not_retried(serve: Any) -> None:
    server, fault = await serve(), "status=503, should_retry=false, times=1"

    with pytest.raises(openai.InternalServerError):
        await created(client(server, fault, retries=2))
    assert (await created(client(server, fault))).status_code == 200


async def test_rate_limits_are_shown_and_kept(serve: Any) -> None:
    server, fault = await serve(), "ratelimit=requests:2/1h"

    left = [(await created(client(server, fault))).headers["x-ratelimit-remaining-requests"] for _ in range(2)]
    error = await refused(server, fault)

    assert left == ["1", "0"]
    assert (error.status_code, error.type, error.code) == (429, "requests", "rate_limit_exceeded")
    assert int(error.response.headers["retry-after"]) <= 1800
    assert error.response.headers["x-ratelimit-limit-requests"] == "2"


# Answers that break off ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("fault", ["stall=after 0 events", "stall", "delay=3600s"])
async def test_a_client_with_a_timeout_gives_up(serve: Any, fault: str, stream: bool) -> None:
    ours = client(await serve(), fault, timeout=0.2)

    with pytest.raises(openai.APITimeoutError):
        await (streamed(ours, []) if stream else created(ours))


async def test_a_timeout_is_retried(serve: Any) -> None:
    answer = await created(client(await serve(), "stall=after 0 events, times=1", retries=1, timeout=0.2))

    assert answer.retries_taken == 1
    assert answer.headers["x-replay-source"] == "cassette"


async def test_what_came_before_a_stall_has_been_seen(serve: Any) -> None:
    texts: list[str | None] = []

    with pytest.raises(openai.APITimeoutError):
        await streamed(client(await serve(), "stall=after 3 events", timeout=0.2), texts)

    assert texts == ["", "Hello", "!"]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("cut", "RemoteProtocolError"),
        ("cut=after 0 events", "RemoteProtocolError"),
        ("cut=mid-chunk", "RemoteProtocolError"),
        ("reset", "ReadError"),
        ("reset=after 2 events", "ReadError"),
    ],
)
async def test_a_connection_that_breaks_raises_a_connection_error(
    serve: Any, fault: str, cause: str, stream: bool
) -> None:
    ours = client(await serve(), fault)

    with pytest.raises(openai.APIConnectionError) as caught:
        await (streamed(ours, []) if stream else created(ours))

    assert type(caught.value.__cause__).__name__ == cause


async def test_a_broken_connection_is_retried(serve: Any) -> None:
    answer = await created(client(await serve(), "reset, times=1", retries=1))

    assert answer.retries_taken == 1


async def test_malformed_json_raises_what_the_package_raises(serve: Any) -> None:
    server, texts = await serve(), list[str | None]()

    with pytest.raises(json.JSONDecodeError):
        (await created(client(server, "malformed"))).parse()
    with pytest.raises(json.JSONDecodeError):
        await streamed(client(server, "malformed=after 2 events"), texts)

    assert texts == ["", "Hello"]


async def test_an_error_within_a_stream_raises_an_api_error(serve: Any) -> None:
    texts: list[str | None] = []

    with pytest.raises(openai.APIError) as caught:
        await streamed(client(await serve(), "error_event=after 2 events, message=Overloaded, code=overloaded"), texts)

    assert texts == ["", "Hello"]
    assert (type(caught.value), caught.value.message, caught.value.code) == (
        openai.APIError,
        "Overloaded",
        "overloaded",
    )


async def test_a_stream_without_its_end_is_whole_to_the_package(serve: Any) -> None:
    server, texts, whole = await serve(), list[str | None](), list[str | None]()

    await streamed(client(server, "no_done"), texts)
    await streamed(client(server), whole)

    assert texts == whole


# Byte by byte --------------------------------------------------------------------------------------------------------


async def body(server: RunningServer, fault: str, data: bytes = STREAMED, version: str = "1.0") -> tuple[bytes, bytes]:
    """The head, in lower case, and what came of the body until the connection ended."""
    answer = await raw(server.url, request(data, f"x-replay-fault: {fault}", version=version))
    head, _, found = answer.partition(b"\r\n\r\n")
    return head.lower(), found


async def test_a_stream_is_cut_after_its_events_without_a_last_chunk(serve: Any) -> None:
    server = await serve()
    _, whole = await body(server, "delay=1ms")
    frames = whole.split(b"\n\n")

    head, cut = await body(server, "cut=after 3 events", version="1.1")
    _, within = await body(server, "cut=mid-chunk after 3 events")

    assert b"transfer-encoding: chunked" in head
    assert cut.count(b"data: ") == 3
    assert not cut.endswith(b"0\r\n\r\n")
    assert within == b"\n\n".join(frames[:3]) + b"\n\n" + frames[3][: (len(frames[3]) + 2) // 2]


async def test_a_plain_answer_is_cut_short_of_its_length(serve: Any) -> None:
    server = await serve()
    _, whole = await body(server, "delay=1ms", PLAIN)

    head, cut = await body(server, "cut", PLAIN, version="1.1")

    assert b"content-length: %d" % len(whole) in head
    assert cut == whole[: len(whole) // 2]


async def test_an_empty_answer_has_a_head_alone(serve: Any) -> None:
    server = await serve()

    head, plain = await body(server, "empty", PLAIN, version="1.1")
    streamed_head, stream = await body(server, "empty", version="1.1")

    assert (plain, stream) == (b"", b"0\r\n\r\n")
    assert b"content-length: 0" in head
    assert b"content-type: text/event-stream" in streamed_head


async def test_nothing_at_all_comes_of_an_answer_that_is_cut_at_once(serve: Any) -> None:
    assert await body(await serve(), "cut=after 0 events") == (b"", b"")


@pytest.mark.parametrize("fault", ["reset", "reset=after 2 events"])
async def test_a_reset_is_one(serve: Any, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    server = await serve()

    with pytest.raises(ConnectionResetError):
        await body(server, fault)

    assert caplog.records == []


@pytest.mark.parametrize("data", [STREAMED, PLAIN], ids=["stream", "plain"])
async def test_a_slow_body_comes_in_pieces_and_is_the_same(serve: Any, data: bytes) -> None:
    server = await serve(pace=Profile(ttft=0.001))
    _, whole = await body(server, "delay=1ms", data)

    async with aiohttp.ClientSession() as session:
        headers = {"x-replay-fault": "slow=5ms"}
        async with session.post(server.url + CHAT, data=data, headers=headers) as response:
            first = await response.content.readany()
            stopping = asyncio.create_task(server.stop())
            rest = await response.content.read()
            await stopping

    assert 0 < len(first) < len(whole)
    assert first + rest == whole


async def test_a_wrong_content_type_comes_with_the_right_body(serve: Any) -> None:
    server = await serve()
    _, whole = await body(server, "delay=1ms", PLAIN)

    head, found = await body(server, "content_type=text/html", PLAIN)

    assert b"content-type: text/html" in head
    assert b"application/json" not in head
    assert found == whole


async def test_a_connection_stays_open_after_an_answer_that_a_fault_made(serve: Any) -> None:
    server = await serve()
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))

    for fault in ("status=429", "malformed", "no_done"):
        writer.write(request(PLAIN, f"x-replay-fault: {fault}").replace(b"close", b"keep-alive"))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)

    writer.close()
    await writer.wait_closed()


# Ends ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["delay=3600s", "stall", "stall=after 0 events", "slow=3600s"])
async def test_a_client_that_leaves_is_waited_for_no_longer(
    serve: Any, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = await serve()
    pauses = server._app.pauses
    host, port = server.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(request(STREAMED, f"x-replay-fault: {fault}"))
    await until(lambda: pauses.others() == 0)

    writer.close()

    await until(lambda: pauses.others() == -1)
    assert caplog.records == []


async def test_a_server_that_stops_ends_a_stall(serve: Any) -> None:
    server = await serve()
    reading = asyncio.create_task(body(server, "stall=after 3 events"))
    await until(lambda: len(server._app.pauses._waiting) == 1)

    await server.stop()

    assert (await reading)[1].count(b"data: ") == 3


async def test_an_answer_that_is_late_and_has_a_pace_is_one_answer_under_way(serve: Any) -> None:
    server, headers = await serve(), {"x-replay-fault": "delay=1ms", "x-replay-pace": "ttft=1ms,itl=3600s"}

    url = server.url + CHAT
    async with aiohttp.ClientSession() as http, http.post(url, data=STREAMED, headers=headers) as response:
        await response.content.readany()
        others = server._app.pauses.others()

    assert others == 0


# Before an upstream ---------------------------------------------------------------------------------------------------


class Upstreamed:
    """A real API behind us, which counts how often it is asked."""

    asked = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        return web.Response(body=chat("Live."), content_type="application/json")


@pytest.mark.parametrize(
    ("fault", "status", "source", "asked"),
    [
        ("status=503", 503, "fault", 0),
        ("delay=1ms", 200, "upstream", 1),
        ("malformed", 200, "upstream", 1),
        ("ratelimit=requests:1/1h", 200, "upstream", 1),
    ],
)
async def test_what_an_upstream_says_passes_whole_or_is_never_asked_for(
    serve: Any, tmp_path: Path, fault: str, status: int, source: str, asked: int
) -> None:
    behind = Upstreamed()
    async with upstream(behind.answer) as url:
        server = await serve(tmp_path, upstreams=(Upstream("", url),))
        head, found = await body(server, fault, PLAIN)
        await server.stop()

    assert head.startswith(b"http/1.0 %d" % status)
    assert f"x-replay-source: {source}".encode() in head
    assert (behind.asked, found == chat("Live.")) == (asked, bool(asked))


async def test_a_connection_that_is_reset_at_once_asks_no_upstream(serve: Any, tmp_path: Path) -> None:
    behind = Upstreamed()
    async with upstream(behind.answer) as url:
        server = await serve(tmp_path, upstreams=(Upstream("", url),))
        with pytest.raises(ConnectionResetError):
            await body(server, "reset", PLAIN)
        await server.stop()

    assert behind.asked == 0


# What is said --------------------------------------------------------------------------------------------------------


async def test_a_header_that_is_no_fault_is_refused(serve: Any) -> None:
    error = await refused(await serve(), "stattus=429")

    assert (error.status_code, error.code) == (400, "invalid_fault")
    assert error.body["message"].startswith(  # type: ignore[index]
        "x-replay-fault: 'stattus=429' is no fault: 'stattus' is none of status, message, type, code,"
    )


async def test_a_head_request_has_no_body_to_spoil(serve: Any) -> None:
    server = await serve()
    asked = request(b"", "x-replay-fault: malformed", path="/v1/models").replace(b"POST", b"HEAD")

    answer = await raw(server.url, asked)

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"\r\n\r\n")
