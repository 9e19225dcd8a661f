"""Recording in one process, against real servers on loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio
from aiohttp import web

from replay_server.cassettes.atomic import write_atomically
from replay_server.errors import UsageError
from replay_server.record.modes import RecordMode
from replay_server.record.run import Options, plan, record
from replay_server.record.script import read_script
from replay_server.record.steps import Status, Step
from replay_server.record.upstream_url import upstream_url

Run = Callable[..., Awaitable[list[Step]]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TWO = """\
defaults: {model: gpt-4o-mini}
requests:
  - name: first
    messages: [{role: user, content: Say hello.}]
  - name: second
    stream: true
    messages: [{role: user, content: Count to three.}]
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Record scripts, given as texts by name, into a directory of the test's own."""

    async def run(text: str, name: str = "a.yaml", **options: Any) -> list[Step]:
        script = read_script(name, text.encode())
        return await record([script], Options(cassettes=tmp_path, **options), lambda step: None)

    return run


@pytest_asyncio.fixture
async def upstream() -> AsyncIterator[Callable[[Handler], Awaitable[str]]]:
    """Start an upstream that answers as a function says, and give its URL."""
    runners = []

    async def start(handler: Handler) -> str:
        app = web.Application()
        app.router.add_post("/v1/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.01)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
        return f"http://127.0.0.1:{runner.addresses[0][1]}/v1"

    yield start
    for runner in runners:
        await runner.cleanup()


def outcomes(steps: list[Step]) -> list[str]:
    return [step.status.value for step in steps]


def completion(text: str, **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {"id": "chatcmpl-x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], **fields}


async def test_answers_of_an_upstream_are_recorded_and_replayed_byte_for_byte(
    run: Run, serve: Any, tmp_path: Path
) -> None:
    from tests.server.test_http import CHAT, raw, request

    upstream = await serve()
    steps = await run(TWO, upstream=f"{upstream.url}/v1")
    replay = await serve(tmp_path, on_miss="error")

    assert outcomes(steps) == ["recorded", "recorded"]
    for content, stream in (("Say hello.", False), ("Count to three.", True)):
        messages = [{"role": "user", "content": content}]
        body = orjson.dumps({"model": "gpt-4o-mini", "messages": messages, "stream": stream})
        first, second = [
            (await raw(server.url, request(body, version="1.0", path=CHAT))).partition(b"\r\n\r\n")[2]
            for server in (upstream, replay)
        ]
        assert first == second


async def test_recording_again_with_the_same_answers_leaves_the_file_as_it_is(
    run: Run, serve: Any, tmp_path: Path
) -> None:
    upstream = await serve()
    await run(TWO, upstream=f"{upstream.url}/v1")
    before = (tmp_path / "a.yaml").read_bytes()

    kept = await run(TWO, upstream=f"{upstream.url}/v1")
    again = await run(TWO, upstream=f"{upstream.url}/v1", mode=RecordMode.ALL)

    assert outcomes(kept) == outcomes(again) == ["kept", "kept"]
    assert (tmp_path / "a.yaml").read_bytes() == before


async def test_recording_again_keeps_what_somebody_has_said_of_its_replay(
    run: Run, upstream: Any, tmp_path: Path
) -> None:
    calls = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        return web.json_response(completion(f"answer {calls}"))

    url, script = await upstream(answer), "requests:\n  - {model: m, messages: [{role: user, content: x}]}\n"
    await run(script, upstream=url)
    path = tmp_path / "a.yaml"
    path.write_text(path.read_text() + "pace: ttft=300ms,itl=20ms\nfault:\n  cut: mid-chunk\n  every: 10\n")

    await run(script, upstream=url, mode=RecordMode.ALL)

    text = path.read_text()
    assert (text.count("answer 2"), text.count("answer 1")) == (1, 0)
    assert "\npace: ttft=300ms,itl=20ms\nfault:\n  cut: mid-chunk\n  every: 10\n" in text


async def test_what_is_new_with_every_call_is_no_difference(run: Run, upstream: Any, tmp_path: Path) -> None:
    calls = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        fingerprint = f"fp_{calls}"
        text = "Hello" if calls < 3 else "Goodbye"
        return web.json_response(
            completion(text, id=f"chatcmpl-{calls}", created=calls, system_fingerprint=fingerprint)
        )

    url = await upstream(answer)
    script = "requests:\n  - {model: m, messages: [{role: user, content: x}]}\n"
    texts = []
    for _ in range(3):
        await run(script, upstream=url, mode=RecordMode.ALL)
        texts.append((tmp_path / "a.yaml").read_text())

    assert texts[0] == texts[1]
    assert "Goodbye" in texts[2]


async def test_documents_stand_in_script_order_whatever_comes_back_first(
    run: Run, upstream: Any, tmp_path: Path
) -> None:
    last_asked = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        content = (await request.json())["messages"][0]["content"]
        if content == "c":
            last_asked.set()
        await last_asked.wait()
        return web.json_response(completion(content.upper()))

    entries = "".join(f"  - {{name: {name}, messages: [{{role: user, content: {name}}}]}}\n" for name in "abc")
    await run(f"defaults: {{model: m}}\nrequests:\n{entries}", upstream=await upstream(answer), concurrency=3)

    text = (tmp_path / "a.yaml").read_text()
    assert [line for line in text.splitlines() if line.startswith("name:")] == ["name: a", "name: b", "name: c"]


async def test_offline_answers_are_made_up_and_stay_the_same(run: Run, serve: Any, tmp_path: Path) -> None:
    from tests.server.test_http import CHAT, post

    script = "requests:\n  - model: m\n    messages: [{role: user, content: Tell me of the sea.}]\n    n: 2\n"
    await run(script, offline=True)
    before = (tmp_path / "a.yaml").read_bytes()
    steps = await run(script, offline=True, mode=RecordMode.ALL)
    asked = {"model": "m", "n": 2, "messages": [{"role": "user", "content": "Tell me of the sea."}]}

    replayed = await post((await serve(tmp_path)).url + CHAT, asked)
    generated = await post((await serve(tmp_path / "none")).url + CHAT, asked)

    assert outcomes(steps) == ["kept"]
    assert (tmp_path / "a.yaml").read_bytes() == before
    assert replayed[1]["x-replay-source"] == "cassette"
    assert replayed[2] == generated[2]


async def test_a_conversation_goes_on_with_its_replies_and_tool_results(run: Run, tmp_path: Path) -> None:
    script = """\
requests:
  - model: gpt-4o-mini
    conversation: [What is the weather in Paris?, Thanks!]
    tool_results: {get_weather: {degrees: 18}}
    tools:
      - type: function
        function: {name: get_weather, parameters: {type: object, properties: {city: {type: string}}, required: [city]}}
"""
    steps = await run(script, offline=True)

    from replay_server.cassettes.reader import read_cassette

    found = list(read_cassette("a.yaml", (tmp_path / "a.yaml").read_bytes()))
    roles = [[message["role"] for message in interaction.request["messages"]] for interaction in found]
    assert outcomes(steps) == ["recorded"] * 3
    assert roles == [
        ["user"],
        ["user", "assistant", "tool"],
        ["user", "assistant", "tool", "assistant", "user"],
    ]
    assert found[1].request["messages"][2]["content"] == '{"degrees":18}'


async def test_a_tool_without_a_result_is_told(run: Run) -> None:
    script = """\
requests:
  - model: m
    conversation: [{user: x, response: {tool_calls: [{name: clock}]}}]
"""
    steps = await run(script)

    assert outcomes(steps) == ["recorded", "failed"]
    assert steps[1].reason == "tool_results.clock has no result for this call: add one"


async def test_repeat_records_a_sequence_and_goes_on_with_it(run: Run, upstream: Any, tmp_path: Path) -> None:
    calls = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        return web.json_response(completion(f"answer {calls}"))

    url = await upstream(answer)
    script = "requests:\n  - {model: m, messages: [{role: user, content: x}], repeat: %d}\n"

    assert outcomes(await run(script % 2, upstream=url)) == ["recorded"] * 2
    assert outcomes(await run(script % 3, upstream=url)) == ["kept", "kept", "recorded"]
    text = (tmp_path / "a.yaml").read_text()
    assert [text.count(f"answer {n}") for n in (1, 2, 3)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("mode", "first", "second"),
    [
        (RecordMode.NONE, ["missing"], ["missing", "missing"]),
        (RecordMode.ONCE, ["recorded"], ["kept", "missing"]),
        (RecordMode.NEW_EPISODES, ["recorded"], ["kept", "recorded"]),
        (RecordMode.ALL, ["recorded"], ["kept", "recorded"]),
    ],
)
async def test_record_modes_are_as_their_table_says(
    run: Run, mode: RecordMode, first: list[str], second: list[str], tmp_path: Path
) -> None:
    script = "defaults: {model: m}\nrequests:\n  - prompt: x\n"

    assert outcomes(await run(script, mode=mode, offline=True)) == first
    assert outcomes(await run(script + "  - prompt: y\n", mode=mode, offline=True)) == second
    assert (tmp_path / "a.yaml").exists() == (mode is not RecordMode.NONE)


@pytest.mark.parametrize(
    ("status", "headers", "body", "reason"),
    [
        (400, {}, b'{"error": {"message": "No such thing."}}', "the upstream answered 400: No such thing."),
        (401, {}, b"nope", "the upstream answered 401: nope"),
        (200, {"content-type": "text/html"}, b"<html>", "the upstream answered text/html, not JSON: <html>"),
    ],
)
async def test_what_the_upstream_refuses_is_told_in_its_own_words(
    run: Run, upstream: Any, tmp_path: Path, status: int, headers: dict[str, str], body: bytes, reason: str
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers={"content-type": "application/json", **headers})

    steps = await run(TWO, upstream=await upstream(answer))

    assert [(step.status.value, step.reason) for step in steps] == [("failed", reason)] * 2
    assert not (tmp_path / "a.yaml").exists()


async def test_a_redirect_to_another_host_is_not_followed(run: Run, upstream: Any) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"location": "http://127.0.0.1:1/"})

    (step, _) = await run(TWO, upstream=await upstream(answer))

    assert step.status is Status.FAILED
    assert "redirects to another host, http://127.0.0.1:1/, which is not followed" in step.reason


Misbehaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def _rate_limit(request: web.Request) -> web.StreamResponse:
    return web.Response(status=429, headers={"retry-after-ms": "1"}, body=b"{}")


async def _overloaded(request: web.Request) -> web.StreamResponse:
    return web.Response(status=500, headers={"retry-after": "0"})


async def _broken_json(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b'{"id": ', content_type="application/json")


async def _cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    await response.write(b'data: {"choices": []}\n\n')
    assert request.transport is not None
    request.transport.close()
    return response


async def _unfinished(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b'data: {"choices": []}\n\n', content_type="text/event-stream")


async def _error_within(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b'data: {"error": {"message": "overloaded"}}\n\n', content_type="text/event-stream")


@pytest.mark.parametrize("misbehave", [_rate_limit, _overloaded, _broken_json, _cut, _unfinished, _error_within])
async def test_what_may_pass_is_tried_again(
    run: Run, upstream: Any, monkeypatch: pytest.MonkeyPatch, misbehave: Misbehaviour
) -> None:
    from replay_server.record import upstream as module

    calls = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        return await misbehave(request) if calls == 1 else web.json_response(completion("done"))

    monkeypatch.setattr(module, "wait_random_exponential", lambda **_: lambda state: 0.0)
    script = "requests:\n  - {model: m, messages: [{role: user, content: x}]}\n"

    assert outcomes(await run(script, upstream=await upstream(answer), attempts=2)) == ["recorded"]
    assert calls == 2


async def test_a_failed_answer_never_replaces_a_good_one(run: Run, upstream: Any, tmp_path: Path) -> None:
    script = "requests:\n  - {name: kept, model: m, messages: [{role: user, content: x}]}\n"
    await run(script, offline=True)
    before = (tmp_path / "a.yaml").read_bytes()

    steps = await run(script, upstream=await upstream(_unfinished), mode=RecordMode.ALL, attempts=1)

    assert outcomes(steps) == ["failed"]
    assert steps[0].reason == "the upstream's stream broke off after 1 event"
    assert (tmp_path / "a.yaml").read_bytes() == before


async def test_an_upstream_that_gives_no_sign_of_life_fails(run: Run, upstream: Any) -> None:
    async def stall(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets the event")

    (step,) = await run(
        "requests:\n  - {model: m, prompt: x}\n", upstream=await upstream(stall), attempts=1, timeout=0.05
    )

    assert step.reason.endswith("gave no sign of life in 0.05 s")


async def test_a_run_that_is_cut_short_keeps_what_is_done(run: Run, upstream: Any, tmp_path: Path) -> None:
    second_asked = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if (await request.json())["prompt"] == "y":
            second_asked.set()
            await asyncio.Event().wait()
        return web.json_response({"choices": [{"text": "done", "index": 0, "finish_reason": "stop"}]})

    url = await upstream(answer)
    script = "defaults: {model: m}\nrequests:\n  - prompt: x\n  - prompt: y\n"
    task = asyncio.ensure_future(run(script, upstream=url, concurrency=1))
    await second_asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (tmp_path / "a.yaml").read_text().count("prompt:") == 1
    assert outcomes(await run(script, offline=True)) == ["kept", "recorded"]


async def test_comments_and_documents_that_the_script_does_not_have_stay(run: Run, tmp_path: Path) -> None:
    by_hand = "# mine\nrequest: {model: m, prompt: z} # by hand\nresponse: {content: Z}\n"
    script = "defaults: {model: m}\nrequests:\n  - prompt: x\n    response: {content: X}\n"
    (tmp_path / "a.yaml").write_text(by_hand)
    await run(script)
    first = (tmp_path / "a.yaml").read_text()
    await run(script + "  - prompt: y\n    response: {content: Y}\n")

    assert first.startswith(by_hand + "---\n")
    assert (tmp_path / "a.yaml").read_text().startswith(first + "---\n")


async def test_matchers_stay_where_they_are(run: Run, tmp_path: Path) -> None:
    by_hand = (
        "# mine\nmatch: {model: m}\nresponse: {content: '{{ turn }}'}\n---\nmatch: {model: m}\nresponse: {content: Z}\n"
    )
    script = "defaults: {model: m}\nrequests:\n  - prompt: x\n    response: {content: One}\n"
    (tmp_path / "a.yaml").write_text(by_hand)
    await run(script)
    first = (tmp_path / "a.yaml").read_text()
    await run(script.replace("One", "Two"))

    assert first.startswith(by_hand + "---\nrequest:")
    assert (tmp_path / "a.yaml").read_text() == first.replace("content: One", "content: Two")


async def test_a_response_changed_in_the_script_is_taken(run: Run, tmp_path: Path) -> None:
    script = "requests:\n  - {model: m, prompt: x, response: {content: %s}}\n"

    assert outcomes(await run(script % "one")) == ["recorded"]
    assert outcomes(await run(script % "one")) == ["kept"]
    assert outcomes(await run(script % "two")) == ["recorded"]
    assert "two" in (tmp_path / "a.yaml").read_text()


async def test_without_a_source_it_says_what_to_give(run: Run) -> None:
    (step,) = await run("requests:\n  - {model: m, prompt: x}\n")

    assert step.reason == "has no response: add one to the script, or give --upstream URL or --offline"


def test_a_plan_lists_what_would_be_asked(tmp_path: Path) -> None:
    script = read_script("a.yaml", TWO.encode() + b"  - {prompt: z, response: {content: Z}}\n")

    planned = plan([script], Options(cassettes=tmp_path))

    assert [(request.label, request.tokens > 5) for request in planned] == [
        ("a.yaml:3 first", True),
        ("a.yaml:5 second", True),
    ]


def test_a_file_that_cannot_be_written_is_one_line_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").mkdir()

    with pytest.raises(UsageError, match=r"a\.yaml: cannot be written: .*; what was there is untouched"):
        write_atomically(tmp_path / "a.yaml", b"x")

    assert list(tmp_path.iterdir()) == [tmp_path / "a.yaml"]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://localhost:8080", "http://localhost:8080/v1"),
        ("https://api.example.com/openai/v1/", "https://api.example.com/openai/v1"),
    ],
)
def test_an_upstream_without_a_path_has_v1(text: str, url: str) -> None:
    assert upstream_url(text) == url


