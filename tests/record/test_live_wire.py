"""Live traffic on the wire: what goes on to the upstream, what comes back, and what of it is recorded."""

import gzip
import io
import logging
import zlib
from pathlib import Path

import brotli
import openai
import orjson
import pytest
from aiohttp import web

from replay_server.settings import Upstream
from tests.record.conftest import Recorder
from tests.record.upstreams import (
    Answers,
    ask,
    asked,
    asking,
    chat,
    chat_events,
    head,
    raw_upstream,
    recorded,
    saying,
    upstream,
)

OWN, THEIRS = "sk-of-the-client", "sk-of-the-upstream"
JSON = "application/json"


# Credentials ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["authorization", "api-key", "x-api-key"])
@pytest.mark.parametrize("api_key", [None, THEIRS, ""], ids=["the client's", "ours", "none"])
async def test_the_key_that_goes_on_is_the_clients_or_the_one_that_replaces_it(
    recorder: Recorder, name: str, api_key: str | None
) -> None:
    answers, bearer = Answers("One."), "Bearer " if name == "authorization" else ""
    async with upstream(answers) as url:
        server = await recorder(Upstream("", url, api_key))
        await ask(server.url, headers={name: bearer + OWN})

    sent = {key: value for key, value in answers.requests[0].headers.items() if "sk-" in value}
    expected = {None: OWN, THEIRS: THEIRS, "": None}[api_key]
    assert {key.lower(): value for key, value in sent.items()} == ({name: bearer + expected} if expected else {})


async def test_a_client_without_a_key_gets_the_one_of_the_upstream(recorder: Recorder) -> None:
    answers = Answers("One.")
    async with upstream(answers) as url:
        server = await recorder(Upstream("", url, THEIRS))
        await ask(server.url)

    assert answers.requests[0].headers["authorization"] == f"Bearer {THEIRS}"


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/v1/messages", "x-api-key"),
        ("/v1/messages/count_tokens?beta=true", "x-api-key"),
        ("/v1/threads/thread_1/messages", "authorization"),
    ],
    ids=["anthropic", "anthropic, below", "openai"],
)
async def test_a_key_of_ours_stands_in_the_header_that_the_api_wants(
    recorder: Recorder, path: str, header: str
) -> None:
    answers = Answers("One.")
    async with upstream(answers) as url:
        server = await recorder(Upstream("", url, THEIRS))
        await ask(server.url, path=path)

    sent = answers.requests[0].headers
    assert [name.lower() for name, value in sent.items() if THEIRS in value] == [header]
    assert sent.get("anthropic-version") == ("2023-06-01" if header == "x-api-key" else None)


async def test_the_version_of_anthropics_api_is_the_clients(recorder: Recorder) -> None:
    answers = Answers("One.")
    async with upstream(answers) as url:
        server = await recorder(Upstream("", url, THEIRS))
        await ask(server.url, path="/v1/messages", headers={"x-api-key": OWN, "anthropic-version": "2023-01-01"})

    assert answers.requests[0].headers.getall("anthropic-version") == ["2023-01-01"]


