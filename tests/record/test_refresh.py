"""Asking again what is recorded: real upstreams on loopback, whose answers are functions."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web

from replay_server.cassettes.files import load_config
from replay_server.errors import UsageError
from replay_server.record.due import Selection, find_due
from replay_server.record.refresh import Options, Outcome, Status, refresh
from replay_server.settings import Upstream
from tests.record.conftest import Recorder
from tests.record.upstreams import Handler, ask, chat, chat_events, upstream

Write = Callable[[str, str], Path]

REQUEST = "request: {model: m, messages: [{role: user, content: Hi}]}\n"
GENERIC = "endpoint: POST /rerank\nrequest: {body: {model: e, input: x}}\n"
RECORDED = "recorded: {at: 2026-01-01}\n"


def recorded(text: str = "In Paris.", number: int = 1, request: str = REQUEST) -> str:
    """A recorded document with a plain chat completion."""
    return f"{request}response: {{style: indent 2, body: {compact(chat(text, number))}}}\n{RECORDED}"


def compact(body: bytes) -> str:
    return orjson.dumps(orjson.loads(body)).decode()


def always(body: bytes, content_type: str = "application/json", status: int = 200) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type=content_type, status=status)

    return answer


def in_turn(*bodies: bytes) -> Handler:
    left = list(bodies)

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=left.pop(0), content_type="application/json")

    return answer


def stream(*frames: bytes) -> Handler:
    return always(b"".join(frames), "text/event-stream")


async def run(directory: Path, answer: Handler, selection: Selection | None = None, **options: Any) -> list[Outcome]:
    """Refresh a directory from an upstream that answers like this."""
    outcomes: list[Outcome] = []
    config = load_config(directory)
    async with upstream(answer) as url:
        upstreams = options.pop("upstreams", (Upstream("", url),))
        asked = Options(directory=directory, config=config, upstreams=upstreams, **{"attempts": 1, **options})
        await refresh(find_due(directory, config, selection or Selection(), upstreams), asked, outcomes.append)
    return outcomes


def told(outcomes: list[Outcome]) -> list[tuple[str, str]]:
    return [(outcome.due.interaction.id, outcome.status.value) for outcome in outcomes]


def changes(outcome: Outcome) -> list[str]:
    return [str(change) for change in outcome.changes]


async def replayed(serve: Any, directory: Path, body: dict[str, Any], path: str = "chat/completions") -> bytes:
    """What a strict server answers from the cassettes."""
    server = await serve(directory, on_miss="error")
    async with aiohttp.ClientSession() as session, session.post(f"{server.url}/v1/{path}", json=body) as answer:
        assert answer.headers["x-replay-source"] == "cassette"
        return await answer.read()


HI = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


# What is asked -------------------------------------------------------------------------------------------------------


async def test_what_the_upstream_still_says_is_the_same_and_the_file_untouched(write: Write) -> None:
    directory = write("a.yaml", recorded())
    before = (directory / "a.yaml").stat()

    (outcome,) = await run(directory, always(chat("In Paris.", number=2)), write=True)

    assert (outcome.status, outcome.changes, outcome.written) == (Status.SAME, (), False)
    assert (directory / "a.yaml").stat().st_mtime_ns == before.st_mtime_ns


async def test_only_what_is_recorded_is_asked(write: Write) -> None:
    by_hand = "request: {model: m, prompt: x}\nresponse: {content: a}\n"
    directory = write("a.yaml", f"{by_hand}---\n{recorded()}")

    assert told(await run(directory, always(chat("In Paris.")))) == [("a.yaml#2", "same")]


async def test_requests_go_out_as_they_were_recorded(write: Write) -> None:
    asked = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append((request.method, request.raw_path, request.headers.get("authorization"), await request.read()))
        return web.json_response({})

    directory = write(
        "a.yaml",
        f"{recorded()}---\n"
        f"endpoint: models\nrequest: {{}}\nresponse: {{body: {{data: []}}}}\n{RECORDED}---\n"
        f"endpoint: models\nrequest: {{model: org/m}}\nresponse: {{body: {{id: m}}}}\n{RECORDED}---\n"
        f"endpoint: GET /files\nrequest: {{query: {{limit: '2', a: [b, c]}}}}\nresponse: {{body: 1}}\n{RECORDED}---\n"
        f"endpoint: GET /a b/50%?\nrequest: {{query: {{q: 'é & ?'}}}}\nresponse: {{body: 1}}\n{RECORDED}---\n"
        f"endpoint: POST /forms\nrequest: {{form: [{{name: a, value: b c}}]}}\nresponse: {{body: {{}}}}\n{RECORDED}",
    )
    async with upstream(answer) as url:
        await run(directory, answer, upstreams=(Upstream("", url, "sk-key"),), concurrency=1)

    assert asked == [
        ("POST", "/v1/chat/completions", "Bearer sk-key", orjson.dumps(HI)),
        ("GET", "/v1/models", "Bearer sk-key", b""),
        ("GET", "/v1/models/org/m", "Bearer sk-key", b""),
        ("GET", "/v1/files?limit=2&a=b&a=c", "Bearer sk-key", b""),
        ("GET", "/v1/a%20b/50%25%3F?q=%C3%A9+%26+?", "Bearer sk-key", b""),
        ("POST", "/v1/forms", "Bearer sk-key", b"a=b+c"),
    ]


ANTHROPIC_KEY = "a-key-of-no-known-shape"


@pytest.mark.parametrize(
    ("path", "selector"),
    [("/v1/messages", ""), ("/anthropic/v1/messages", "/anthropic")],
    ids=["for all", "by a prefix"],
)
async def test_what_anthropic_has_answered_is_asked_of_it_again(
    recorder: Recorder, cassettes: Path, path: str, selector: str
) -> None:
    sent = []

    async def answer(request: web.Request) -> web.StreamResponse:
        allowed = request.headers.get("x-api-key") == ANTHROPIC_KEY and "anthropic-version" in request.headers
        sent.append((request.path, request.headers.get("authorization"), allowed))
        return web.json_response({"type": "message", "content": [{"type": "text", "text": f"Answer {len(sent)}."}]})

    async with upstream(answer) as url:
        address = Upstream(selector, url, ANTHROPIC_KEY)
        server = await recorder(address)
        await ask(server.url, {"model": "claude", "messages": []}, path)
        outcomes = await run(cassettes, answer, upstreams=(address,), write=True)

    assert [changes(outcome) for outcome in outcomes] == [["content[0].text: 'Answer 1.' != 'Answer 2.'"]]
    assert sent == [("/v1/messages", None, True)] * 2
    assert ANTHROPIC_KEY not in str([(file.name, file.read_text()) for file in cassettes.rglob("*.yaml")])


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(only=("tools/*",)), ["tools/b.yaml#1", "tools/b.yaml#2"]),
        (Selection(only=("tools/b.yaml#2",)), ["tools/b.yaml#2"]),
        (Selection(only=("a.yaml", "*#2")), ["a.yaml#1", "tools/b.yaml#2"]),
    ],
    ids=["a folder", "an interaction", "several"],
)
async def test_globs_choose_what_is_asked(write: Write, selection: Selection, expected: list[str]) -> None:
    other = REQUEST.replace("Hi", "Ho")
    write("a.yaml", recorded())
    directory = write("tools/b.yaml", f"{recorded()}---\n{recorded(request=other)}")

    outcomes = await run(directory, always(chat("In Paris.")), selection)

    assert [interaction for interaction, _ in told(outcomes)] == expected


def test_a_glob_that_names_nothing_is_a_mistake(write: Write) -> None:
    directory = write("a.yaml", recorded())

    with pytest.raises(UsageError, match=r"--only b\*\.yaml names no recorded interaction of .*: replay-server list"):
        find_due(directory, load_config(directory), Selection(only=("b*.yaml",)), ())


async def test_each_goes_to_the_upstream_that_takes_it(write: Write) -> None:
    other = "request: {model: other, messages: [{role: user, content: Hi}]}\n"
    directory = write(
        "a.yaml", f"{recorded()}---\n{recorded(request=other)}---\n{GENERIC}response: {{body: 1}}\n{RECORDED}"
    )
    async with upstream(always(chat("In Rome."))) as rome, upstream(always(b"1")) as one:
        upstreams = (Upstream("m", rome), Upstream("/v1/rerank", f"{one}/v1/rerank"))
        outcomes = await run(directory, always(b""), upstreams=upstreams)

    assert told(outcomes) == [("a.yaml#1", "differs"), ("a.yaml#2", "skipped"), ("a.yaml#3", "same")]
    assert outcomes[1].reason == "no --upstream takes /chat/completions with the model 'other': add one that does"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (
            "endpoint: POST /files\nrequest: {form: [{name: f, sha256: ab, bytes: 9}]}\nresponse: {body: 1}\n",
            "of what was uploaded only the hash was kept: record it anew",
        ),
        (
            "request: {model: m, prompt: 'My key: <redacted:openai-key:1>'}\nresponse: {body: {choices: []}}\n",
            "its request was redacted, so it cannot be asked as it was: record it anew",
        ),
    ],
    ids=["an upload", "a redacted request"],
)
async def test_what_cannot_be_asked_is_told_with_its_reason(write: Write, document: str, reason: str) -> None:
    (outcome,) = await run(write("a.yaml", document + RECORDED), always(b"1"))

    assert (outcome.status, outcome.reason, outcome.settled) == (Status.SKIPPED, reason, False)


# What is taken -------------------------------------------------------------------------------------------------------


async def test_an_answer_that_differs_is_shown_and_not_taken(write: Write) -> None:
    directory = write("a.yaml", recorded())

    (outcome,) = await run(directory, always(chat("In Rome.")))

    assert changes(outcome) == ["content: 'In Paris.' != 'In Rome.'"]
    assert (directory / "a.yaml").read_text() == recorded()


async def test_an_answer_that_is_taken_replays_byte_for_byte(write: Write, serve: Any) -> None:
    directory = write("a.yaml", recorded())

    (outcome,) = await run(directory, always(chat("In Rome.")), write=True)

    assert (outcome.status, outcome.written, outcome.settled) == (Status.DIFFERS, True, True)
    assert await replayed(serve, directory, HI) == chat("In Rome.")
    assert told(await run(directory, always(chat("In Rome.")))) == [("a.yaml#1", "same")]


async def test_all_else_in_the_file_stays(write: Write) -> None:
    before = "# A head.\n---\nrequest: {model: m, prompt: x}   # by hand\nresponse: {content: a}\n--- # next\n"
    comment = "# Why it is here.\nname: capital\n"
    after = "---\nrequest: {model: m, prompt: y}\nresponse:   {content: b}"
    directory = write("a.yaml", before + comment + recorded() + after)

    await run(directory, always(chat("In Rome.")), write=True)

    text = (directory / "a.yaml").read_text()
    assert text.startswith(f"{before}{comment}request:\n  model: m\n")
    assert text.endswith(after)
    assert re.search(r"recorded:\n  at: '20\d\d-\d\d-\d\d'\n---\n", text)


async def test_a_stream_is_asked_and_taken_as_a_stream(write: Write, serve: Any) -> None:
    old, new = chat_events("In ", "Paris."), chat_events("In", " Rome", ".")
    request = "request: {model: m, stream: true, messages: [{role: user, content: Hi}]}\n"
    events = "".join(f"  - {{raw: {orjson.dumps(frame.decode()).decode()}}}\n" for frame in old)
    directory = write("a.yaml", f"{request}response:\n stream:\n  events:\n{events}{RECORDED}")

    (same,) = await run(directory, stream(*chat_events("In Paris", ".")), write=True)
    (outcome,) = await run(directory, stream(*new), write=True)

    assert (same.status, same.changes) == (Status.SAME, ())
    assert changes(outcome) == ["content: 'In Paris.' != 'In Rome.'"]
    assert await replayed(serve, directory, {**HI, "stream": True}) == b"".join(new)


async def test_of_a_sequence_only_what_differs_is_replaced(write: Write, serve: Any) -> None:
    bodies = [compact(chat(text)) for text in ("one", "two", "three")]
    responses = "".join(f"  - {{style: indent 2, body: {body}}}\n" for body in bodies)
    directory = write("a.yaml", f"{REQUEST}response:\n{responses}repeat: cycle\n{RECORDED}")

    (outcome,) = await run(directory, in_turn(chat("one", 9), chat("2"), chat("three", 9)), write=True)

    assert changes(outcome) == ["response[1].content: 'two' != '2'"]
    server = await serve(directory, on_miss="error")
    async with aiohttp.ClientSession() as session:
        answers = []
        for _ in range(4):
            async with session.post(f"{server.url}/v1/chat/completions", json=HI) as answer:
                answers.append(await answer.read())
    assert answers == [chat("one"), chat("2"), chat("three"), chat("one")]


async def test_an_endpoint_that_nobody_knows_is_asked_and_compared_by_value(write: Write, serve: Any) -> None:
    directory = write("a.yaml", f"{GENERIC}response: {{body: {{id: a, model: e, usage: {{total: 1}}}}}}\n{RECORDED}")
    answer = b'{"id":"b","model":"e-2","usage":{"total":2}}'

    (outcome,) = await run(directory, always(answer), write=True)

    assert changes(outcome) == ["model: 'e' != 'e-2'"]
    assert await replayed(serve, directory, {"model": "e", "input": "x"}, "rerank") == answer


async def test_a_compressed_answer_is_understood(write: Write) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.Response(body=chat("In Paris."), content_type="application/json")
        response.enable_compression(web.ContentCoding.gzip)
        return response

    assert told(await run(write("a.yaml", recorded()), answer)) == [("a.yaml#1", "same")]


async def test_an_error_that_is_recorded_may_become_another_one_or_an_answer(write: Write) -> None:
    error = '{"error":{"message":"No such model.","type":"invalid_request_error","param":null,"code":null}}'
    document = f"{REQUEST}response: {{status: 404, body: {error}}}\n{RECORDED}"

    outcomes = [
        *await run(write("a.yaml", document), always(error.encode(), status=404)),
        *await run(write("a.yaml", document), always(error.replace("such", "longer a").encode(), status=404)),
        *await run(write("a.yaml", document), always(chat("Hi."))),
        *await run(write("a.yaml", document), always(b"{}", status=503)),
    ]

    assert [(outcome.status.value, changes(outcome)) for outcome in outcomes] == [
        ("same", []),
        ("differs", ["error.message: 'No such model.' != 'No longer a model.'"]),
        ("differs", ["status: 404 != 200"]),
        ("failed", []),
    ]


SECRET = "sk-abcdefghijklmnopqrstuvwx"  # replay-server: allow-secret


async def test_secrets_are_neither_shown_nor_taken(write: Write) -> None:
    directory = write("a.yaml", recorded("Your key was lost."))

    (outcome,) = await run(directory, always(chat(f"Your key is {SECRET}.")), write=True)

    assert changes(outcome) == ["content: 'Your key was lost.' != 'Your key is <redacted:openai-key:1>.'"]
    assert SECRET not in (directory / "a.yaml").read_text()
    assert told(await run(directory, always(chat(f"Your key is {SECRET}.")))) == [("a.yaml#1", "same")]


async def test_a_secret_that_was_recorded_is_asked_and_is_no_difference(write: Write) -> None:
    asked = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append((await request.json())["messages"][0]["content"])
        return web.Response(body=chat(f"It is {SECRET}."), content_type="application/json")

    directory = write("a.yaml", recorded(f"It is {SECRET}.", request=REQUEST.replace("Hi", f"Is it {SECRET}?")))

    assert told(await run(directory, answer)) == [("a.yaml#1", "same")]
    assert asked == [f"Is it {SECRET}?"]


async def test_reasons_hold_no_secret(write: Write) -> None:
    refused = always(orjson.dumps({"error": {"message": f"Incorrect API key: {SECRET}"}}), status=401)

    (outcome,) = await run(write("a.yaml", recorded()), refused)

    assert outcome.reason == "the upstream answered 401: Incorrect API key: <redacted:openai-key:1>"


# What is never taken -------------------------------------------------------------------------------------------------


def cut(body: bytes) -> Handler:
    """Promises more than it sends."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "application/json", "content-length": "9999"})
        await response.prepare(request)
        await response.write(body)
        assert request.transport is not None
        request.transport.close()
        return response

    return answer


