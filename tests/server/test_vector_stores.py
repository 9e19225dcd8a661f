"""Vector stores, as the `openai` client sees them."""

from collections.abc import Mapping
from typing import Any

import openai
import pytest

from tests.described import faults
from tests.server.test_files import client

TEXTS: Mapping[str, str] = {
    "bread.md": "Knead the dough for ten minutes. Bake the bread for forty minutes in a hot oven.",
    "bank.md": "Interest rates rose again. The bank expects that borrowing will cost more next year.",
    "cats.md": "Cats purr when they are content. A kitten sleeps for most of the day.",
}


async def uploaded(api: openai.AsyncOpenAI, texts: Mapping[str, str] = TEXTS) -> list[str]:
    """The ids of files with these texts."""
    return [
        (await api.files.create(file=(name, text.encode()), purpose="assistants")).id for name, text in texts.items()
    ]


async def stocked(api: openai.AsyncOpenAI, **options: Any) -> tuple[str, list[str]]:
    """A store with the three files: its id, and theirs."""
    names = await uploaded(api)
    return (await api.vector_stores.create(file_ids=names, **options)).id, names


def counts(completed: int = 0, in_progress: int = 0, failed: int = 0, cancelled: int = 0) -> dict[str, int]:
    total = completed + in_progress + failed + cancelled
    found = {"in_progress": in_progress, "completed": completed, "failed": failed, "cancelled": cancelled}
    return {**found, "total": total}


