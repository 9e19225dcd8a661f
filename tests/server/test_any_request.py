"""Requests that no module knows: recorded answers replay byte for byte, and nothing is made up."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest

from replay_server.cassettes.config import Config
from replay_server.cassettes.exchange import documents_of
from replay_server.cassettes.sse import split_frames
from replay_server.interaction import Answered, Exchange, RawRequest, TimedFrame

Write = Callable[[str, str], Path]
MESSAGES = Path(__file__).parents[1] / "data" / "responses_background.sse"

DRAWING = b"GIF\xff\xfb"


def exchange(method: str, path: str, body: bytes, answer: Answered, **options: Any) -> Exchange:
    query, content_type = options.get("query", ()), options.get("content_type", "application/json")
    return Exchange(RawRequest(method, path, {}, query, {"content-type": content_type}, body), answer)


def cassette(*exchanges: Exchange) -> str:
    return "---\n".join(documents_of(exchanges, Config()))


DRAWN = exchange(
    "POST",
    "/v1/sketches",
    b'{"model": "pen-1", "input": "Hi"}',
    Answered(200, {"content-type": "image/gif"}, DRAWING),
)


async def test_a_binary_answer_is_replayed(serve: Any, write: Write) -> None:
    server = await serve(write("a.yaml", cassette(DRAWN)), on_miss="error")
    asked = {"model": "pen-1", "input": "Hi"}

    async with aiohttp.ClientSession() as session, session.post(f"{server.url}/v1/sketches", json=asked) as answer:
        assert (await answer.read(), answer.headers["content-type"]) == (DRAWING, "image/gif")
        assert answer.headers["x-replay-interaction"] == "a.yaml#1"


async def test_an_upload_is_known_by_its_parts(serve: Any, write: Write) -> None:
    body = (
        b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nocr-1\r\n'
        b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n'
        b"content-type: image/png\r\n\r\nPNG1\r\n--b--\r\n"
    )
    read = Answered(200, {}, b'{"text":"Hello."}')
    form = {"content-type": "multipart/form-data; boundary=b"}
    recorded = exchange("POST", "/v1/ocr", body, read, content_type=form["content-type"])
    server = await serve(write("a.yaml", cassette(recorded)), on_miss="error")

    async with aiohttp.ClientSession() as session:
        same = await session.post(f"{server.url}/v1/ocr", data=body, headers=form)
        other = await session.post(f"{server.url}/v1/ocr", data=body.replace(b"PNG1", b"PNG2"), headers=form)

    assert (await same.json())["text"] == "Hello."
    assert "recorded != asked at form[1]" in (await other.json())["error"]["message"]


async def test_a_stream_of_an_endpoint_that_nobody_knows_is_replayed_as_it_came(serve: Any, write: Write) -> None:
    body = MESSAGES.read_bytes()
    frames = tuple(TimedFrame(0.01, frame) for frame in split_frames(body))
    asked = b'{"model":"m","input":"x","stream":true}'
    answered = Answered(200, {"content-type": "text/event-stream; charset=utf-8"}, body, frames)
    server = await serve(write("a.yaml", cassette(exchange("POST", "/v1/responses", asked, answered))), on_miss="error")

    async with aiohttp.ClientSession() as session, session.post(f"{server.url}/responses", data=asked) as response:
        assert await response.read() == body
        assert response.content_type == "text/event-stream"


async def test_a_query_is_part_of_the_request_in_any_order(serve: Any, write: Write) -> None:
    listed = exchange("GET", "/v1/things", b"", Answered(200, {}, b"[1]"), query=(("limit", "2"), ("after", "f1")))
    server = await serve(write("a.yaml", cassette(listed)))

    async with aiohttp.ClientSession() as session:
        same = await session.get(f"{server.url}/v1/things?after=f1&limit=2")
        other = await session.get(f"{server.url}/v1/things?after=f2&limit=2")

    assert (same.status, await same.read()) == (200, b"[1]")
    assert (other.status, (await other.json())["error"]["message"]) == (404, "Invalid URL (GET /v1/things)")


async def test_a_miss_of_an_endpoint_that_was_recorded_names_the_difference(serve: Any, write: Write) -> None:
    server = await serve(write("a.yaml", cassette(DRAWN)), on_miss="error")
    asked = {"model": "pen-1", "input": "Ho"}

    async with aiohttp.ClientSession() as session, session.post(f"{server.url}/v1/sketches", json=asked) as answer:
        message = (await answer.json())["error"]["message"]

    assert answer.status == 404
    assert "nearest: a.yaml#1, recorded != asked at input: 'Hi' != 'Ho'" in message


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("PUT", "/v1/chat/completions", b""), ("POST", "/v1/chat/completions", b"{broken"), ("POST", "/", b"{}")],
    ids=["another method", "a broken body", "the path of a page"],
)
async def test_what_a_module_refuses_is_replayed_where_it_was_recorded(
    serve: Any, write: Write, method: str, path: str, body: bytes
) -> None:
    refused = exchange(method, path, body, Answered(418, {}, b'{"recorded":true}'))
    known, unknown = await serve(write("a.yaml", cassette(refused))), await serve()

    async with aiohttp.ClientSession() as session:
        replayed = await session.request(method, known.url + path, data=body)
        refusal = await session.request(method, unknown.url + path, data=body)

    assert (replayed.status, await replayed.read()) == (418, b'{"recorded":true}')
    assert refusal.status in (400, 405)


async def test_another_providers_prefix_leads_to_the_same_endpoint(serve: Any) -> None:
    server = await serve(on_miss="error")

    async with openai.AsyncOpenAI(base_url=f"{server.url}/openrouter/api/v1", api_key="any") as client:
        answer = await client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": "Say hello."}]
        )

    assert answer.choices[0].message.content == "Hello! How can I help you today?"


def test_exchanges_become_documents_that_read_well() -> None:
    chat = b'{"model":"m","messages":[{"role":"user","content":"x"}]}'
    answers = [Answered(200, {}, b'{"id":"%d","choices":[]}' % number) for number in (1, 2)]
    other = Answered(200, {}, b'{"id":"3","choices":[{"index":0}]}')

    texts = documents_of(
        [
            *(exchange("POST", "/v1/chat/completions", chat, answer) for answer in (*answers, other, other)),
            exchange("DELETE", "/v1/files/f1", b"", Answered(204, {}, b""), query=(("force", "1"),)),
        ],
        Config(),
        "2026-01-02",
    )

    assert texts == [
        "request:\n  model: m\n  messages:\n    - role: user\n      content: x\nresponse:\n"
        "  - body:\n      id: '1'\n      choices: []\n"
        "  - body:\n      id: '2'\n      choices: []\n"
        "  - body:\n      id: '3'\n      choices:\n        - index: 0\n"
        "recorded:\n  at: '2026-01-02'\n",
        "endpoint: DELETE /files/f1\nrequest:\n  query:\n    force: '1'\nresponse:\n  status: 204\n  raw: ''\n"
        "recorded:\n  at: '2026-01-02'\n",
    ]