@pytest.mark.parametrize(
    "text", ["localhost:8080", "ftp://x", "http://", "https://user:secret@x/v1", "http://x/v1?key=1"]
)
def test_an_upstream_that_is_no_plain_url_is_refused_without_its_secrets(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        upstream_url(text)

    assert "secret" not in str(caught.value)


async def test_several_choices_and_errors_are_recorded_from_a_script(run: Run, serve: Any, tmp_path: Path) -> None:
    from tests.server.test_http import post

    script = """\
defaults: {model: m}
requests:
  - prompt: x
    response: {choices: [{content: a}, {content: b, finish_reason: length}]}
  - prompt: y
    response: {error: {status: 503, message: Later.}}
"""
    await run(script)
    url = (await serve(tmp_path)).url + "/v1/completions"

    assert [choice["text"] for choice in (await post(url, {"model": "m", "prompt": "x"}))[2]["choices"]] == ["a", "b"]
    assert (await post(url, {"model": "m", "prompt": "y"}))[0] == 503


async def test_two_recorders_of_one_cassette_lose_nothing(run: Run, upstream: Any, tmp_path: Path) -> None:
    both_asked = asyncio.Barrier(2)

    async def answer(request: web.Request) -> web.StreamResponse:
        await both_asked.wait()
        return web.json_response({"choices": [{"text": "done", "index": 0, "finish_reason": "stop"}]})

    url = await upstream(answer)
    scripts = [f"requests:\n  - {{model: m, prompt: {word}}}\n" for word in ("one", "two")]
    await asyncio.gather(*(run(script, upstream=url) for script in scripts))

    assert [(tmp_path / "a.yaml").read_text().count(f"prompt: {word}\n") for word in ("one", "two")] == [1, 1]


async def test_a_second_script_of_a_cassette_does_not_move_the_first(run: Run, tmp_path: Path) -> None:
    one, two = (
        f"defaults: {{model: m}}\nrequests:\n  - {{prompt: {a}}}\n  - {{prompt: {b}}}\n" for a, b in ("ab", "cd")
    )
    texts = []
    for script in (one, two, one, two):
        await run(script, offline=True)
        texts.append((tmp_path / "a.yaml").read_bytes())

    assert texts[1] == texts[2] == texts[3]


async def test_a_new_request_takes_its_place_in_the_script_order(run: Run, tmp_path: Path) -> None:
    for prompts in ("ac", "abc", "cab"):
        lines = "".join(f"  - {{prompt: {prompt}, response: {{content: x}}}}\n" for prompt in prompts)
        await run(f"defaults: {{model: m}}\nrequests:\n{lines}")

        text = (tmp_path / "a.yaml").read_text()
        found = [line.removeprefix("  prompt: ") for line in text.splitlines() if line.startswith("  prompt: ")]
        assert "".join(found) == prompts


async def test_another_name_changes_nothing_else(run: Run, tmp_path: Path) -> None:
    script = "requests:\n  - {model: m, prompt: x, response: {content: X}%s}\n"
    by_hand = "# mine\nrequest: {model: m, prompt: x} # by hand\nresponse: {content: X}\n"
    (tmp_path / "a.yaml").write_text(by_hand)
    texts = []
    for name in ("", ", name: one", ", name: two", ""):
        await run(script % name)
        texts.append((tmp_path / "a.yaml").read_text())

    assert texts == [by_hand, f"name: one\n{by_hand}", f"name: two\n{by_hand}", f"name: two\n{by_hand}"]


@pytest.mark.parametrize("body", [b'{"error": {"message": "no"}}', b"{}", b"[1]", b'"hi"', b'{"choices": 1}'])
async def test_what_is_no_answer_is_not_recorded(run: Run, upstream: Any, tmp_path: Path, body: bytes) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type="application/json")

    (step, _) = await run(TWO, upstream=await upstream(answer))

    assert step.status.value == "failed"
    assert step.reason.startswith("the upstream's answer is no chat completion")
    assert not (tmp_path / "a.yaml").exists()


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf%b", b"---\r\n%b"], ids=["BOM", "CRLF"])
async def test_files_of_other_editors_are_added_to(run: Run, tmp_path: Path, data: bytes) -> None:
    document = b"request: {model: m, prompt: x}\r\nresponse: {content: X}\r\n"
    (tmp_path / "a.yaml").write_bytes(data.replace(b"%b", document))

    steps = await run("defaults: {model: m}\nrequests:\n  - prompt: x\n  - prompt: y\n", offline=True)

    assert outcomes(steps) == ["kept", "recorded"]