async def test_a_store_is_ready_when_it_is_next_asked_for(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        names = await uploaded(api)
        made = await api.vector_stores.create(name="Manuals", file_ids=names, metadata={"team": "docs"})
        found = await api.vector_stores.retrieve(made.id)

    assert (made.id[:3], len(made.id)) == ("vs_", 35)
    assert made.to_dict() == {
        "id": made.id,
        "object": "vector_store",
        "created_at": 1_700_000_000,
        "last_active_at": 1_700_000_000,
        "name": "Manuals",
        "metadata": {"team": "docs"},
        "expires_at": None,
        "status": "in_progress",
        "usage_bytes": 0,
        "file_counts": counts(in_progress=3),
    }
    assert (found.status, found.file_counts.to_dict(), found.usage_bytes > 0) == ("completed", counts(3), True)
    assert faults("createVectorStore", made.to_dict()) + faults("getVectorStore", found.to_dict()) == []


async def test_a_store_is_changed_and_deleted(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        store, names = await stocked(api, expires_after={"anchor": "last_active_at", "days": 2})
        first = await api.vector_stores.retrieve(store)
        changed = await api.vector_stores.update(store, name="B", metadata={"a": "b"}, expires_after=None)
        deleted = await api.vector_stores.delete(store)
        with pytest.raises(openai.NotFoundError, match=f"No vector store found with id '{store}'"):
            await api.vector_stores.retrieve(store)
        file = await api.files.retrieve(names[0])

    assert first.expires_at == first.created_at + 2 * 86_400
    assert (changed.name, changed.metadata, changed.expires_at, changed.expires_after) == ("B", {"a": "b"}, None, None)
    assert deleted.to_dict() == {"id": store, "object": "vector_store.deleted", "deleted": True}
    assert file.id == names[0]
    assert faults("modifyVectorStore", changed.to_dict()) + faults("deleteVectorStore", deleted.to_dict()) == []


async def test_stores_are_listed_in_pages(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        made = [(await api.vector_stores.create(name=str(number))).id for number in range(4)]
        everything = [store.id async for store in api.vector_stores.list(limit=1)]
        page = await api.vector_stores.list(order="asc", after=made[0], before=made[3])

    assert everything == made[::-1]
    assert ([store.id for store in page.data], page.has_more) == (made[1:3], False)
    assert faults("listVectorStores", page.to_dict()) == []


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("How long should I bake bread?", "bread.md"),
        ("What happens to interest rates?", "bank.md"),
        ("Why do cats purr?", "cats.md"),
        ("kittens sleeping", "cats.md"),
        (["borrowing", "money"], "bank.md"),
    ],
)
async def test_a_search_finds_the_file_that_the_question_is_about(serve: Any, question: Any, name: str) -> None:
    server = await serve()

    async with client(server.url) as api:
        store, _ = await stocked(api)
        found = await api.vector_stores.search(store, query=question)

    assert (found.data[0].filename, found.data[0].content[0].text) == (name, TEXTS[name])
    assert [result.score for result in found.data] == sorted((each.score for each in found.data), reverse=True)
    assert all(0 <= result.score <= 1 for result in found.data)


async def test_a_page_of_results_is_as_the_api_describes_it(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        store, names = await stocked(api)
        await api.vector_stores.files.update(names[0], vector_store_id=store, attributes={"year": 2024, "ok": True})
        raw = await api.vector_stores.with_raw_response.search(store, query="bake bread", max_num_results=1)

    page: Any = raw.http_response.json()
    score = page["data"][0]["score"]
    content = [{"type": "text", "text": TEXTS["bread.md"]}]
    result = {"file_id": names[0], "filename": "bread.md", "score": score, "attributes": {"year": 2024, "ok": True}}
    assert page == {
        "object": "vector_store.search_results.page",
        "search_query": ["bake bread"],
        "data": [{**result, "content": content}],
        "has_more": False,
        "next_page": None,
    }
    assert faults("searchVectorStore", page) == []


async def test_results_that_are_too_far_are_left_out(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        store, _ = await stocked(api)
        everything = (await api.vector_stores.search(store, query="bake bread")).data
        least = everything[0].score
        options: Any = {"score_threshold": least}
        near = (await api.vector_stores.search(store, query="bake bread", ranking_options=options)).data
        no_words: Any = {"ranker": "none"}
        by_vector = (await api.vector_stores.search(store, query="bake bread", ranking_options=no_words)).data

    assert (len(everything), near) == (3, everything[:1])
    assert by_vector[0].filename == "bread.md"
    assert by_vector[0].score != least


def compare(kind: str, key: str, value: Any) -> dict[str, Any]:
    return {"type": kind, "key": key, "value": value}


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (compare("eq", "n", 1), [1]),
        (compare("eq", "even", True), [0, 2]),
        (compare("eq", "even", 1), []),
        (compare("ne", "n", 1), [0, 2]),
        (compare("ne", "none", 1), [0, 1, 2]),
        (compare("gt", "n", 1), [2]),
        (compare("gte", "n", 1), [1, 2]),
        (compare("lt", "n", 1), [0]),
        (compare("lte", "n", 1.0), [0, 1]),
        (compare("gt", "name", 1), []),
        (compare("in", "name", ["0", "2"]), [0, 2]),
        (compare("nin", "n", [0, 2]), [1]),
        ({"type": "and", "filters": [compare("gt", "n", 0), compare("eq", "even", True)]}, [2]),
        ({"type": "or", "filters": [compare("eq", "n", 0), compare("eq", "name", "1")]}, [0, 1]),
        (
            {"type": "or", "filters": [{"type": "and", "filters": [compare("gt", "n", 1)]}, compare("lt", "n", 1)]},
            [0, 2],
        ),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
async def test_filters_choose_by_attributes(serve: Any, wanted: Any, numbers: list[int]) -> None:
    server = await serve()

    async with client(server.url) as api:
        store = (await api.vector_stores.create()).id
        for number, file in enumerate(await uploaded(api)):
            about: Any = {"n": number, "name": str(number), "even": number % 2 == 0}
            await api.vector_stores.files.create(store, file_id=file, attributes=about)
        found = await api.vector_stores.search(store, query="anything", filters=wanted)

    assert sorted(result.attributes["n"] for result in found.data if result.attributes) == numbers


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"query": openai.omit}, "query"),
        ({"max_num_results": 51}, "max_num_results"),
        ({"filters": {"type": "eq", "key": "a"}}, "filters.value"),
        ({"filters": {"type": "and", "filters": [{"type": "is"}]}}, "filters.filters[0].type"),
        ({"ranking_options": {"score_threshold": 2}}, "ranking_options.score_threshold"),
    ],
    ids=["no query", "too many", "half a filter", "another filter within", "threshold"],
)
async def test_a_search_that_the_api_refuses_is_refused(serve: Any, change: dict[str, Any], param: str) -> None:
    server = await serve()

    async with client(server.url) as api:
        store = (await api.vector_stores.create()).id
        with pytest.raises(openai.BadRequestError) as raised:
            await api.vector_stores.search(store, **{"query": "a", **change})

    assert raised.value.param == param


# Files ---------------------------------------------------------------------------------------------------------------


