"""Answers with a pace, over a socket: the same bytes, a client that leaves, a server that stops. No test waits long."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest

from replay_server.cassettes.recorded_form import stream_form
from replay_server.cassettes.sse import split_frames
from replay_server.cassettes.yaml_writer import dump
from replay_server.interaction import Profile, RecordedPace, TimedFrame
from replay_server.server.run import RunningServer
from tests.server.test_http import CHAT, HELLO, raw, request

STREAMED = b'{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello."}], "stream": true}'
PLAIN = STREAMED.replace(b"true", b"false")
HOSTILE = (
    b'\xef\xbb\xbfdata: {"choices":[{"delta":{"content":"\xc3\xa9"}}]}\r\n\r\n: ping\n\nid: 7\ndata: {"a":1,"a":2}\r\r'
    b'retry: 5\n\nevent: x\ndata: {"choices":[{"delta":{"content":"\\u00e9"}}]}\n\ndata: \xff\n\ndata:\n\ndata: [DONE]'
)
SOON = "ttft=1ms,itl=1ms,jitter=0.5,load=0.1"
NEVER = Profile(ttft=0.001, itl=3600)
"""The first token comes, the second one does not."""

Write = Callable[[str, str], Path]


def recorded_cassette() -> str:
    asked = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    frames = [TimedFrame(0.001, frame) for frame in split_frames(HOSTILE)]
    return dump({"request": asked, "response": stream_form(200, {}, frames)})


async def body(url: str, data: bytes, *headers: str, version: str = "1.0") -> bytes:
    answer = await raw(url, request(data, *headers, version=version))
    head, _, found = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/{version} 200".encode())
    return found


@pytest.mark.parametrize("data", [STREAMED, PLAIN], ids=["stream", "plain"])
@pytest.mark.parametrize("pace", ["instant", "recorded", SOON])
async def test_every_pace_gives_the_same_bytes(serve: Any, data: bytes, pace: str) -> None:
    server = await serve()

    assert await body(server.url, data, f"x-replay-pace: {pace}") == await body(server.url, data)


@pytest.mark.parametrize("pace", ["instant", "recorded", "recorded*2", SOON])
async def test_every_pace_gives_the_recorded_bytes(serve: Any, write: Write, pace: str) -> None:
    server = await serve(write("a.yaml", recorded_cassette()))
    data = b'{"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": true}'

    assert await body(server.url, data, f"x-replay-pace: {pace}") == HOSTILE


async def test_a_paced_stream_has_the_head_of_any_stream(serve: Any) -> None:
    server = await serve()
    asked = request(STREAMED, "Origin: http://localhost", version="1.1")

    heads = []
    for pace in (b"instant", SOON.encode()):
        answer = await raw(server.url, asked.replace(b"\r\n", b"\r\nx-replay-pace: %b\r\n" % pace, 1))
        lines = answer.partition(b"\r\n\r\n")[0].lower().splitlines()
        heads.append(sorted(line for line in lines if not line.startswith(b"date:")))

    assert heads[0] == heads[1]
    assert b"transfer-encoding: chunked" in heads[0]


async def test_a_connection_stays_open_after_a_paced_stream(serve: Any) -> None:
    server = await serve(pace=Profile(ttft=0.001, itl=0.001))
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))

    for _ in range(2):
        writer.write(request(STREAMED).replace(b"close", b"keep-alive"))
        answer = await reader.readuntil(b"\r\n0\r\n\r\n")
        assert b"data: [DONE]" in answer

    writer.close()
    await writer.wait_closed()


async def test_the_client_sees_a_piece_before_the_next_one_is_due(serve: Any) -> None:
    server = await serve(pace=NEVER)

    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any") as client:
        stream = await client.chat.completions.create(**HELLO, stream=True)
        chunks = aiter(stream)
        texts = [(await anext(chunks)).choices[0].delta.content for _ in range(2)]
        await stream.close()

    assert texts == ["", "Hello"]


@pytest.mark.parametrize(
    ("pace", "problem"),
    [
        (
            "fast",
            "x-replay-pace: 'fast' is no pace: there is no such word; a pace is instant, recorded, recorded*FACTOR",
        ),
        ("ttft=300", "x-replay-pace: 'ttft=300' is no pace: ttft must be a time with its unit, such as 300ms or 0.3s"),
    ],
)
async def test_a_header_that_is_no_pace_is_refused(serve: Any, pace: str, problem: str) -> None:
    server = await serve()

    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any") as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.chat.completions.create(**HELLO, extra_headers={"x-replay-pace": pace})

    assert caught.value.code == "invalid_pace"
    assert caught.value.message.startswith("Error code: 400")
    assert problem in caught.value.message


async def test_replay_yaml_sets_the_pace_and_an_option_comes_before_it(serve: Any, write: Write) -> None:
    write("replay.yaml", "pace: ttft=1ms,itl=3600s\n")
    directory = write("a.yaml", recorded_cassette())
    data = b'{"model": "m", "messages": [{"role": "user", "content": "unknown"}], "stream": true}'

    hurried = await serve(directory, pace=RecordedPace())
    slow = await serve(directory)

    assert (await body(hurried.url, data)).endswith(b"data: [DONE]\n\n")
    async with PacedStream(slow, data) as first:
        assert b"[DONE]" not in first


class PacedStream:
    """A stream of which the first piece has come, and the rest is not due for an hour."""

    def __init__(self, server: RunningServer, data: bytes = STREAMED) -> None:
        self._server, self._data = server, data

    async def __aenter__(self) -> bytes:
        self._session = aiohttp.ClientSession()
        self.response = await self._session.post(self._server.url + CHAT, data=self._data)
        return (await self.response.content.readchunk())[0]

    async def __aexit__(self, *_: object) -> None:
        self.response.close()
        await self._session.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # the server sets no event for its tests
            await asyncio.sleep(0)


@pytest.mark.parametrize("pace", [Profile(ttft=3600), NEVER], ids=["before the head", "mid-stream"])
@pytest.mark.parametrize("data", [STREAMED, PLAIN], ids=["stream", "plain"])
async def test_a_client_that_leaves_is_waited_for_no_longer(
    serve: Any, pace: Profile, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    server = await serve(pace=pace)
    pauses = server._app.pauses
    host, port = server.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(request(data, version="1.1"))
    await until(lambda: pauses.others() == 0)

    writer.close()

    await until(lambda: pauses.others() == -1)
    assert caplog.records == []


async def test_a_server_that_stops_sends_the_rest_at_once(serve: Any) -> None:
    instant, slow = await serve(), await serve(pace=NEVER)
    stream = PacedStream(slow)

    async with stream as first:
        stopping = asyncio.create_task(slow.stop())
        rest = await stream.response.content.read()
        await stopping

    assert first + rest == await body(instant.url, STREAMED)
