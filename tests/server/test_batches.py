"""Batches, as the `openai` client sees them."""

import json
from collections.abc import Sequence
from typing import Any

import aiohttp
import openai
import pytest

from replay_server.endpoints import batch_run
from tests.described import faults
from tests.server.test_files import client

CHAT = "/v1/chat/completions"


def body(text: str, **options: Any) -> dict[str, Any]:
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}], **options}


def line(name: Any, asked: Any, url: str = CHAT, method: str = "POST") -> dict[str, Any]:
    return {"custom_id": name, "method": method, "url": url, "body": asked}


def written(lines: Sequence[Any]) -> bytes:
    return b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines)


async def begun(api: openai.AsyncOpenAI, lines: Sequence[Any], endpoint: Any = CHAT, **options: Any) -> str:
    """The id of a batch of these lines."""
    file = await api.files.create(file=("asked.jsonl", written(lines)), purpose="batch")
    asked: Any = {"input_file_id": file.id, "endpoint": endpoint, "completion_window": "24h", **options}
    return (await api.batches.create(**asked)).id


async def ended(api: openai.AsyncOpenAI, batch: str) -> Any:
    """The batch when nothing happens to it any more."""
    seen = await api.batches.retrieve(batch)
    while seen.status not in ("completed", "failed", "cancelled"):
        seen = await api.batches.retrieve(batch)
    return seen


async def lines_in(api: openai.AsyncOpenAI, file: str) -> list[Any]:
    return [json.loads(each) for each in (await api.files.content(file)).text.splitlines()]


async def test_each_line_is_answered_as_its_request_is(serve: Any) -> None:
    server = await serve()
    asked = [body("Say hello."), body("Name three rivers.", max_tokens=5)]

    async with client(server.url) as api:
        direct = [(await api.chat.completions.create(**each)).to_dict() for each in asked]
        batch = await begun(api, [line(f"ask-{at}", each) for at, each in enumerate(asked)])
        done = await ended(api, batch)
        output = await lines_in(api, done.output_file_id)

    assert [each["response"]["body"] for each in output] == direct
    assert [(each["custom_id"], each["response"]["status_code"], each["error"]) for each in output] == [
        ("ask-0", 200, None),
        ("ask-1", 200, None),
    ]
    assert {(each["id"][:10], len(each["id"]), len(each["response"]["request_id"])) for each in output} == {
        ("batch_req_", 42, 32)
    }
    used = [each["usage"] for each in direct]
    assert done.usage.total_tokens == sum(usage["total_tokens"] for usage in used)
    assert done.usage.output_tokens == sum(usage["completion_tokens"] for usage in used)