async def test_a_file_is_put_in_looked_at_and_taken_out(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        store = (await api.vector_stores.create()).id
        name, *_ = await uploaded(api)
        made = await api.vector_stores.files.create(store, file_id=name, attributes={"a": "b"})
        found = await api.vector_stores.files.retrieve(name, vector_store_id=store)
        text = await api.vector_stores.files.with_raw_response.content(name, vector_store_id=store)
        deleted = await api.vector_stores.files.delete(name, vector_store_id=store)
        left = await api.vector_stores.retrieve(store)

    assert made.to_dict() == {
        "id": name,
        "object": "vector_store.file",
        "usage_bytes": 0,
        "created_at": 1_700_000_000,
        "vector_store_id": store,
        "status": "in_progress",
        "last_error": None,
        "chunking_strategy": {
            "type": "static",
            "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400},
        },
        "attributes": {"a": "b"},
    }
    assert (found.status, found.usage_bytes > 0) == ("completed", True)
    page: Any = text.http_response.json()
    assert page["data"] == [{"type": "text", "text": TEXTS["bread.md"]}]
    assert deleted.to_dict() == {"id": name, "object": "vector_store.file.deleted", "deleted": True}
    assert (left.file_counts.to_dict(), left.usage_bytes) == (counts(), 0)
    told = {"createVectorStoreFile": made.to_dict(), "getVectorStoreFile": found.to_dict()}
    told |= {"retrieveVectorStoreFileContent": page, "deleteVectorStoreFile": deleted.to_dict()}
    assert [fault for operation, answer in told.items() for fault in faults(operation, answer)] == []


async def test_the_clients_helpers_wait_for_files(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        store = (await api.vector_stores.create()).id
        one = await api.vector_stores.files.upload_and_poll(vector_store_id=store, file=("a.txt", b"one"))
        many = await api.vector_stores.file_batches.upload_and_poll(
            vector_store_id=store, files=[("b.txt", b"two"), ("c.txt", b"three")]
        )

    assert (one.status, many.status, many.file_counts.to_dict()) == ("completed", "completed", counts(2))


async def test_files_are_listed_by_status(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        store, names = await stocked(api)
        odd: Any = "odd"
        (empty,) = await uploaded(api, {"empty.txt": " "})
        await api.vector_stores.files.create(store, file_id=empty)
        everything = [file.id async for file in api.vector_stores.files.list(store, limit=1, order="asc")]
        failed = await api.vector_stores.files.list(store, filter="failed")
        with pytest.raises(openai.BadRequestError, match="Supported values are"):
            await api.vector_stores.files.list(store, filter=odd)

    assert everything == [*names, empty]
    (file,) = failed.data
    assert (file.id, file.status, file.last_error and file.last_error.code) == (empty, "failed", "invalid_file")
    assert faults("listVectorStoreFiles", failed.to_dict()) == []


async def test_a_file_that_is_deleted_before_it_is_looked_at_fails(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        store, names = await stocked(api)
        await api.files.delete(names[0])
        found = await api.vector_stores.retrieve(store)

    assert found.file_counts.to_dict() == counts(completed=2, failed=1)


async def test_a_long_file_is_cut_into_pieces_that_overlap(serve: Any) -> None:
    words = " ".join(f"word{number:04}" for number in range(1000))
    strategy: Any = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}}
    server = await serve()

    async with client(server.url) as api:
        (file,) = await uploaded(api, {"long.txt": words})
        made = await api.vector_stores.create(file_ids=[file], chunking_strategy=strategy)
        found = await api.vector_stores.search(made.id, query="word0500", max_num_results=2)
        others = await api.vector_stores.search(made.id, query="word", max_num_results=50)

    first, second = (result.content[0].text.split() for result in found.data)
    assert "word0500" in set(first) & set(second)
    assert len(set(first) & set(second)) == len(first) // 2
    assert len(others.data) > 20


@pytest.mark.parametrize(
    ("static", "param"),
    [
        ({"max_chunk_size_tokens": 99, "chunk_overlap_tokens": 0}, "max_chunk_size_tokens"),
        ({"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 51}, "chunk_overlap_tokens"),
        ({"max_chunk_size_tokens": 100, "chunk_overlap_tokens": -1}, "chunk_overlap_tokens"),
        ({"max_chunk_size_tokens": 100}, "chunk_overlap_tokens"),
    ],
    ids=["small", "much overlap", "negative overlap", "no overlap"],
)
async def test_pieces_that_the_api_refuses_are_refused(serve: Any, static: Any, param: str) -> None:
    server = await serve()

    async with client(server.url) as api:
        store, (file, *_) = await stocked(api)
        with pytest.raises(openai.BadRequestError) as raised:
            await api.vector_stores.files.create(
                store, file_id=file, chunking_strategy={"type": "static", "static": static}
            )

    assert raised.value.param == f"chunking_strategy.static.{param}"


async def test_a_store_with_a_file_that_is_not_there_is_not_made(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        names = await uploaded(api)
        with pytest.raises(openai.NotFoundError, match="No such File object: file-none") as raised:
            await api.vector_stores.create(file_ids=[*names, "file-none"])
        left = [store async for store in api.vector_stores.list()]

    assert (raised.value.param, left) == ("file_ids", [])


@pytest.mark.parametrize("operation", ["retrieve", "delete", "content"])
async def test_a_file_that_is_in_no_store_is_not_found_there(serve: Any, operation: str) -> None:
    server = await serve()

    async with client(server.url) as api:
        store = (await api.vector_stores.create()).id
        name, *_ = await uploaded(api)
        with pytest.raises(openai.NotFoundError, match=f"No file found with id '{name}' in vector store '{store}'"):
            await getattr(api.vector_stores.files, operation)(name, vector_store_id=store)


async def test_a_file_that_is_no_text_is_searched_by_what_can_be_read(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        content = b"%PDF-1.4\n\xff\xfe\x00\x01 The quarterly report \x80\x81"
        file = await api.files.create(file=("report.pdf", content), purpose="assistants")
        store = await api.vector_stores.create(file_ids=[file.id])
        found = await api.vector_stores.search(store.id, query="quarterly report")

    assert [(result.filename, "quarterly report" in result.content[0].text) for result in found.data] == [
        ("report.pdf", True)
    ]


# Batches -------------------------------------------------------------------------------------------------------------


async def test_files_are_put_in_together_each_with_its_attributes(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        store = (await api.vector_stores.create()).id
        first, second, third = await uploaded(api)
        made = await api.vector_stores.file_batches.create(
            store, files=[{"file_id": first, "attributes": {"n": 1}}, {"file_id": second}]
        )
        found = await api.vector_stores.file_batches.retrieve(made.id, vector_store_id=store)
        await api.vector_stores.files.create(store, file_id=third)
        listed = await api.vector_stores.file_batches.list_files(made.id, vector_store_id=store, order="asc")

    assert (made.id[:5], len(made.id), made.status, made.file_counts.to_dict()) == (
        *("vsfb_", 37, "in_progress"),
        counts(in_progress=2),
    )
    assert (found.status, found.file_counts.to_dict()) == ("completed", counts(2))
    assert [(file.id, file.attributes) for file in listed.data] == [(first, {"n": 1}), (second, {})]
    told = {"createVectorStoreFileBatch": made, "getVectorStoreFileBatch": found, "listFilesInVectorStoreBatch": listed}
    assert [fault for operation, answer in told.items() for fault in faults(operation, answer.to_dict())] == []


async def test_a_cancelled_batch_leaves_its_files_alone(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        store = (await api.vector_stores.create()).id
        made = await api.vector_stores.file_batches.create(store, file_ids=await uploaded(api))
        cancelled = await api.vector_stores.file_batches.cancel(made.id, vector_store_id=store)
        found = await api.vector_stores.search(store, query="bread")

    assert (cancelled.status, cancelled.file_counts.to_dict(), found.data) == ("cancelled", counts(cancelled=3), [])
    assert faults("cancelVectorStoreFileBatch", cancelled.to_dict()) == []


async def test_a_batch_that_is_done_stays_so_when_it_is_cancelled(serve: Any) -> None:
    server = await serve()

    async with client(server.url) as api:
        store = (await api.vector_stores.create()).id
        made = await api.vector_stores.file_batches.create(store, file_ids=await uploaded(api))
        await api.vector_stores.file_batches.retrieve(made.id, vector_store_id=store)
        cancelled = await api.vector_stores.file_batches.cancel(made.id, vector_store_id=store)

    assert cancelled.status == "completed"


@pytest.mark.parametrize("asked", [{}, {"file_ids": []}], ids=["nothing", "none"])
async def test_a_batch_of_no_files_is_refused(serve: Any, asked: dict[str, Any]) -> None:
    server = await serve()

    async with client(server.url) as api:
        store = (await api.vector_stores.create()).id
        with pytest.raises(openai.BadRequestError) as raised:
            await api.vector_stores.file_batches.create(store, **asked)
        with pytest.raises(openai.NotFoundError):
            await api.vector_stores.file_batches.retrieve("vsfb_none", vector_store_id=store)

    assert raised.value.param == "file_ids"


async def test_sessions_have_their_own_stores(serve: Any) -> None:
    server = await serve()

    async with (
        client(server.url, default_headers={"x-replay-session": "ours"}) as ours,
        client(server.url, default_headers={"x-replay-session": "theirs"}) as theirs,
    ):
        store, _ = await stocked(ours)
        with pytest.raises(openai.NotFoundError):
            await theirs.vector_stores.search(store, query="bread")


async def test_a_search_gives_the_same_answer_on_another_server(serve: Any) -> None:
    answers = []
    for _ in range(2):
        server = await serve()
        async with client(server.url, default_headers={"x-replay-session": "s"}) as api:
            store, _ = await stocked(api)
            found = await api.vector_stores.with_raw_response.search(store, query="When does the bank open?")
            answers.append(found.content)

    assert answers[0] == answers[1]
