"""Files, as the `openai` client sees them."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.described import faults

LINES = b'{"messages": []}\n'


def client(url: str, **options: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        base_url=f"{url}/v1", api_key="any", max_retries=0, _strict_response_validation=True, **options
    )


async def post_form(url: str, body: bytes, content_type: str = "multipart/form-data; boundary=b") -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url}/v1/files", data=body, headers={"content-type": content_type}) as response,
    ):
        return response.status, (await response.json()).get("error")


def part(name: str, text: str, more: str = "") -> bytes:
    return f'--b\r\ncontent-disposition: form-data; name="{name}"{more}\r\n\r\n{text}\r\n'.encode()


FILE = part("file", "{}", '; filename="a.jsonl"')
PURPOSE = part("purpose", "batch")
END = b"--b--\r\n"


async def test_a_file_is_described_and_given_back_byte_for_byte(serve: Any) -> None:
    content = bytes(range(256)) * 40
    server = await serve()

    async with client(server.url) as api:
        made = await api.files.create(file=("photo ü.png", content), purpose="vision")
        found = await api.files.retrieve(made.id)
        given_back = await api.files.content(made.id)

    assert made.to_dict() == {
        "object": "file",
        "id": made.id,
        "purpose": "vision",
        "filename": "photo ü.png",
        "bytes": 10240,
        "created_at": 1_700_000_000,
        "status": "processed",
    }
    assert (made.id[:5], len(made.id)) == ("file-", 27)
    assert (found, given_back.content, faults("createFile", made.to_dict())) == (made, content, [])
    assert given_back.response.headers["content-type"] == "application/octet-stream"
    assert given_back.response.headers["content-disposition"] == "attachment; filename*=UTF-8''photo%20%C3%BC.png"
    assert given_back.response.headers["x-replay-source"] == "state"


async def test_files_are_listed_in_pages_by_purpose(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        for number in range(4):
            await api.files.create(file=(f"{number}.jsonl", LINES), purpose="fine-tune" if number % 2 else "batch")
        names = [file.filename async for file in api.files.list(limit=1)]
        tuned = await api.files.list(purpose="fine-tune", order="asc")
        first = await api.files.list(limit=3)

    assert names == ["3.jsonl", "2.jsonl", "1.jsonl", "0.jsonl"]
    assert ([file.filename for file in tuned.data], tuned.has_more) == (["1.jsonl", "3.jsonl"], False)
    assert ([file.filename for file in first.data], first.has_more) == (names[:3], True)
    assert faults("listFiles", first.to_dict()) == []


async def test_a_deleted_file_is_gone(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        made = await api.files.create(file=("a.txt", b"a"), purpose="user_data")
        deleted = await api.files.delete(made.id)
        with pytest.raises(openai.NotFoundError):
            await api.files.retrieve(made.id)
        left = [file async for file in api.files.list()]

    assert deleted.to_dict() == {"object": "file", "id": made.id, "deleted": True}
    assert (left, faults("deleteFile", deleted.to_dict())) == ([], [])


@pytest.mark.parametrize(
    ("purpose", "asked", "seconds"),
    [("batch", None, 2_592_000), ("batch", 3600, 3600), ("assistants", 7200, 7200), ("assistants", None, None)],
    ids=["a batch's own", "a batch", "asked", "never"],
)
async def test_a_file_expires_when_it_was_asked_to(
    serve: Any, purpose: Any, asked: int | None, seconds: int | None
) -> None:
    options: Any = {} if asked is None else {"expires_after": {"anchor": "created_at", "seconds": asked}}
    server = await serve()

    async with client(server.url) as api:
        made = await api.files.create(file=("a.jsonl", LINES), purpose=purpose, **options)

    assert made.expires_at == (None if seconds is None else made.created_at + seconds)


@pytest.mark.parametrize("operation", ["retrieve", "delete", "content"])
async def test_a_file_that_is_not_there_is_not_found(serve: Any, operation: str) -> None:
    server = await serve()

    async with client(server.url) as api:
        with pytest.raises(openai.NotFoundError) as raised:
            await getattr(api.files, operation)("file-nope")

    assert raised.value.body == {
        "message": "No such File object: file-nope",
        "type": "invalid_request_error",
        "param": "id",
        "code": None,
    }


_PURPOSES = "['fine-tune', 'assistants', 'batch', 'user_data', 'vision', 'evals']"


@pytest.mark.parametrize(
    ("body", "message", "param", "code"),
    [
        (PURPOSE + END, "'file' is a required property", None, None),
        (part("file", "text") + PURPOSE + END, "'file' is a required property", None, None),
        (FILE + END, "'purpose' is a required property", None, None),
        (FILE + part("purpose", "fun") + END, f"'fun' is not one of {_PURPOSES} - 'purpose'", "purpose", None),
        (FILE + PURPOSE, "Could not parse multipart form", None, None),
        (FILE[:60], "Could not parse multipart form", None, None),
        (b"", "Could not parse multipart form", None, None),
        (
            FILE + PURPOSE + part("expires_after[anchor]", "created_at") + END,
            "Missing required parameter: 'expires_after.seconds'.",
            "expires_after.seconds",
            "missing_required_parameter",
        ),
        (
            FILE + PURPOSE + part("expires_after[anchor]", "created_at") + part("expires_after[seconds]", "1") + END,
            "Invalid 'expires_after.seconds': integer below minimum value."
            " Expected a value >= 3600, but got 1 instead.",
            "expires_after.seconds",
            "integer_below_min_value",
        ),
        (FILE + PURPOSE + part("colour", "red") + END, "Unknown parameter: 'colour'.", "colour", "unknown_parameter"),
        (
            part("file", "{}", '; filename="a.txt"') + PURPOSE + END,
            "Invalid file format for Batch API. Must be .jsonl",
            None,
            None,
        ),
    ],
    ids=[
        "no file",
        "a text for a file",
        "no purpose",
        "another purpose",
        "cut short at the end",
        "cut short within",
        "nothing",
        "half a lifetime",
        "a short lifetime",
        "unknown",
        "no lines",
    ],
)
async def test_an_upload_that_the_api_refuses_is_not_kept(
    serve: Any, body: bytes, message: str, param: str | None, code: str | None
) -> None:
    server = await serve()

    answer = await post_form(server.url, body)
    async with client(server.url) as api:
        left = [file async for file in api.files.list()]

    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    assert (answer, left) == ((400, error), [])


async def test_a_body_that_is_no_form_is_refused(serve: Any) -> None:
    server = await serve()

    status, error = await post_form(server.url, b'{"purpose": "batch"}', "application/json")

    assert (status, error["message"]) == (400, "Could not parse multipart form")


async def test_sessions_keep_their_own_files(serve: Any) -> None:
    server = await serve()
    ours = client(server.url, default_headers={"x-replay-session": "ours"})
    theirs = client(server.url, default_headers={"x-replay-session": "theirs"})

    async with ours, theirs:
        made = [await api.files.create(file=("a.txt", b"a"), purpose="user_data") for api in (ours, theirs, ours)]
        with pytest.raises(openai.NotFoundError):
            await theirs.files.content(made[0].id)

    assert len({file.id for file in made}) == 3


async def test_the_same_session_gives_the_same_answers_on_another_server(serve: Any) -> None:
    answers = []
    for _ in range(2):
        server = await serve()
        async with client(server.url, default_headers={"x-replay-session": "s"}) as api:
            made = [await api.files.create(file=("a.txt", text), purpose="user_data") for text in (b"a", b"b")]
            answers.append([(await api.files.with_raw_response.retrieve(file.id)).content for file in made])

    assert answers[0] == answers[1]


async def test_a_request_that_names_a_file_is_known_again_in_another_session_by_what_is_in_it(serve: Any) -> None:
    server = await serve()

    async def key(session: str, content: bytes) -> str:
        async with client(server.url, default_headers={"x-replay-session": session}) as api:
            made = await api.files.create(file=("a.pdf", content), purpose="user_data")
            parts: Any = [{"type": "file", "file": {"file_id": made.id}}, {"type": "text", "text": "Sum up."}]
            answer = await api.chat.completions.with_raw_response.create(
                model="gpt-4o", messages=[{"role": "user", "content": parts}]
            )
            return answer.headers["x-replay-key"]

    one, same, other = await asyncio.gather(key("one", b"%PDF 1"), key("two", b"%PDF 1"), key("three", b"%PDF 2"))

    assert one == same
    assert one != other


async def test_a_recorded_upload_is_replayed(serve: Any, write: Any) -> None:
    answer = '{"id":"file-recorded","object":"file"}'
    directory: Path = write(
        "a.yaml",
        "endpoint: POST /files\nrequest:\n  form:\n    - name: purpose\n      value: batch\n    - name: file\n"
        "      filename: a.jsonl\n      value: '{}'\nresponse:\n  body:\n    id: file-recorded\n    object: file\n",
    )
    server = await serve(directory, on_miss="error")

    async with (
        aiohttp.ClientSession() as http,
        http.post(
            f"{server.url}/v1/files",
            data=PURPOSE + FILE + END,
            headers={"content-type": "multipart/form-data; boundary=b"},
        ) as response,
    ):
        assert (response.headers["x-replay-source"], await response.text()) == ("cassette", answer)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200), name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
async def test_any_bytes_under_any_name_come_back(serve: Any, content: bytes, name: str) -> None:
    server = await serve()

    async with client(server.url) as api:
        made = await api.files.create(file=(name, content), purpose="user_data")
        given_back = await api.files.content(made.id)

    assert (given_back.content, faults("createFile", made.to_dict())) == (content, [])
