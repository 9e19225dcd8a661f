"""What goes over the wire, byte by byte where it matters."""

import asyncio
import base64
import gzip
import io
from typing import Any

import aiohttp
import orjson
import pytest

from tests.conftest import size_of_cassettes

HELLO = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello."}]}
CHAT = "/v1/chat/completions"


async def post(url: str, body: Any, *, parse: bool = True, **options: Any) -> tuple[int, dict[str, str], Any]:
    data = io.BytesIO(body if isinstance(body, bytes) else orjson.dumps(body))
    async with aiohttp.ClientSession() as session, session.post(url, data=data, **options) as response:
        text = await response.read()
        parsed = orjson.loads(text) if parse else text
        return response.status, {k.lower(): v for k, v in response.headers.items()}, parsed


async def raw(url: str, data: bytes) -> bytes:
    """Send bytes on a socket of our own; what comes back until the server closes."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    try:
        answer = await reader.read()
    finally:
        writer.close()
    await writer.wait_closed()
    return answer


def request(body: bytes, *headers: str, path: str = CHAT, version: str = "1.1") -> bytes:
    head = [f"POST {path} HTTP/{version}", "Host: x", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


async def test_the_same_request_gets_the_same_bytes_from_any_server(serve: Any) -> None:
    first, second = await serve(), await serve()
    answers = [await post(server.url + CHAT, HELLO) for server in (first, second, first)]

    for _, headers, _ in answers:
        headers.pop("date")
    assert answers[0] == answers[1] == answers[2]


async def test_an_answer_has_the_headers_of_the_live_api(serve: Any) -> None:
    server = await serve()

    _, headers, _ = await post(server.url + CHAT, HELLO, headers={"Origin": "http://localhost:3000"})

    assert headers["content-type"] == "application/json"
    assert headers["openai-version"] == "2020-10-01"
    assert headers["openai-processing-ms"].isdigit()
    assert headers["x-request-id"].startswith("req_")
    assert len(headers["x-request-id"]) == 36
    assert headers["access-control-allow-origin"] == "*"
    assert headers["access-control-expose-headers"].startswith("X-Request-ID")
    assert headers["server"] == "replay-server"


async def test_a_chat_stream_is_framed_as_the_live_api_does(serve: Any) -> None:
    server = await serve()
    body = orjson.dumps(
        {
            "model": "gpt-4o-mini",
            "messages": [{"role": "user", "content": "Count to three."}],
            "stream": True,
            "stream_options": {"include_obfuscation": False},
        }
    )

    answer = await raw(server.url, request(body, version="1.0"))

    head, _, text = answer.partition(b"\r\n\r\n")
    assert b"content-type: text/event-stream; charset=utf-8" in head.lower()
    frames = text.split(b"\n\n")
    envelope = frames[0].partition(b'"choices"')[0]
    assert [frame.removeprefix(envelope) for frame in frames] == [
        b'"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]}',
        b'"choices":[{"index":0,"delta":{"content":"One,"},"logprobs":null,"finish_reason":null}]}',
        b'"choices":[{"index":0,"delta":{"content":" two,"},"logprobs":null,"finish_reason":null}]}',
        b'"choices":[{"index":0,"delta":{"content":" three."},"logprobs":null,"finish_reason":null}]}',
        b'"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}',
        b"data: [DONE]",
        b"",
    ]
    assert list(orjson.loads(frames[0].removeprefix(b"data: "))) == [
        "id",
        "object",
        "created",
        "model",
        "service_tier",
        "system_fingerprint",
        "choices",
    ]


async def test_obfuscation_pads_deltas_to_like_lengths(serve: Any) -> None:
    server = await serve()
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Count to three."}], "stream": True}

    answer = await raw(server.url, request(orjson.dumps(body), version="1.0"))

    frames = [frame for frame in answer.partition(b"\r\n\r\n")[2].split(b"\n\n") if b"obfuscation" in frame]
    assert len(frames) == 5
    assert len({len(frame) % 16 for frame in frames}) == 1


async def test_a_plain_chat_has_the_fields_of_the_live_api_in_their_order(serve: Any) -> None:
    server = await serve()

    _, _, body = await post(server.url + CHAT, HELLO)

    assert list(body) == ["id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint"]
    assert len(body["id"]) == 38
    assert body["object"] == "chat.completion"
    assert body["choices"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hello! How can I help you today?",
                "refusal": None,
                "annotations": [],
            },
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    assert list(body["usage"]) == [
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "prompt_tokens_details",
        "completion_tokens_details",
    ]


@pytest.mark.parametrize(
    "path",
    ["/v1/chat/completions", "/chat/completions", "/openai/v1/chat/completions", "/__replay/s/a-1/v1/chat/completions"],
)
async def test_every_prefix_leads_to_the_same_answer(serve: Any, path: str) -> None:
    server = await serve()

    status, headers, _ = await post(server.url + path, HELLO)

    assert (status, headers["x-replay-interaction"]) == (200, "greeting.yaml#1")


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("POST", "/v1/nothing", 404, {"message": "Invalid URL (POST /v1/nothing)", "code": None}),
        ("PUT", CHAT, 405, {"message": f"Not allowed to PUT on {CHAT}.", "code": "method_not_supported"}),
        ("DELETE", "/healthz", 405, {"message": "Not allowed to DELETE on /healthz.", "code": "method_not_supported"}),
        ("POST", "/__replay/s/a%20b/v1/models", 400, {"code": "invalid_session"}),
        ("POST", "/v1/../../etc/passwd", 404, {}),
    ],
)
async def test_a_wrong_address_is_told(serve: Any, method: str, path: str, status: int, error: dict[str, Any]) -> None:
    server = await serve()
    async with aiohttp.ClientSession() as session, session.request(method, server.url + path) as response:
        body = await response.json()

    assert response.status == status
    assert body["error"].keys() == {"message", "type", "param", "code"}
    assert body["error"] == body["error"] | error
    assert response.headers["x-replay-source"] == "error"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "We could not parse the JSON body of your request."),
        (b"{", "We could not parse the JSON body of your request."),
        (b'{"model": "\\ud800"}', "We could not parse the JSON body of your request."),
        (b"\xff\xfe", "We could not parse the JSON body of your request."),
        (b"[]", "Invalid type for the request body: expected an object."),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "We could not parse the JSON body of your request."),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "Invalid request body: objects and arrays lie more than 100 deep."),
        (b"{}", "you must provide a model parameter"),
    ],
    ids=["empty", "cut", "lone surrogate", "no UTF-8", "array", "very deep", "deep", "no model"],
)
async def test_a_broken_body_is_told(serve: Any, body: bytes, message: str) -> None:
    server = await serve()

    status, headers, answer = await post(server.url + CHAT, body)

    assert status == 400
    assert answer["error"]["message"].startswith(message)
    assert answer["error"]["type"] == "invalid_request_error"
    assert headers["x-request-id"].startswith("req_")


async def test_a_body_of_25_mb_is_taken_and_one_over_the_limit_is_not(serve: Any) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 25_000_000}}
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": [image]}]}
    large, small = await serve(), await serve(max_body=1000)

    assert (await post(large.url + CHAT, asked))[0] == 200
    status, _, body = await post(small.url + CHAT, {**HELLO, "user": "x" * 1000})

    assert status == 413
    assert "1000" in body["error"]["message"]


async def test_a_compressed_body_is_read(serve: Any) -> None:
    server = await serve()

    _, headers, _ = await post(
        server.url + CHAT, gzip.compress(orjson.dumps(HELLO)), headers={"Content-Encoding": "gzip"}
    )

    assert headers["x-replay-interaction"] == "greeting.yaml#1"


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        request(b"not gzip", "Content-Encoding: gzip"),
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    ],
    ids=["TLS", "version", "length", "chunk", "gzip", "long line"],
)
async def test_what_is_no_http_gets_an_error_and_the_server_goes_on(serve: Any, data: bytes) -> None:
    server = await serve()

    answer = await raw(server.url, data)

    assert b" 400 " in answer.partition(b"\r\n")[0]
    assert orjson.loads(answer.partition(b"\r\n\r\n")[2])["error"]["type"] == "invalid_request_error"
    assert (await post(server.url + CHAT, HELLO))[0] == 200


async def test_a_client_that_leaves_does_no_harm(serve: Any) -> None:
    server = await serve()
    whole = request(orjson.dumps({**HELLO, "stream": True}))
    host, port = server.url.removeprefix("http://").split(":")
    for cut in range(0, len(whole), 7):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(whole[:cut])
        writer.close()
        await writer.wait_closed()

    assert (await post(server.url + CHAT, HELLO))[0] == 200


async def test_a_preflight_is_answered_for_every_path(serve: Any) -> None:
    server = await serve()
    asked = {
        "Origin": "http://localhost:3000",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,x-stainless-os",
    }
    async with aiohttp.ClientSession() as session, session.options(server.url + CHAT, headers=asked) as response:
        assert response.status == 204
        assert response.headers["access-control-allow-origin"] == "*"
        assert response.headers["access-control-allow-headers"] == "authorization,x-stainless-os"


async def test_health_and_readiness_tell_of_the_library(serve: Any) -> None:
    server = await serve()
    async with aiohttp.ClientSession() as session:
        async with session.get(server.url + "/healthz") as response:
            health = await response.json()
        async with session.get(server.url + "/readyz") as response:
            ready = await response.json()
        async with session.head(server.url + "/healthz") as response:
            assert (response.status, await response.read()) == (200, b"")

    assert health["status"] == "ok"
    assert (health["cassettes"], health["interactions"]) == size_of_cassettes()
    assert health["uptime"] >= 0
    assert ready == {"status": "ready"}


async def test_requests_wait_until_the_library_is_indexed() -> None:
    from replay_server.server.run import RunningServer
    from replay_server.settings import Settings
    from tests.conftest import CASSETTES

    server = RunningServer(Settings(cassettes=CASSETTES, port=0))
    await server.bind()
    try:
        waiting = asyncio.create_task(post(server.url + CHAT, HELLO))
        async with aiohttp.ClientSession() as session:
            async with session.get(server.url + "/readyz") as response:
                assert response.status == 503
            async with session.get(server.url + "/healthz") as response:
                assert (response.status, (await response.json())["ready"]) == (200, False)
        assert not waiting.done()
        await server.index()
        status, headers, _ = await waiting
    finally:
        await server.stop()

    assert (status, headers["x-replay-interaction"]) == (200, "greeting.yaml#1")


async def test_a_drifting_request_says_in_what(serve: Any, write: Any) -> None:
    server = await serve(write("a.yaml", "request: {model: m, temperature: 0, prompt: x}\nresponse: {content: a}\n"))

    _, headers, _ = await post(server.url + "/v1/completions", {"model": "m", "prompt": "x", "temperature": 0.5})

    assert headers["x-replay-drift"] == "temperature"


async def test_a_drifting_field_with_a_strange_name_breaks_no_header(serve: Any, write: Any) -> None:
    document = "request: {model: m, prompt: x}\nresponse: {content: a}\nrecorded: {}\n"
    server = await serve(write("é.yaml", document))

    _, headers, _ = await post(server.url + "/v1/completions", {"model": "m", "prompt": "x", "a\r\nb: c": 1})

    assert headers["x-replay-drift"] == "a%0D%0Ab%3A c"
    assert headers["x-replay-interaction"] == "%C3%A9.yaml#1"


async def test_a_recorded_body_is_replayed_byte_for_byte_and_can_be_streamed(serve: Any, write: Any) -> None:
    document = """\