UNFINISHED = chat("In").replace(b'"stop"', b"null")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (always(b'{"error": {"message": "Slow down."}}', status=429), "the upstream answered 429: Slow down."),
        (always(b'{"error": {"message": "No."}}', status=404), "the upstream answered 404: No."),
        (always(b"<html>", "text/html"), "the upstream answered text/html, not JSON: <html>"),
        (always(b'{"id": '), 'the upstream answered what is not JSON: {"id":'),
        (always(b'{"error": "quota"}'), "the upstream's answer is no chat completion: it has no list of choices"),
        (always(UNFINISHED), "the upstream's answer has no finish_reason: it was cut short"),
        (cut(chat("In Rome.")), "http://.* broke off in the middle of its answer"),
        (stream(*chat_events("In")[:-1]), "the upstream's stream broke off after 3 events"),
        (
            stream(b'data: {"error": {"message": "overloaded"}}\n\n'),
            "the upstream's stream tells of an error: overloaded",
        ),
    ],
    ids=[
        "429",
        "404",
        "html",
        "half JSON",
        "error in 200",
        "no finish_reason",
        "cut",
        "no [DONE]",
        "error in a stream",
    ],
)
async def test_a_failed_or_truncated_answer_never_replaces_a_good_one(
    write: Write, answer: Handler, reason: str
) -> None:
    directory = write("a.yaml", recorded())

    (outcome,) = await run(directory, answer, write=True)

    assert outcome.status is Status.FAILED
    assert re.fullmatch(reason.replace("[", r"\[").replace("{", r"\{"), outcome.reason)
    assert (directory / "a.yaml").read_text() == recorded()