async def test_made_up_answers_are_not_said_to_be_recorded(run: Run, serve: Any, tmp_path: Path) -> None:
    upstream = await serve()
    await run(TWO, upstream=upstream.url + "/v1")
    recorded = (tmp_path / "a.yaml").read_text().count("recorded:")
    await run(TWO, offline=True, mode=RecordMode.ALL)

    assert (recorded, (tmp_path / "a.yaml").read_text().count("recorded:")) == (2, 0)


async def test_a_repeated_request_is_made_up_differently_each_time(run: Run, tmp_path: Path) -> None:
    from replay_server.cassettes.reader import read_cassette

    await run("requests:\n  - {model: m, prompt: x, repeat: 3}\n", offline=True)

    (interaction,) = read_cassette("a.yaml", (tmp_path / "a.yaml").read_bytes())
    assert len({str(response) for response in interaction.responses}) == 3


async def test_a_turn_with_more_responses_than_are_asked_for_is_told(run: Run) -> None:
    steps = await run("requests:\n  - {model: m, conversation: [{user: x, response: [{content: a}, {content: b}]}]}\n")

    assert steps[-1].reason == "the turn 'x' has 2 responses, and 1 were asked for"


async def test_models_of_an_upstream_are_recorded(run: Run, serve: Any) -> None:
    upstream = await serve()
    steps = await run("requests:\n  - {endpoint: models, body: {}}\n", upstream=upstream.url + "/v1")

    assert outcomes(steps) == ["recorded"]