async def test_a_batch_goes_on_each_time_it_is_asked_for(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        batch = await begun(api, [line("a", body("Say hello."))], metadata={"run": "7"})
        (listed,) = (await api.batches.list()).data
        seen = [listed, *[await api.batches.retrieve(batch) for _ in range(4)]]

    assert [each.status for each in seen] == ["validating", "in_progress", "finalizing", "completed", "completed"]
    assert [(each.request_counts.total, each.request_counts.completed) for each in seen] == [
        *[(0, 0), (1, 0)],
        *[(1, 1)] * 3,
    ]
    assert [each.output_file_id is not None for each in seen] == [False, False, False, True, True]
    assert seen[3].to_dict() == {
        "id": batch,
        "object": "batch",
        "endpoint": CHAT,
        "input_file_id": listed.input_file_id,
        "completion_window": "24h",
        "status": "completed",
        "created_at": 1_700_000_000,
        "expires_at": 1_700_086_400,
        "request_counts": {"total": 1, "completed": 1, "failed": 0},
        "metadata": {"run": "7"},
        "model": "gpt-4o-mini",
        "in_progress_at": 1_700_000_001,
        "usage": seen[3].to_dict()["usage"],
        "finalizing_at": 1_700_000_002,
        "output_file_id": seen[3].output_file_id,
        "completed_at": 1_700_000_003,
    }
    assert [fault for each in seen for fault in faults("retrieveBatch", each.to_dict())] == []


async def test_a_request_that_is_refused_goes_to_the_error_file(serve: Any) -> None:
    server = await serve()
    lines = [line("good", body("Say hello.")), line("hot", body("Too hot.", temperature=9))]

    async with client(server.url) as api:
        done = await ended(api, await begun(api, lines))
        output, (error,) = await lines_in(api, done.output_file_id), await lines_in(api, done.error_file_id)
        files = [await api.files.retrieve(name) for name in (done.output_file_id, done.error_file_id)]

    assert (done.status, done.request_counts.to_dict()) == ("completed", {"total": 2, "completed": 1, "failed": 1})
    assert [each["custom_id"] for each in output] == ["good"]
    assert (error["custom_id"], error["response"]["status_code"], error["error"]) == ("hot", 400, None)
    assert error["response"]["body"]["error"]["code"] == "decimal_above_max_value"
    assert [(file.purpose, file.filename) for file in files] == [
        ("batch_output", f"{done.id}_output.jsonl"),
        ("batch_output", f"{done.id}_error.jsonl"),
    ]


async def test_a_batch_of_refused_requests_has_no_output_file(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        done = await ended(api, await begun(api, [line("hot", body("Too hot.", temperature=9))]))

    assert (done.status, done.output_file_id, done.error_file_id is None) == ("completed", None, False)


async def test_a_strict_server_answers_lines_from_its_cassettes(serve: Any) -> None:
    server = await serve(on_miss="error")

    async with client(server.url) as api:
        done = await ended(api, await begun(api, [line("a", body("Say hello.")), line("b", body("Say hullo."))]))
        (hello,), (miss,) = await lines_in(api, done.output_file_id), await lines_in(api, done.error_file_id)

    assert hello["response"]["body"]["choices"][0]["message"]["content"] == "Hello! How can I help you today?"
    assert (miss["response"]["status_code"], miss["custom_id"]) == (404, "b")


async def test_a_batch_of_embeddings_gives_vectors(serve: Any) -> None:
    server = await serve()
    asked = line("v", {"model": "text-embedding-3-small", "input": "a cat", "dimensions": 8}, "/v1/embeddings")

    async with client(server.url) as api:
        done = await ended(api, await begun(api, [asked], "/v1/embeddings"))
        (vector,) = await lines_in(api, done.output_file_id)

    assert len(vector["response"]["body"]["data"][0]["embedding"]) == 8
    assert (done.usage.output_tokens, done.usage.input_tokens > 0) == (0, True)


async def test_an_image_of_a_batch_is_shown_by_this_server(serve: Any) -> None:
    server = await serve()
    asked = line("i", {"model": "dall-e-3", "prompt": "A cat."}, "/v1/images/generations")

    async with client(server.url) as api, aiohttp.ClientSession() as http:
        done = await ended(api, await begun(api, [asked], "/v1/images/generations"))
        (image,) = await lines_in(api, done.output_file_id)
        shown = await http.get(image["response"]["body"]["data"][0]["url"])

    assert (shown.status, shown.content_type) == (200, "image/png")


async def test_many_lines_are_answered_some_at_a_time(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_run, "LINES_AT_ONCE", 2)
    server = await serve()

    async with client(server.url) as api:
        batch = await begun(api, [line(str(at), body(f"Say {at}.", max_tokens=1)) for at in range(5)])
        seen = [await api.batches.retrieve(batch) for _ in range(4)]
        done = await ended(api, batch)
        output = await lines_in(api, done.output_file_id)

    counts = [(each.status, each.request_counts.completed) for each in seen]
    assert counts == [("in_progress", 0), ("in_progress", 2), ("in_progress", 4), ("finalizing", 5)]
    assert [each["custom_id"] for each in output] == ["0", "1", "2", "3", "4"]
    assert len({each["id"] for each in output}) == 5


GOOD = line("good", body("Say hello."))


@pytest.mark.parametrize(
    ("bad", "code", "message", "param"),
    [
        (b"{broken", "invalid_json_line", "This line is not parseable as valid JSON.", None),
        (b"[1]", "invalid_json_line", "This line is not parseable as valid JSON.", None),
        ({"custom_id": "a"}, "missing_required_parameter", "Missing required parameter: 'method'.", "method"),
        (
            line("a", body("x"), "/v1/embeddings"),
            "invalid_url",
            "The URL provided for this request does not match the batch endpoint.",
            "url",
        ),
        (
            line("a", body("x"), method="GET"),
            "invalid_value",
            "Invalid value: 'GET'. Supported values are: 'POST'.",
            "method",
        ),
        (
            GOOD,
            "duplicate_custom_id",
            "The custom_id 'good' for this request is a duplicate of another request."
            " The custom_id parameter must be unique for each request in a batch.",
            "custom_id",
        ),
        (
            line("a", body("x", stream=True)),
            "streaming_unsupported",
            "Chat Completions: Streaming is not supported in the Batch API.",
            "body.stream",
        ),
        (
            line("a", {**body("x"), "model": "gpt-4o"}),
            "mismatched_model",
            "The model 'gpt-4o' for this request does not match the rest of the batch."
            " Each batch must contain requests for a single model.",
            "body.model",
        ),
        (line("a", {"messages": [1]}), "invalid_request", "Model parameter is required.", "body.model"),
        (line("a", {"model": "gpt-4o-mini"}), "invalid_request", "Messages parameter is required.", "body.messages"),
        (
            line("a", [1]),
            "invalid_type",
            "Invalid type for 'body': expected an object, but got an array instead.",
            "body",
        ),
        (
            line(7, body("x")),
            "invalid_type",
            "Invalid type for 'custom_id': expected a string, but got an integer instead.",
            "custom_id",
        ),
    ],
    ids=[
        *["broken", "no object", "no method", "another endpoint", "another method", "the same id", "a stream"],
        *["another model", "no model", "no messages", "no body", "no name"],
    ],
)
async def test_a_broken_line_fails_the_batch_before_anything_is_asked(
    serve: Any, bad: Any, code: str, message: str, param: str | None
) -> None:
    server = await serve()

    async with client(server.url) as api:
        done = await ended(api, await begun(api, [GOOD, b"", bad]))
        files = [file.purpose async for file in api.files.list()]

    assert (done.status, done.output_file_id, files) == ("failed", None, ["batch"])
    assert done.errors.data[0].to_dict() == {"code": code, "line": 3, "message": message, "param": param}
    assert (done.failed_at, faults("retrieveBatch", done.to_dict())) == (done.created_at + 1, [])


async def test_all_that_is_wrong_with_the_lines_is_told_at_once(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        done = await ended(api, await begun(api, [b"{", {"body": {}}, b"}"]))

    told = [(error.line, error.code, error.param) for error in done.errors.data]
    assert told == [
        (1, "invalid_json_line", None),
        *((2, "missing_required_parameter", name) for name in ("custom_id", "method", "url")),
        (3, "invalid_json_line", None),
    ]


async def test_a_file_without_requests_fails_the_batch(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        done = await ended(api, await begun(api, [b"", b" "]))

    assert [(error.code, error.line) for error in done.errors.data] == [("empty_file", None)]


@pytest.mark.parametrize("purpose", ["user_data", None], ids=["another purpose", "no such file"])
async def test_a_batch_without_its_input_fails(serve: Any, purpose: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        name = (await api.files.create(file=("a.jsonl", b"{}"), purpose=purpose)).id if purpose else "file-none"
        batch = await api.batches.create(input_file_id=name, endpoint=CHAT, completion_window="24h")
        (error,) = (await ended(api, batch.id)).errors.data

    assert (error.code, error.param, name in error.message) == ("invalid_request", "file_id", True)


@pytest.mark.parametrize("polls", [0, 1, 2], ids=["validating", "in progress", "finalizing"])
async def test_a_cancelled_batch_keeps_what_was_answered(serve: Any, polls: int) -> None:
    server = await serve()

    async with client(server.url) as api:
        batch = await begun(api, [GOOD])
        for _ in range(polls):
            await api.batches.retrieve(batch)
        seen = [await api.batches.cancel(batch), await api.batches.retrieve(batch), await api.batches.cancel(batch)]

    assert [each.status for each in seen] == ["cancelling", "cancelled", "cancelled"]
    assert seen[1].cancelled_at is not None
    assert seen[0].cancelling_at == seen[1].cancelled_at - 1
    assert (seen[1].output_file_id is not None) is (polls == 2)
    assert [fault for each in seen for fault in faults("cancelBatch", each.to_dict())] == []


@pytest.mark.parametrize(("lines", "status"), [([GOOD], "completed"), ([b"{"], "failed")])
async def test_what_has_ended_cannot_be_cancelled(serve: Any, lines: list[Any], status: str) -> None:
    server = await serve()

    async with client(server.url) as api:
        done = await ended(api, await begun(api, lines))
        with pytest.raises(openai.ConflictError, match=f"Cannot cancel a batch with status '{status}'."):
            await api.batches.cancel(done.id)


async def test_batches_are_listed_from_the_latest_on(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        made = [await begun(api, [GOOD]) for _ in range(3)]
        listed = [batch.id async for batch in api.batches.list(limit=2)]
        page = await api.batches.list(limit=2)

    assert listed == made[::-1]
    assert ([batch.id for batch in page.data], page.has_more) == (listed[:2], True)
    assert faults("listBatches", page.to_dict()) == []


async def test_output_files_expire_as_the_batch_was_asked_to(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        batch = await begun(api, [GOOD], output_expires_after={"anchor": "created_at", "seconds": 3600})
        file = await api.files.retrieve((await ended(api, batch)).output_file_id)

    assert file.expires_at == file.created_at + 3600


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"endpoint": "/v1/nothing"}, "endpoint", "invalid_value"),
        ({"completion_window": "1h"}, "completion_window", "invalid_value"),
        ({"input_file_id": openai.omit}, "input_file_id", "missing_required_parameter"),
        ({"metadata": {"tags": ["a"]}}, "metadata.tags", "invalid_type"),
        ({"output_expires_after": {"anchor": "created_at", "seconds": 1}}, "output_expires_after.seconds", None),
    ],
    ids=["endpoint", "window", "no file", "metadata", "lifetime"],
)
async def test_a_batch_that_the_api_refuses_is_refused(
    serve: Any, change: dict[str, Any], param: str, code: str | None
) -> None:
    server = await serve()
    asked: dict[str, Any] = {"input_file_id": "file-1", "endpoint": CHAT, "completion_window": "24h"}

    async with client(server.url) as api:
        with pytest.raises(openai.BadRequestError) as raised:
            await api.batches.create(**{**asked, **change})

    assert (raised.value.param, raised.value.code) == (param, code or "integer_below_min_value")


@pytest.mark.parametrize("operation", ["retrieve", "cancel"])
async def test_a_batch_that_is_not_there_is_not_found(serve: Any, operation: str) -> None:
    server = await serve()

    async with client(server.url) as api:
        with pytest.raises(openai.NotFoundError, match=r"No batch found with id 'batch_none'\."):
            await getattr(api.batches, operation)("batch_none")


async def test_sessions_have_their_own_batches_and_places_in_sequences(serve: Any, write: Any) -> None:
    directory = write(
        "turns.yaml",
        "request:\n  model: gpt-4o-mini\n  messages:\n    - role: user\n      content: Next?\n"
        "response:\n  - content: one\n  - content: two\n  - content: three\n",
    )
    server = await serve(directory, on_miss="error")
    said = []

    for session in ("ours", "theirs"):
        async with client(server.url, default_headers={"x-replay-session": session}) as api:
            done = await ended(api, await begun(api, [line("a", body("Next?")), line("b", body("Next?"))]))
            said += [each["response"]["body"] for each in await lines_in(api, done.output_file_id)]
            after = await api.chat.completions.create(**body("Next?"))
            said.append(after.to_dict())

    assert [each["choices"][0]["message"]["content"] for each in said] == ["one", "two", "three"] * 2


async def test_a_batch_gives_the_same_files_on_another_server(serve: Any) -> None:
    files = []
    for _ in range(2):
        server = await serve()
        async with client(server.url, default_headers={"x-replay-session": "s"}) as api:
            done = await ended(api, await begun(api, [GOOD, line("b", body("Name a river."))]))
            files.append((await api.files.content(done.output_file_id)).content)

    assert files[0] == files[1]