@pytest.mark.parametrize(
    ("old", "answer", "reason"),
    [
        ("{body: {a: 1}}", always(b"oops", "text/plain"), "the upstream answered what is not JSON: oops"),
        ("{raw: abc}", always(b"", "text/plain"), "the upstream answered nothing"),
        ("{body: {a: 1}}", always(b'{"error": "no"}'), "the upstream's answer tells of an error: no"),
        (
            "{body: {status: completed}}",
            always(b'{"status": "incomplete"}'),
            "the upstream's answer is incomplete, and a completed one was recorded",
        ),
        (
            "{stream: {events: [{data: {type: response.completed}}]}}",
            stream(b'data: {"type": "response.failed"}\n\n'),
            "the upstream's stream ends with response.failed, and not with response.completed",
        ),
        (
            "{stream: {events: [{data: {type: message_stop}}]}}",
            stream(b'data: {"type": "message_start"}\n\n'),
            "the upstream's stream broke off after 1 event",
        ),
    ],
    ids=["not JSON", "nothing", "an error", "incomplete", "a failed stream", "half a stream"],
)
async def test_nor_does_it_where_nobody_knows_the_endpoint(
    write: Write, old: str, answer: Handler, reason: str
) -> None:
    directory = write("a.yaml", f"{GENERIC}response: {old}\n{RECORDED}")
    before = (directory / "a.yaml").read_bytes()

    (outcome,) = await run(directory, answer, write=True)

    assert (outcome.status, outcome.reason) == (Status.FAILED, reason)
    assert (directory / "a.yaml").read_bytes() == before