async def test_a_sequence_keeps_the_place_of_what_failed(run: Run, upstream: Any, tmp_path: Path) -> None:
    calls = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        return web.json_response(completion(f"answer {calls}")) if calls != 3 else web.Response(status=400)

    url = await upstream(answer)
    entry = "  - {model: m, messages: [{role: user, content: x}]}\n"
    await run(f"requests:\n{entry}{entry}", upstream=url)
    steps = await run(f"requests:\n{entry}{entry}", upstream=url, mode=RecordMode.ALL)

    text = (tmp_path / "a.yaml").read_text()
    assert outcomes(steps) == ["failed", "recorded"]
    assert [f"answer {n}" in text for n in (1, 2, 4)] == [True, False, True]
    assert text.index("answer 1") < text.index("answer 4")


# Secrets -------------------------------------------------------------------------------------------------------------

SECRET = "sk-" + "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"


def with_secret(secret: str, stream: bool = False) -> str:
    return (
        f"requests:\n  - name: about {secret}\n    model: m\n    stream: {str(stream).lower()}\n"
        f"    messages: [{{role: user, content: 'Is {secret} a key?'}}]\n"
    )


def echo(sent: list[Any]) -> Handler:
    """An upstream that repeats what it is asked, a stream in pieces of four letters."""

    async def answer(request: web.Request) -> web.StreamResponse:
        sent.append(await request.json())
        text = sent[-1]["messages"][-1]["content"]
        if not sent[-1]["stream"]:
            message = {"role": "assistant", "content": text}
            choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
            return web.json_response({"choices": choices}, headers={"x-request-id": text.split()[1]})
        deltas = [{"content": text[at : at + 4]} for at in range(0, len(text), 4)]
        chunks = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
        frames = [*map(orjson.dumps, chunks), b"[DONE]"]
        body = b"".join(b"data: %b\n\n" % data for data in frames)
        return web.Response(body=body, headers={"content-type": "text/event-stream"})

    return answer


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_a_secret_is_sent_and_never_saved(run: Run, upstream: Any, tmp_path: Path, stream: bool) -> None:
    sent: list[Any] = []

    await run(with_secret(SECRET, stream), upstream=await upstream(echo(sent)))

    saved = (tmp_path / "a.yaml").read_text()
    assert sent[0]["messages"] == [{"role": "user", "content": f"Is {SECRET} a key?"}]
    assert [piece for piece in (SECRET, SECRET[:12], SECRET[-8:], SECRET[12:16]) if piece in saved] == []
    assert saved.startswith("name: about <redacted:openai-key:1>\n")
    assert saved.count("<redacted:openai-key:1>") == (3 if stream else 4)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_another_secret_records_the_same(run: Run, upstream: Any, tmp_path: Path, stream: bool) -> None:
    url = await upstream(echo([]))
    await run(with_secret(SECRET, stream), upstream=url)
    before = (tmp_path / "a.yaml").read_bytes()

    await run(with_secret(SECRET[:3] + SECRET[:2:-1], stream), upstream=url, mode=RecordMode.ALL)

    assert (tmp_path / "a.yaml").read_bytes() == before


async def test_a_response_of_the_script_is_saved_redacted(run: Run, tmp_path: Path) -> None:
    given = f"    response: {{deltas: ['{SECRET[:9]}', '{SECRET[9:]} it is']}}\n"

    await run(with_secret(SECRET) + given)

    saved = (tmp_path / "a.yaml").read_text()
    assert SECRET[9:] not in saved
    assert saved.count("<redacted:openai-key:1>") == 3


async def test_failures_are_told_without_secrets(run: Run, upstream: Any) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"error": {"message": f"Incorrect API key provided: {SECRET}"}}, status=401)

    (step,) = await run(with_secret(SECRET), upstream=await upstream(refuse))

    assert step.label == "a.yaml:2 about <redacted:openai-key:1>"
    assert step.reason == "the upstream answered 401: Incorrect API key provided: <redacted:openai-key:1>"
