"""The gate: recorded from an upstream through a real process by the openai client, replayed where no socket can go out.

Every answer is compared byte for byte with what the upstream sent.
"""

import io
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import openai
import orjson
import pytest
from aiohttp import web
from pydantic import BaseModel

from replay_server.cassettes.sse import split_frames
from tests.record.processes import serving
from tests.record.upstreams import asked, chat, chat_events, chunk, upstream

DATA = Path(__file__).parents[1] / "data"
SPEECH = bytes(range(256)) * 100
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]

# Every way out of a process goes by one of these events, whichever library takes it.
GUARDED = """
import os, sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getnameinfo", "socket.gethostbyname"):
        with open(os.environ["WENT_OUT"], "a") as marker:
            marker.write(f"{event} {arguments[1:]}\\n")
        raise PermissionError(f"{event}: this process may not go out")
sys.addaudithook(refuse)
"""
SERVER = f"{GUARDED}\nfrom replay_server.commands import main\nmain()"


class Capital(BaseModel):
    city: str


# The upstream --------------------------------------------------------------------------------------------------------

CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": ""}}
TOOL_EVENTS = [
    chunk({"role": "assistant", "content": None, "tool_calls": [CALL]}, None),
    *(
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]}, None)
        for part in ('{"ci', 'ty": "Par', "is \\u00e9\\ud83d", '\\ude00"}')
    ),
    chunk({}, "tool_calls"),
    b"data: [DONE]\n\n",
]


def tool_call() -> bytes:
    body = orjson.loads(chat(""))
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
    body["choices"][0] |= {"finish_reason": "tool_calls"}
    body["choices"][0]["message"] |= {"content": None, "tool_calls": [call]}
    return orjson.dumps(body)


def plain(body: dict[str, Any]) -> bytes:
    if "tools" in body:
        return tool_call()
    return chat('{"city": "Paris"}' if "response_format" in body else "Hello é 😀!")


def events(body: dict[str, Any]) -> list[bytes]:
    return TOOL_EVENTS if "tools" in body else chat_events("Hel", "lo é", " 😀", "!")


EMBEDDINGS = orjson.dumps(
    {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": "AACAPwAAAEA="}],
        "model": "e-1",
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }
)
RESPONSE = orjson.dumps(
    {
        "id": "resp_1",
        "object": "response",
        "created_at": 7,
        "status": "completed",
        "model": "m-1",
        "output": [
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "Hello.", "annotations": []}],
            }
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    },
    option=orjson.OPT_INDENT_2,
)
NO_MODEL = b'{"error": {"message": "no such model", "type": "invalid_request_error", "code": "model_not_found"}}\n'