async def test_of_a_sequence_that_fails_nothing_is_taken(write: Write) -> None:
    responses = f"response: [{{body: {compact(chat('one'))}}}, {{body: {compact(chat('two'))}}}]\n"
    directory = write("a.yaml", REQUEST + responses + RECORDED)

    (outcome,) = await run(directory, in_turn(chat("1"), b"{}"), write=True)

    assert outcome.reason == "response[1]: the upstream's answer is no chat completion: it has no list of choices"
    assert (directory / "a.yaml").read_text() == REQUEST + responses + RECORDED


async def test_what_passes_is_asked_again(write: Write) -> None:
    calls = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        waits = web.Response(status=429, headers={"retry-after-ms": "1"})
        return waits if calls == 1 else web.Response(body=chat("In Paris."), content_type="application/json")

    assert told(await run(write("a.yaml", recorded()), answer, attempts=2)) == [("a.yaml#1", "same")]


async def test_an_interaction_that_somebody_changes_meanwhile_is_left_alone(write: Write) -> None:
    directory = write("a.yaml", recorded())

    async def answer(request: web.Request) -> web.StreamResponse:
        (directory / "a.yaml").write_text(recorded("In Berlin."))
        return web.Response(body=chat("In Rome."), content_type="application/json")

    (outcome,) = await run(directory, answer, write=True)

    assert outcome.reason == "the interaction was changed while it was asked again: refresh it once more"
    assert (directory / "a.yaml").read_text() == recorded("In Berlin.")