request: {model: m, messages: [{role: user, content: x}]}
response:
  headers: {x-ratelimit-limit-requests: 5}
  style: spaced, ascii
  body:
    id: chatcmpl-1
    object: chat.completion
    created: 1
    model: m-1
    choices: [{index: 0, message: {role: assistant, content: Olé there}, finish_reason: stop}]
recorded: {}
"""
    server = await serve(write("a.yaml", document))
    asked = {"model": "m", "messages": [{"role": "user", "content": "x"}]}

    answer = await raw(server.url, request(orjson.dumps(asked)))
    streamed = await raw(server.url, request(orjson.dumps({**asked, "stream": True}), version="1.0"))

    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == (
        b'{"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m-1", "choices": [{"index": 0,'
        b' "message": {"role": "assistant", "content": "Ol\\u00e9 there"}, "finish_reason": "stop"}]}'
    )
    assert b"x-ratelimit-limit-requests: 5" in head
    chunks = [orjson.loads(frame[6:]) for frame in streamed.partition(b"\r\n\r\n")[2].split(b"\n\n")[:-2]]
    assert {chunk["id"] for chunk in chunks} == {"chatcmpl-1"}
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == "Olé there"


async def test_repeat_says_what_follows_the_last_response(serve: Any, write: Any) -> None:
    documents = [
        f"request: {{model: m, prompt: {word}}}\nresponse: [{{content: a}}, {{content: b}}]\nrepeat: {word}\n"
        for word in ("last", "cycle", "error")
    ]
    server = await serve(write("a.yaml", "---\n".join(documents)))

    async def ask(prompt: str) -> str:
        _, _, body = await post(server.url + "/v1/completions", {"model": "m", "prompt": prompt})
        return str(body["choices"][0]["text"] if "choices" in body else body["error"]["code"])

    assert [await ask("last") for _ in range(4)] == ["a", "b", "b", "b"]
    assert [await ask("cycle") for _ in range(4)] == ["a", "b", "a", "b"]
    assert [await ask("error") for _ in range(4)] == ["a", "b", "sequence_exhausted", "sequence_exhausted"]


async def test_listed_models_are_all_there_are(serve: Any, write: Any) -> None:
    server = await serve(write("replay.yaml", "models: [one, two]"))
    async with aiohttp.ClientSession() as session:
        async with session.get(server.url + "/v1/models") as response:
            listed = [model["id"] for model in (await response.json())["data"]]
        async with session.get(server.url + "/v1/models/three") as response:
            assert (response.status, (await response.json())["error"]["code"]) == (404, "model_not_found")
    status, _, body = await post(server.url + CHAT, {"model": "three", "messages": HELLO["messages"]})

    assert listed == ["one", "two"]
    assert (status, body["error"]["code"]) == (404, "model_not_found")


async def test_a_recording_of_what_the_api_refused_is_replayed(serve: Any, write: Any) -> None:
    refused = "request: {model: m, messages: [{role: robot, content: x}]}\n"
    server = await serve(write("a.yaml", refused + "response: {error: {status: 400, message: No robots.}}\n"))

    status, headers, body = await post(
        server.url + CHAT, {"model": "m", "messages": [{"role": "robot", "content": "x"}]}
    )

    assert (status, headers["x-replay-source"], body["error"]["message"]) == (400, "cassette", "No robots.")


async def test_a_client_that_waits_to_send_its_body_is_told_to(serve: Any) -> None:
    server = await serve()
    body = orjson.dumps(HELLO)
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head, _, _ = request(body, "Expect: 100-continue").partition(b"\r\n\r\n")
    writer.write(head + b"\r\n\r\n")
    told = await reader.readuntil(b"\r\n\r\n")
    writer.write(body)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_a_key_can_come_as_a_password(serve: Any) -> None:
    server = await serve(api_keys=("sk-good",))

    async def ask(password: str) -> int:
        basic = base64.b64encode(f":{password}".encode()).decode()
        status, _, _ = await post(server.url + CHAT, HELLO, headers={"authorization": f"Basic {basic}"})
        return status

    assert [await ask("sk-good"), await ask("sk-bad")] == [200, 401]


async def test_a_spoiled_body_and_a_client_that_left_are_not_logged_as_our_failures(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = await serve()
    await raw(server.url, request(b"not gzip", "Content-Encoding: gzip"))
    host, port = server.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(request(b"x" * 100)[:-50])
    writer.close()
    await writer.wait_closed()
    await post(server.url + CHAT, HELLO)

    assert caplog.records == []