async def test_nothing_of_a_key_is_in_a_file_a_log_or_a_header(
    recorder: Recorder, cassettes: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(
            body=chat("Hi"), content_type=JSON, headers={"x-seen": "yes", "set-cookie": f"session={THEIRS}"}
        )

    headers = {"authorization": f"Bearer {OWN}", "cookie": f"a={OWN}"}
    with caplog.at_level(logging.DEBUG):
        async with upstream(echo) as url:
            server = await recorder(Upstream("", url, THEIRS))
            async with asking(server.url, headers=headers) as response:
                ours = {name: value for name, value in response.headers.items() if name.lower().startswith("x-replay-")}
                await response.read()
        status, _ = await ask(server.url, asked(), f"/v1/unknown?key={OWN}", headers=headers)  # it is down by now

    files = recorded(cassettes)
    ours_in_log = [record.getMessage() for record in caplog.records if record.name == "replay_server"]
    seen = f"{files} {ours_in_log} {ours} {server._settings}"
    assert (len(files), status) == (1, 502)
    assert not [secret for secret in (OWN, THEIRS) if secret in seen]


# Headers -------------------------------------------------------------------------------------------------------------


async def test_the_upstream_gets_the_clients_headers_but_what_is_between_two_hosts(recorder: Recorder) -> None:
    answers = Answers("One.")
    async with upstream(answers) as url:
        server = await recorder(url)
        await ask(
            server.url,
            headers={
                "connection": "keep-alive, x-hop",
                "x-hop": "1",
                "te": "trailers",
                "accept-encoding": "zstd, br;q=0.9, gzip, x-odd",
                "user-agent": "mine/1",
                "openai-organization": "org-1",
                "x-replay-session": "trip",
                "x-replay-record-to": "trip",
                "x-stainless-lang": "python",
            },
        )

    (request,) = answers.requests
    sent = {name.lower(): value for name, value in request.headers.items()}
    length = sent.pop("content-length")
    assert sent == {
        "host": request.host,
        "accept": "*/*",
        "accept-encoding": "br;q=0.9, gzip",
        "content-type": JSON,
        "openai-organization": "org-1",
        "user-agent": "mine/1",
        "x-stainless-lang": "python",
    }
    assert int(length) == len(answers.bodies[0])


async def test_the_client_gets_the_upstreams_headers_and_few_are_recorded(recorder: Recorder, cassettes: Path) -> None:
    answer = saying(
        head(
            JSON,
            "content-length: 2",
            "connection: close, x-hop",
            "x-hop: 1",
            "keep-alive: timeout=5",
            "set-cookie: a=1",
            "set-cookie: b=2",
            "server: theirs",
            "x-request-id: req_1",
            "x-ratelimit-remaining-requests: 9",
            "x-replay-source: cassette",
            "x-replay-other: 1",
        ),
        b"{}",
    )
    async with raw_upstream(answer) as url:
        server = await recorder(url)
        async with asking(server.url) as response:
            headers = response.headers
            body = await response.read()

    key = headers["x-replay-key"]
    assert (body, headers.getall("set-cookie")) == (b"{}", ["a=1", "b=2"])
    assert {name.lower(): value for name, value in headers.items() if name.lower() not in ("date", "set-cookie")} == {
        "content-type": JSON,
        "content-length": "2",
        "server": "theirs",
        "x-request-id": "req_1",
        "x-ratelimit-remaining-requests": "9",
        "x-replay-source": "upstream",
        "x-replay-key": key,
    }
    (text,) = recorded(cassettes).values()
    assert "  headers:\n    x-request-id: req_1\n    x-ratelimit-remaining-requests: '9'\n  body: {}\n" in text


async def test_a_header_that_is_no_utf_8_passes(recorder: Recorder) -> None:
    async with raw_upstream(
        saying(head("text/plain", "content-length: 1").replace(b"plain", b"plain; n=\xe9"), b"x")
    ) as url:
        server = await recorder(url)
        status, body = await ask(server.url, path="/v1/other")

    assert (status, body) == (200, b"x")


# Codings -------------------------------------------------------------------------------------------------------------


def raw_deflate(data: bytes) -> bytes:
    undone = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return undone.compress(data) + undone.flush()


CODINGS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "br": brotli.compress,
    "deflate": zlib.compress,
    "deflate ": raw_deflate,
    "gzip, br": lambda data: brotli.compress(gzip.compress(data)),
    "identity": bytes,
}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("coding", CODINGS)
async def test_a_coded_body_passes_as_it_is_and_is_recorded_decoded(
    recorder: Recorder, coding: str, stream: bool
) -> None:
    plain = b"".join(chat_events("Hel", "lo")) if stream else chat("Hello")
    coded, content_type = CODINGS[coding](plain), "text/event-stream" if stream else JSON

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-encoding": coding, "content-type": content_type})
        await response.prepare(request)
        for at in range(0, len(coded), 7):
            await response.write(coded[at : at + 7])
        return response

    async with upstream(answer) as url:
        server = await recorder(url)
        async with asking(server.url, asked(stream=stream)) as response:
            passed = response.headers["content-encoding"].strip(), await response.read()
        async with asking(server.url, asked(stream=stream, user="somebody else")) as response:
            replayed = response.headers.get("content-encoding"), await response.read()

    assert (passed, replayed) == ((coding.strip(), coded), (None, plain))


