"""Live traffic that goes wrong: the client sees what happened, and no broken answer becomes a recording."""

import asyncio
import logging
import os
from pathlib import Path
from typing import Any

import aiohttp
import openai
import orjson
import pytest
from aiohttp import web

from replay_server.cassettes.library import Library
from tests.record.conftest import Recorder
from tests.record.upstreams import (
    CHUNKED_EVENTS,
    Answers,
    ask,
    asked,
    asking,
    chat,
    chat_events,
    chunked,
    head,
    raw_upstream,
    recorded,
    saying,
    upstream,
)

JSON = "application/json"
EVENTS = chat_events("Hel", "lo.")
STREAM = asked(stream=True)


@pytest.fixture
def notes(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the server says of recordings, as it comes."""
    found: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append(record.getMessage())
    logger = logging.getLogger("replay_server")
    logger.addHandler(handler)
    yield found
    logger.removeHandler(handler)


# An upstream that is no good -----------------------------------------------------------------------------------------


async def test_an_upstream_that_is_down_is_a_clear_502(recorder: Recorder, cassettes: Path) -> None:
    async with upstream(Answers("One.")) as url:
        pass
    server = await recorder(url)
    status, body = await ask(server.url)

    assert (status, orjson.loads(body)["error"]) == (
        502,
        {
            "message": f"the upstream {url}/v1/chat/completions cannot be connected to: Connection refused",
            "type": "server_error",
            "param": None,
            "code": "upstream_unreachable",
        },
    )
    assert recorded(cassettes) == {}


async def never(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Say nothing more until the other side gives up."""
    await _reader.read()


def then_silence(*pieces: bytes) -> Any:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await saying(*pieces)(reader, writer)
        await never(reader, writer)

    return talk


@pytest.mark.parametrize(
    ("talk", "status", "message"),
    [
        (never, 504, "gave no sign of life in 0.05 s"),
        (saying(b"this is no HTTP\r\n\r\n"), 502, "answered what is not HTTP"),
        (saying(CHUNKED_EVENTS + b"what?\r\n"), 502, "answered what is not HTTP"),
        (saying(), 502, "Server disconnected"),
    ],
    ids=["silence", "garbage", "garbage for chunks", "nothing"],
)
async def test_an_upstream_that_does_not_answer_is_a_clear_error(
    recorder: Recorder, talk: Any, status: int, message: str
) -> None:
    async with raw_upstream(talk) as url:
        server = await recorder(url, upstream_timeout=0.05)
        answered, body = await ask(server.url)

    assert (answered, message in orjson.loads(body)["error"]["message"]) == (status, True)


BROKEN = {
    "stalls": then_silence(CHUNKED_EVENTS + chunked(*EVENTS[:2], end=b"")),
    "cut after a chunk": saying(CHUNKED_EVENTS + chunked(*EVENTS[:2], end=b"")),
    "cut within a chunk": saying(CHUNKED_EVENTS + chunked(*EVENTS[:2], end=b"") + b"ff\r\ndata: {"),
    "cut within the size of a chunk": saying(CHUNKED_EVENTS + chunked(*EVENTS[:2], end=b"f")),
    "shorter than its length": saying(head(JSON, "content-length: 999") + chat("One.")),
    "stalls within its length": then_silence(head(JSON, "content-length: 999") + chat("One.")),
}


@pytest.mark.parametrize("talk", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("mode", ["none", "new_episodes"])
async def test_a_broken_answer_is_broken_for_the_client_and_not_recorded(
    recorder: Recorder, cassettes: Path, notes: list[str], talk: Any, mode: str
) -> None:
    async with raw_upstream(talk) as url:
        server = await recorder(url, upstream_timeout=0.05, record_mode=mode)
        with pytest.raises(aiohttp.ClientPayloadError):
            await ask(server.url, STREAM)

    assert recorded(cassettes) == {}
    (note,) = notes
    assert note.startswith(
        "not recorded: chat/completions: the upstream " if mode != "none" else "an answer breaks off"
    )


@pytest.mark.parametrize(
    "talk", [BROKEN["cut within a chunk"], BROKEN["shorter than its length"]], ids=["chunks", "length"]
)
async def test_the_openai_client_sees_that_an_answer_is_broken(recorder: Recorder, talk: Any) -> None:
    async with raw_upstream(talk) as url:
        server = await recorder(url)
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
            with pytest.raises(openai.APIConnectionError):
                async for _ in await client.chat.completions.create(**STREAM):
                    pass


async def test_to_http_1_0_the_connection_ends_in_no_good_way(recorder: Recorder) -> None:
    async with raw_upstream(BROKEN["cut after a chunk"]) as url:
        server = await recorder(url)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
        writer.write(b"GET /v1/some HTTP/1.0\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


# Each is a whole answer as far as HTTP knows.
NOT_WHOLE = {
    "no [DONE]": ("text/event-stream", b"".join(EVENTS[:-1]), "the upstream's stream broke off after 4 events"),
    "no events": ("text/event-stream", b"", "the upstream's stream broke off after 0 events"),
    "an error within": (
        "text/event-stream",
        EVENTS[0] + b'data: {"error": {"message": "overloaded"}}\n\n' + EVENTS[-1],
        "the upstream's stream tells of an error: overloaded",
    ),
    "garbage for JSON": (JSON, b'{"choices": [', 'the upstream answered what is not JSON: {"choices": ['),
}


@pytest.mark.parametrize(("content_type", "body", "why"), NOT_WHOLE.values(), ids=NOT_WHOLE)
@pytest.mark.parametrize("record_errors", [False, True])
async def test_an_answer_that_is_not_whole_passes_and_is_recorded_only_if_asked_for(
    recorder: Recorder,
    cassettes: Path,
    notes: list[str],
    content_type: str,
    body: bytes,
    why: str,
    record_errors: bool,
) -> None:
    async with raw_upstream(saying(head(content_type, f"content-length: {len(body)}") + body)) as url:
        server = await recorder(url, record_errors=record_errors)
        passed = await ask(server.url, STREAM)

    assert passed == (200, body)
    if record_errors:
        strict = await recorder(record_mode="none", on_miss="error")
        assert (await ask(strict.url, STREAM), notes) == ((200, body), [])
    else:
        assert (recorded(cassettes), notes) == ({}, [f"not recorded: chat/completions: {why}"])


async def test_a_stream_that_is_cut_after_its_last_event_is_whole(recorder: Recorder, notes: list[str]) -> None:
    async with raw_upstream(saying(CHUNKED_EVENTS + chunked(*EVENTS, end=b""))) as url:
        server = await recorder(url)
        with pytest.raises(aiohttp.ClientPayloadError):
            await ask(server.url, STREAM)
    strict = await recorder(record_mode="none", on_miss="error")

    assert await ask(strict.url, STREAM) == (200, b"".join(EVENTS))
    assert notes == []


async def test_what_follows_the_last_event_is_recorded_too(recorder: Recorder) -> None:
    end = asyncio.Event()

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED_EVENTS + chunked(*EVENTS, end=b""))
        await writer.drain()
        await end.wait()
        writer.write(chunked(b": and a ", b"comment\n\n"))

    async with raw_upstream(talk) as url:
        server = await recorder(url)
        async with asking(server.url, STREAM) as response:
            received = await response.content.readexactly(len(b"".join(EVENTS)))
            end.set()
            rest = await response.read()
    strict = await recorder(record_mode="none", on_miss="error")

    assert (received, rest) == (b"".join(EVENTS), b": and a comment\n\n")
    assert await ask(strict.url, STREAM) == (200, b"".join(EVENTS) + b": and a comment\n\n")


async def test_an_answer_over_the_limit_passes_and_is_not_recorded(
    recorder: Recorder, cassettes: Path, notes: list[str]
) -> None:
    body = chat("x" * 10_000)
    async with raw_upstream(saying(head(JSON, f"content-length: {len(body)}") + body)) as url:
        server = await recorder(url, max_body=5000)
        passed = await ask(server.url)

    assert (passed, recorded(cassettes)) == ((200, body), {})
    assert notes == ["not recorded: chat/completions: the answer has more than 5000 bytes (--max-body)"]


# A client that leaves ------------------------------------------------------------------------------------------------


class Slow:
    """Gives the events of a stream one by one, each when it is told to."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.head = asyncio.Event()
        self.rest = asyncio.Event()
        self.ended = asyncio.Event()

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.asked.set()
        await self.head.wait()
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await response.write(EVENTS[0])
        await self.rest.wait()
        for event in EVENTS[1:]:
            await response.write(event)
        self.ended.set()
        return response


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that has asked for a stream."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    body = orjson.dumps(STREAM)
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
    return reader, writer


@pytest.mark.parametrize("when", ["before the first byte", "in the middle", "right after the last event"])
async def test_a_client_that_leaves_costs_nobody_the_recording(recorder: Recorder, notes: list[str], when: str) -> None:
    slow = Slow()
    async with upstream(slow) as url:
        server = await recorder(url)
        reader, writer = await connect(server.url)
        await slow.asked.wait()
        if when == "before the first byte":
            await leave(writer)
        slow.head.set()
        if when == "in the middle":
            await reader.readuntil(EVENTS[0])
            await leave(writer)
        slow.rest.set()
        if when == "right after the last event":
            await reader.readuntil(b"1\r\n\n\r\n")  # the last byte, a chunk of its own
            await leave(writer)
        await slow.ended.wait()
        await server.stop()
    strict = await recorder(record_mode="none", on_miss="error")

    assert await ask(strict.url, STREAM) == (200, b"".join(EVENTS))
    assert notes == []


async def leave(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def test_who_has_the_whole_answer_has_the_file(recorder: Recorder, cassettes: Path) -> None:
    events = b"".join(EVENTS)
    async with raw_upstream(then_silence(CHUNKED_EVENTS + chunked(events, end=b""))) as url:
        server = await recorder(url)
        async with asking(server.url, STREAM) as response:
            received = await response.content.readexactly(len(events))
            saved = Library.load(cassettes)

    assert (received, len(saved)) == (events, 1)


async def test_the_openai_client_leaves_right_after_the_end_and_the_recording_is_there(
    recorder: Recorder, cassettes: Path
) -> None:
    async with raw_upstream(then_silence(CHUNKED_EVENTS + chunked(*EVENTS, end=b""))) as url:
        server = await recorder(url)
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
            stream = await client.chat.completions.create(**STREAM)
            texts = [chunk.choices[0].delta.content async for chunk in stream]

    assert (texts, len(Library.load(cassettes))) == (["", "Hel", "lo.", None], 1)


async def test_a_server_that_stops_lets_a_recording_come_to_its_end(recorder: Recorder, cassettes: Path) -> None:
    slow = Slow()
    async with upstream(slow) as url:
        server = await recorder(url)
        _, writer = await connect(server.url)
        await slow.asked.wait()
        await leave(writer)
        slow.head.set()
        stopping = asyncio.create_task(server.stop())
        await asyncio.sleep(0)
        slow.rest.set()
        await stopping

    assert len(Library.load(cassettes)) == 1


# A disk that is no good ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_where_nothing_can_be_written_the_client_has_its_answer(
    recorder: Recorder, cassettes: Path, notes: list[str], stream: bool
) -> None:
    cassettes.mkdir()
    (cassettes / "recorded").write_text("in the way")
    body = b"".join(EVENTS) if stream else chat("One.")
    content_type = "text/event-stream" if stream else JSON
    async with raw_upstream(saying(head(content_type, f"content-length: {len(body)}") + body)) as url:
        server = await recorder(url)
        passed = await ask(server.url, asked(stream=stream))

    assert passed == (200, body)
    (note,) = notes
    assert note.startswith(f"not recorded: {cassettes / 'recorded'}")
    assert note.endswith(": cannot be read: Not a directory")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_directory_that_is_read_only_costs_no_client_its_answer(
    recorder: Recorder, cassettes: Path, notes: list[str]
) -> None:
    cassettes.mkdir(mode=0o500)
    async with upstream(Answers("One.")) as url:
        server = await recorder(url)
        passed = await ask(server.url)

    assert passed == (200, chat("One."))
    assert notes == [f"not recorded: {cassettes / 'recorded'}: cannot be written to: Permission denied"]


async def test_a_file_that_cannot_be_read_is_left_alone(recorder: Recorder, cassettes: Path, notes: list[str]) -> None:
    async with upstream(Answers("One.", "Two.")) as url:
        server = await recorder(url)
        await ask(server.url)
        (path,) = cassettes.rglob("*.yaml")
        path.write_text("request: [broken\n")
        passed = await ask(server.url)

    assert (passed, path.read_text()) == ((200, chat("Two.", 2)), "request: [broken\n")
    (note,) = notes
    assert note.startswith(f"not recorded: {path}:")
