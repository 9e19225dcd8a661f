"""Uploads in parts, as the `openai` client sees them."""

import hashlib
from typing import Any

import openai
import pytest

from tests.described import faults
from tests.server.test_files import client

TEXT = b"first and second"
ASKED: Any = {"filename": "a.txt", "purpose": "user_data", "bytes": len(TEXT), "mime_type": "text/plain"}


async def begun(api: openai.AsyncOpenAI, *parts: bytes) -> tuple[str, list[str]]:
    """An upload with these parts: its id, and theirs."""
    upload = await api.uploads.create(**ASKED)
    return upload.id, [(await api.uploads.parts.create(upload.id, data=part)).id for part in parts]


async def test_an_upload_waits_for_its_parts(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        upload = await api.uploads.create(**ASKED)
        part = await api.uploads.parts.create(upload.id, data=b"first")

    assert upload.to_dict() == {
        "id": upload.id,
        "object": "upload",
        "bytes": 16,
        "created_at": 1_700_000_000,
        "filename": "a.txt",
        "purpose": "user_data",
        "status": "pending",
        "expires_at": 1_700_003_600,
        "file": None,
    }
    assert part.to_dict() == {
        "id": part.id,
        "object": "upload.part",
        "created_at": 1_700_000_000,
        "upload_id": upload.id,
    }
    assert [upload.id[:7], len(upload.id), part.id[:5], len(part.id)] == ["upload_", 39, "part_", 37]
    assert faults("createUpload", upload.to_dict()) + faults("addUploadPart", part.to_dict()) == []


async def test_the_file_of_an_upload_has_its_parts_in_the_order_that_was_given(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        upload, (last, first) = await begun(api, b" second", b"first and")
        done = await api.uploads.complete(upload, part_ids=[first, last], md5=hashlib.md5(TEXT).hexdigest())
        assert done.file is not None
        content = (await api.files.content(done.file.id)).content
        listed = [file async for file in api.files.list()]

    assert (done.status, content, listed) == ("completed", TEXT, [done.file])
    assert (done.file.filename, done.file.purpose, done.file.bytes) == ("a.txt", "user_data", 16)
    assert faults("completeUpload", done.to_dict()) == []


async def test_the_client_uploads_a_file_in_chunks(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        done = await api.uploads.upload_file_chunked(
            file=TEXT, filename="a.txt", bytes=len(TEXT), mime_type="text/plain", purpose="user_data", part_size=5
        )
        assert done.file is not None
        content = (await api.files.content(done.file.id)).content

    assert content == TEXT


async def test_the_file_of_an_upload_expires_as_the_upload_said(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        upload = await api.uploads.create(**ASKED, expires_after={"anchor": "created_at", "seconds": 3600})
        part = await api.uploads.parts.create(upload.id, data=TEXT)
        done = await api.uploads.complete(upload.id, part_ids=[part.id])

    assert done.file is not None
    assert done.file.expires_at == done.file.created_at + 3600


async def test_a_cancelled_upload_says_so(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        upload, _ = await begun(api, TEXT)
        cancelled = await api.uploads.cancel(upload)

    assert (cancelled.status, cancelled.file) == ("cancelled", None)
    assert faults("cancelUpload", cancelled.to_dict()) == []


@pytest.mark.parametrize(("end", "status"), [("complete", "completed"), ("cancel", "cancelled")])
@pytest.mark.parametrize(
    ("operation", "does"), [("parts", "add a part to"), ("complete", "complete"), ("cancel", "cancel")]
)
async def test_an_upload_ends_once(serve: Any, end: str, status: str, operation: str, does: str) -> None:
    server = await serve()

    async with client(server.url) as api:
        upload, parts = await begun(api, TEXT)
        again = {
            "parts": lambda: api.uploads.parts.create(upload, data=b"more"),
            "complete": lambda: api.uploads.complete(upload, part_ids=parts),
            "cancel": lambda: api.uploads.cancel(upload),
        }
        ended = await again[end]()
        with pytest.raises(openai.BadRequestError, match=f"Cannot {does} an upload with status '{status}'"):
            await again[operation]()
        files = [file async for file in api.files.list()]

    assert len(files) == (ended.file is not None)


@pytest.mark.parametrize(
    ("part_ids", "md5", "param", "status"),
    [
        (["mine"], None, "part_ids", 400),
        (["mine", "mine", "mine"], None, "part_ids", 400),
        ([], None, "part_ids", 400),
        (["mine", "another"], None, "part_ids", 404),
        (["part_none"], None, "part_ids", 404),
        (["mine", "rest"], "0" * 32, "md5", 400),
    ],
    ids=["too few bytes", "too many bytes", "none", "another's part", "unknown part", "another MD5"],
)
async def test_an_upload_that_cannot_be_completed_stays_pending(
    serve: Any, part_ids: list[str], md5: Any, param: str, status: int
) -> None:
    server = await serve()

    async with client(server.url) as api:
        _, (another,) = await begun(api, b" second")
        upload, (mine, rest) = await begun(api, b"first and", b" second")
        named = {"mine": mine, "rest": rest, "another": another}
        with pytest.raises(openai.APIStatusError) as raised:
            await api.uploads.complete(
                upload, part_ids=[named.get(part, part) for part in part_ids], md5=md5 or openai.omit
            )
        files = [file async for file in api.files.list()]
        done = await api.uploads.complete(upload, part_ids=[mine, rest])

    assert (raised.value.status_code, raised.value.param, files, done.status) == (status, param, [], "completed")


@pytest.mark.parametrize("operation", ["parts", "complete", "cancel"])
async def test_an_upload_that_is_not_there_is_not_found(serve: Any, operation: str) -> None:
    server = await serve()

    async with client(server.url) as api:
        ask: dict[str, Any] = {
            "parts": lambda: api.uploads.parts.create("upload_none", data=b"more"),
            "complete": lambda: api.uploads.complete("upload_none", part_ids=[]),
            "cancel": lambda: api.uploads.cancel("upload_none"),
        }
        with pytest.raises(openai.NotFoundError, match="No such Upload object: upload_none") as raised:
            await ask[operation]()

    assert raised.value.param == "id"


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"bytes": "many"}, "bytes", "invalid_type"),
        ({"bytes": 8 * 1024**3 + 1}, "bytes", "integer_above_max_value"),
        ({"purpose": "fun"}, "purpose", "invalid_value"),
        ({"filename": openai.omit}, "filename", "missing_required_parameter"),
        ({"expires_after": {"anchor": "never", "seconds": 3600}}, "expires_after.anchor", "invalid_value"),
    ],
    ids=["bytes", "too many bytes", "purpose", "filename", "anchor"],
)
async def test_an_upload_that_the_api_refuses_is_refused(
    serve: Any, change: dict[str, Any], param: str, code: str
) -> None:
    server = await serve()

    async with client(server.url) as api:
        with pytest.raises(openai.BadRequestError) as raised:
            await api.uploads.create(**{**ASKED, **change})

    assert (raised.value.param, raised.value.code) == (param, code)


async def test_sessions_have_their_own_uploads(serve: Any) -> None:
    server = await serve()

    async with (
        client(server.url, default_headers={"x-replay-session": "ours"}) as ours,
        client(server.url, default_headers={"x-replay-session": "theirs"}) as theirs,
    ):
        upload, _ = await begun(ours, TEXT)
        with pytest.raises(openai.NotFoundError):
            await theirs.uploads.cancel(upload)