@pytest.mark.parametrize(
    ("coding", "body", "why"),
    [
        ("gzip", b"this is no gzip", "the body is not coded as it says"),
        ("br", b"\xff\xff this is no br", "the body is not coded as it says"),
        ("zstd", b"anything", "the content coding 'zstd' is not known here"),
        ("gzip", gzip.compress(b"{}")[:-3], "the body breaks off within its content coding"),
    ],
    ids=["no gzip", "no br", "unknown", "cut"],
)
async def test_a_body_that_cannot_be_decoded_passes_and_is_not_recorded(
    recorder: Recorder, cassettes: Path, caplog: pytest.LogCaptureFixture, coding: str, body: bytes, why: str
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body, headers={"content-encoding": coding, "content-type": JSON})

    async with upstream(answer) as url:
        server = await recorder(url)
        passed = await ask(server.url)

    assert (passed, recorded(cassettes)) == ((200, body), {})
    (record,) = caplog.records
    assert record.message.startswith(f"not recorded: chat/completions: {why}")


# Bodies --------------------------------------------------------------------------------------------------------------


async def test_a_chunked_and_a_coded_request_reach_the_upstream_whole(recorder: Recorder) -> None:
    answers, body = Answers("One."), orjson.dumps(asked("x" * 100_000))

    async def pieces():
        for at in range(0, len(body), 5000):
            yield body[at : at + 5000]

    async with upstream(answers) as url:
        server = await recorder(url)
        await ask(server.url, data=pieces(), headers={"content-type": JSON})
        await ask(
            server.url,
            data=gzip.compress(body),
            headers={"content-encoding": "gzip", "x-replay-session": "other", "content-type": JSON},
        )

    # The second is what was recorded by the first, so it is answered from there.
    assert answers.bodies == [body]


async def test_a_coded_request_is_decoded_for_the_upstream(recorder: Recorder) -> None:
    answers, body = Answers("One."), orjson.dumps(asked("x" * 1000))
    async with upstream(answers) as url:
        server = await recorder(url)
        await ask(server.url, data=gzip.compress(body), headers={"content-encoding": "gzip"})

    assert (answers.bodies, answers.requests[0].headers.get("content-encoding")) == ([body], None)


async def test_an_upload_passes_byte_for_byte(recorder: Recorder) -> None:
    answers = Answers("One.")
    body = (
        b"preamble\r\n--odd\r\nContent-Disposition: form-data; name=file; filename*=utf-8''%C3%A4.wav\r\n"
        b"Content-Type: audio/wav\r\n\r\n" + bytes(range(256)) * 300 + b"\r\n--odd--\r\nepilogue"
    )
    content_type = "multipart/form-data; boundary=odd"
    async with upstream(answers) as url:
        server = await recorder(url)
        await ask(server.url, path="/v1/audio/transcriptions", data=body, headers={"content-type": content_type})

    assert (answers.bodies, answers.requests[0].headers["content-type"]) == ([body], content_type)


@pytest.mark.parametrize(
    ("status", "content_type", "body"),
    [
        (200, "audio/mpeg", bytes(range(256)) * 40),
        (200, "application/octet-stream", b""),
        (204, "", b""),
        (304, "", b""),
        (400, JSON, b'{"error": {"message": "no"}}'),
        (404, JSON, b'{"error":{"message":"no such model","code":"model_not_found"}}'),
        (418, "text/plain", "Ünsinn\r\n".encode()),
    ],
    ids=["binary", "empty", "204", "304", "400", "404", "418"],
)
async def test_an_answer_of_any_kind_passes_and_is_replayed(
    recorder: Recorder, status: int, content_type: str, body: bytes
) -> None:
    calls = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        headers = {"content-type": content_type} if content_type else {}
        return web.Response(status=status, body=body, headers=headers)

    async with upstream(answer) as url:
        server = await recorder(url)
        passed = await ask(server.url, path="/v1/some/thing")
    replaying = await recorder(record_mode="none", on_miss="error")
    async with asking(replaying.url, None, "/v1/some/thing") as response:
        replayed, source = (response.status, await response.read()), response.headers["x-replay-source"]

    assert (passed, replayed, source, calls) == ((status, body), (status, body), "cassette", 1)


async def test_head_is_answered_without_a_body_and_recorded_as_get(recorder: Recorder) -> None:
    async with upstream(Answers("One.")) as url:
        server = await recorder(url)
        async with asking(server.url, path="/v1/some", method="HEAD") as response:
            length, body = response.headers["content-length"], await response.read()
        await server.stop()  # it reads on until it has all
    replaying = await recorder(record_mode="none", on_miss="error")

    assert (int(length), body) == (len(chat("One.")), b"")
    assert await ask(replaying.url, path="/v1/some", method="GET") == (200, chat("One."))