class Live:
    """A real API, as far as this test asks; it keeps what it sends."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        status, content_type, parts = await self._answer(request)
        self.sent.append(b"".join(parts))
        if content_type != "text/event-stream":
            return web.Response(status=status, body=parts[0], content_type=content_type)
        response = web.StreamResponse(headers={"content-type": f"{content_type}; charset=utf-8"})
        await response.prepare(request)
        for part in parts:  # cut anywhere but between the events
            await response.write(part[:9])
            await response.write(part[9:])
        return response

    async def _answer(self, request: web.Request) -> tuple[int, str, list[bytes]]:
        path = request.path.removeprefix("/v1")
        if path == "/audio/transcriptions":
            form = await request.post()
            return 200, "application/json", [orjson.dumps({"text": f"{len(form['file'].file.read())} bytes"})]
        body = orjson.loads(await request.read())
        if body["model"] == "none":
            return 404, "application/json", [NO_MODEL]
        if body.get("stream"):
            background = split_frames((DATA / "responses_background.sse").read_bytes())
            return 200, "text/event-stream", background if path == "/responses" else events(body)
        answers = {"/audio/speech": SPEECH, "/embeddings": EMBEDDINGS, "/responses": RESPONSE}
        content_type = "audio/mpeg" if path == "/audio/speech" else "application/json"
        return 200, content_type, [answers[path] if path in answers else plain(body)]


# The client ----------------------------------------------------------------------------------------------------------


class Keeping(httpx.AsyncHTTPTransport):
    """Keeps what comes over the wire."""

    def __init__(self) -> None:
        super().__init__()
        self.received: list[bytes] = []
        self.sources: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        self.sources.append(response.headers["x-replay-source"])
        self.received.append(b"")
        response.stream = Kept(response.stream, self.received, len(self.received) - 1)
        return response


class Kept(httpx.AsyncByteStream):
    def __init__(self, stream: Any, received: list[bytes], at: int) -> None:
        self._stream, self._received, self._at = stream, received, at

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for data in self._stream:
            self._received[self._at] += data
            yield data

    async def aclose(self) -> None:
        await self._stream.aclose()


async def collected(stream: Any) -> list[Any]:
    return [event async for event in stream]


async def use(url: str, transport: Keeping) -> list[Any]:
    """Everything that the gate asks for, as a program sees the answers.

    No text is asked for both plain and streamed: one recording would serve both.
    """
    async with openai.AsyncOpenAI(
        base_url=f"{url}/v1",
        api_key="sk-of-the-client",
        max_retries=0,
        http_client=httpx.AsyncClient(transport=transport),
    ) as client:
        complete = client.chat.completions.create
        parsed = await client.chat.completions.parse(**asked("Capital?"), response_format=Capital)
        seen: list[Any] = [
            await complete(**asked()),
            await collected(await complete(**asked("Hi, bit by bit"), stream=True)),
            await complete(**asked("Weather?"), tools=TOOLS),
            await collected(await complete(**asked("Weather, bit by bit?"), tools=TOOLS, stream=True)),
            parsed.choices[0].message.parsed,
            await client.embeddings.create(model="e-1", input="Hi"),
            (await client.audio.speech.create(model="tts-1", voice="alloy", input="Hi")).content,
            await client.audio.transcriptions.create(model="whisper-1", file=("a.wav", io.BytesIO(b"RIFF" * 9000))),
            await client.responses.create(model="m-1", input="Hi"),
            await collected(await client.responses.create(model="m-1", input="Hi, bit by bit", stream=True)),
        ]
        with pytest.raises(openai.NotFoundError) as refused:
            await complete(**{**asked(), "model": "none"})
        return [*seen, refused.value.body]


@pytest.mark.slow
async def test_what_the_openai_client_records_is_replayed_byte_for_byte_without_a_network(tmp_path: Path) -> None:
    cassettes, marker, live = tmp_path / "cassettes", tmp_path / "went-out", Live()
    recorded, replayed = Keeping(), Keeping()
    async with upstream(live) as url:
        options = ("--upstream", url, "--record-mode", "new_episodes")
        async with serving(cassettes, *options) as (_, server):
            first = await use(server, recorded)
    async with serving(cassettes, "--strict", launcher=("-c", SERVER), WENT_OUT=str(marker)) as (_, server):
        second = await use(server, replayed)

    assert recorded.received == live.sent
    assert replayed.received == live.sent
    assert (set(recorded.sources), set(replayed.sources)) == ({"upstream"}, {"cassette"})
    assert second == first
    assert first[4] == Capital(city="Paris")
    assert not marker.exists()
    assert "sk-of-the-client" not in "".join(path.read_text() for path in cassettes.rglob("*.yaml"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "way_out",
    [
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
        "import asyncio; asyncio.run(asyncio.open_connection('127.0.0.1', 9))",
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
    ],
    ids=["urllib", "asyncio", "datagram"],
)
def test_the_guard_of_the_gate_lets_nothing_out(tmp_path: Path, way_out: str) -> None:
    marker = tmp_path / "went-out"
    run = subprocess.run(
        [sys.executable, "-c", f"{GUARDED}\n{way_out}"],
        env={"WENT_OUT": str(marker)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 1
    assert "this process may not go out" in run.stderr
    assert marker.read_text().startswith("socket.")