async def test_many_at_a_time_lose_nothing_and_are_told_in_order(write: Write) -> None:
    requests = [REQUEST.replace("Hi", f"Hi {number}") for number in range(20)]
    directory = write("a.yaml", "---\n".join(recorded(request=request) for request in requests))

    outcomes = await run(directory, always(chat("In Rome.")), write=True, concurrency=8)

    assert told(outcomes) == [(f"a.yaml#{place}", "differs") for place in range(1, 21)]
    assert told(await run(directory, always(chat("In Rome.")))) == [(f"a.yaml#{n}", "same") for n in range(1, 21)]


async def test_a_run_that_is_stopped_tells_of_what_it_has_taken(write: Write) -> None:
    directory = write("a.yaml", f"{recorded()}---\n{recorded(request=REQUEST.replace('Hi', 'Ho'))}")
    config, outcomes, done = load_config(directory), list[Outcome](), asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if (await request.json())["messages"][0]["content"] == "Hi":
            await asyncio.Event().wait()
        return web.Response(body=chat("In Rome."), content_type="application/json")

    async with upstream(answer) as url:
        upstreams = (Upstream("", url),)
        options = Options(directory=directory, config=config, upstreams=upstreams, write=True)
        due = find_due(directory, config, Selection(), upstreams)
        running = asyncio.create_task(refresh(due, options, outcomes.append, tick=done.set))
        await done.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    assert [(outcome.due.interaction.id, outcome.written) for outcome in outcomes] == [("a.yaml#2", True)]