# What is not recorded ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record_errors", [False, True])
@pytest.mark.parametrize("status", [401, 408, 429, 500, 503, 529])
async def test_what_may_be_another_time_passes_and_is_recorded_only_if_asked_for(
    recorder: Recorder, cassettes: Path, caplog: pytest.LogCaptureFixture, status: int, record_errors: bool
) -> None:
    body, retry = b'{"error":{"message":"later"}}', {"retry-after": "7", "retry-after-ms": "7000"}

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers=retry, content_type=JSON)

    async with upstream(answer) as url:
        server = await recorder(url, record_errors=record_errors)
        async with asking(server.url) as response:
            passed = response.status, await response.read(), response.headers["retry-after"]

    assert passed == (status, body, "7")
    assert len(recorded(cassettes)) == record_errors
    assert (f"not recorded: chat/completions: the upstream answered {status}" in caplog.text) is not record_errors
    assert all(f"status: {status}" in text and "retry-after: '7'" in text for text in recorded(cassettes).values())


# Redirects -----------------------------------------------------------------------------------------------------------


async def test_a_redirect_on_the_same_host_is_followed_with_the_body(recorder: Recorder) -> None:
    answers = Answers("One.")

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/v1/chat/completions":
            return web.Response(status=307, headers={"location": "/moved?to=here"})
        return await answers(request)

    async with upstream(answer) as url:
        server = await recorder(url)
        passed = await ask(server.url, headers={"authorization": f"Bearer {OWN}"})

    assert passed == (200, chat("One."))
    assert [(request.method, request.raw_path) for request in answers.requests] == [("POST", "/moved?to=here")]
    assert answers.requests[0].headers["authorization"] == f"Bearer {OWN}"
    assert answers.bodies == [orjson.dumps(asked()).replace(b":", b": ").replace(b",", b", ")]


@pytest.mark.parametrize(
    ("location", "message"),
    [
        (
            "http://localhost.invalid/x?key=secret",
            "redirects to another host, http://localhost.invalid/x, which is not",
        ),
        ("https://127.0.0.1/v1", "redirects to another host"),
        ("http://[broken/", "redirects to what is no URL"),
        ("/v1/chat/completions", "redirects again and again"),
    ],
    ids=["another host", "another scheme", "no URL", "in a circle"],
)
async def test_a_redirect_that_is_not_followed_is_a_clear_502(
    recorder: Recorder, cassettes: Path, location: str, message: str
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"location": location})

    async with upstream(answer) as url:
        server = await recorder(url)
        status, body = await ask(server.url)

    error = orjson.loads(body)["error"]
    assert (status, error["code"], message in error["message"], "secret" in error["message"]) == (
        502,
        "upstream_redirects",
        True,
        False,
    )
    assert recorded(cassettes) == {}


# Clients -------------------------------------------------------------------------------------------------------------


async def test_the_api_keys_of_this_server_open_it_and_go_no_further(recorder: Recorder) -> None:
    answers = Answers("One.")
    async with upstream(answers) as url:
        server = await recorder(Upstream("", url, ""), api_keys=("own",))
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="own", max_retries=0) as client:
            await client.chat.completions.create(**asked())
        refused = await ask(server.url)

    assert (refused[0], len(answers.requests)) == (401, 1)
    assert [value for value in answers.requests[0].headers.values() if "own" in value] == []


async def test_an_upload_of_the_openai_client_is_recorded_and_replayed(recorder: Recorder) -> None:
    calls = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        return web.json_response({"text": "Hello."})

    async with upstream(answer) as url:
        server = await recorder(url)
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
            for _ in range(2):  # another boundary each time
                heard = await client.audio.transcriptions.with_raw_response.create(
                    model="whisper-1",
                    file=("a.wav", io.BytesIO(b"RIFF" * 5000)),
                    extra_headers={"x-replay-session": f"s{calls}"},
                )

    assert (heard.headers["x-replay-source"], calls) == ("cassette", 1)


async def test_a_client_of_another_origin_may_read_what_passes(recorder: Recorder) -> None:
    async with upstream(Answers("One.")) as url:
        server = await recorder(url)
        async with asking(server.url, headers={"origin": "http://page"}) as response:
            allowed = response.headers["access-control-allow-origin"]
            await response.read()

    assert allowed == "*"
