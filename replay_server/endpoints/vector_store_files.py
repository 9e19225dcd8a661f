"""Files in a vector store. Wire facts: OpenAI's API description 2.3.0.

A file that is put into a store is `in_progress` in that answer, as on the live API, and is looked at when the store or
its files are next asked for: then it is `completed`, or `failed`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import cast

from replay_server.endpoints.base import Route
from replay_server.endpoints.description import request_schema
from replay_server.endpoints.kept_files import FILE
from replay_server.endpoints.objects import Kept
from replay_server.endpoints.openai import json_response
from replay_server.endpoints.operation import Call, Operation, page
from replay_server.endpoints.refusals import unsupported
from replay_server.endpoints.validation import check
from replay_server.endpoints.vector_store_index import Indexed, indexed
from replay_server.errors import BadRequest
from replay_server.interaction import Json, JsonObject, WireResponse

STORE = "vector_store"
STATUSES = ("in_progress", "completed", "failed", "cancelled")

_PATH = "/vector_stores/{vector_store_id}/files"
_ONE = f"{_PATH}/{{file_id}}"
_AUTO: JsonObject = {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}  # the live API's `auto`


async def found_store(call: Call) -> Kept:
    """The store that the path names. Raises NotFound."""
    wanted = call.parameters["vector_store_id"]
    return await call.found(STORE, wanted, f"No vector store found with id '{wanted}'.")


async def files_of(call: Call, store: str) -> Sequence[Kept]:
    """The files in a store, in the order in which they came."""
    return await call.objects.all(_kind(store))


def _kind(store: str) -> str:
    return f"vector_store.file {store}"


def counted(files: Iterable[Kept]) -> dict[str, Json]:
    """The `file_counts` of files."""
    counts = Counter(str(file.value["status"]) for file in files)
    return {**{status: counts[status] for status in STATUSES}, "total": counts.total()}


# Putting in, and taking out ------------------------------------------------------------------------------------------


async def check_files(call: Call, asked: Sequence[JsonObject], path: str) -> None:
    """Raise ApiError where one of them cannot be put in: before any is."""
    for each in asked:
        wanted = str(each["file_id"])
        await call.found(FILE, wanted, f"No such File object: {wanted}", path)
        _chunking(each)


async def put_in(call: Call, store: str, asked: Sequence[JsonObject]) -> list[Kept]:
    """Put files into a store: each is `{file_id, attributes, chunking_strategy}`. `check_files` has looked at them."""
    return [await _put_in(call, store, each) for each in asked]


async def _put_in(call: Call, store: str, asked: JsonObject) -> Kept:
    value: dict[str, Json] = {
        "id": asked["file_id"],
        "object": "vector_store.file",
        "usage_bytes": 0,
        "created_at": (await call.new("vector_store.file")).created,
        "vector_store_id": store,
        "status": "in_progress",
        "last_error": None,
        "chunking_strategy": {"type": "static", "static": dict(_chunking(asked))},
        "attributes": asked.get("attributes") or {},
    }
    kept = Kept(str(value["id"]), value)
    await call.objects.remove(_kind(store), kept.id)  # one that is put in again is the latest
    await call.objects.put(_kind(store), kept)
    return kept


def _chunking(asked: JsonObject) -> JsonObject:
    strategy = asked.get("chunking_strategy")
    static = strategy.get("static") if isinstance(strategy, dict) else None
    if not isinstance(static, dict):
        return _AUTO
    most, overlap = static["max_chunk_size_tokens"], static["chunk_overlap_tokens"]
    if 2 * cast("int", overlap) > cast("int", most):
        raise BadRequest(
            f"Invalid 'chunking_strategy.static.chunk_overlap_tokens': {overlap} is more than half of"
            f" max_chunk_size_tokens, which is {most}.",
            param="chunking_strategy.static.chunk_overlap_tokens",
            code="invalid_value",
        )
    return static


async def settle(call: Call, store: str) -> None:
    """Look at the files that have been put into a store since it was last asked for."""
    for kept in await files_of(call, store):
        if kept.value["status"] == "in_progress":
            await call.objects.put(_kind(store), await _looked_at(call, kept))


async def _looked_at(call: Call, kept: Kept) -> Kept:
    file = await call.objects.get(FILE, kept.id)
    if file is None:
        return _failed(kept, "The file was deleted before it was looked at.")
    strategy = cast("JsonObject", kept.value["chunking_strategy"])
    made = indexed(call, str(file.value["filename"]), file.content, cast("JsonObject", strategy["static"]))
    if not made.text.strip():
        return _failed(kept, "The file has no text.")
    content = made.written
    return kept._replace(value={**kept.value, "status": "completed", "usage_bytes": len(content)}, content=content)


def _failed(kept: Kept, message: str) -> Kept:
    error: Json = {"code": "invalid_file", "message": message}
    return kept._replace(value={**kept.value, "status": "failed", "last_error": error})


async def cancel_files(call: Call, store: str, names: Iterable[str]) -> None:
    """Leave those of the files alone that nobody has looked at yet."""
    for name in names:
        kept = await call.objects.get(_kind(store), name)
        if kept is not None and kept.value["status"] == "in_progress":
            await call.objects.put(_kind(store), kept._replace(value={**kept.value, "status": "cancelled"}))


async def forget_files(call: Call, store: str) -> None:
    """Forget all that a store holds. The files themselves stay."""
    for kept in await files_of(call, store):
        await call.objects.remove(_kind(store), kept.id)


# Operations ----------------------------------------------------------------------------------------------------------


async def _create(call: Call) -> WireResponse:
    store = await found_store(call)
    asked = call.json()
    check(asked, request_schema("createVectorStoreFile"))
    await check_files(call, [asked], "file_id")
    (kept,) = await put_in(call, store.id, [asked])
    return json_response(kept.value, call.stamp)


async def _list(call: Call) -> WireResponse:
    store = await found_store(call)
    await settle(call, store.id)
    return listed(call, await files_of(call, store.id))


def listed(call: Call, files: Iterable[Kept]) -> WireResponse:
    """A page of files: `filter` is the status that they have."""
    status = call.query.get("filter")
    if status is not None and status not in STATUSES:
        raise unsupported("filter", status, STATUSES)
    values = [kept.value for kept in files if status in (None, kept.value["status"])]
    return json_response(page(call, values), call.stamp)


async def _retrieve(call: Call) -> WireResponse:
    return json_response((await _found(call)).value, call.stamp)


async def _update(call: Call) -> WireResponse:
    kept = await _found(call)
    asked = call.json()
    check(asked, request_schema("updateVectorStoreFileAttributes"))
    changed = kept._replace(value={**kept.value, "attributes": asked["attributes"] or {}})
    await call.objects.put(_kind(str(kept.value["vector_store_id"])), changed)
    return json_response(changed.value, call.stamp)


async def _delete(call: Call) -> WireResponse:
    kept = await _found(call)
    await call.objects.remove(_kind(str(kept.value["vector_store_id"])), kept.id)
    return json_response({"id": kept.id, "object": "vector_store.file.deleted", "deleted": True}, call.stamp)


async def _content(call: Call) -> WireResponse:
    kept = await _found(call)
    data: list[Json] = [{"type": "text", "text": Indexed.read(kept.content).text}] if kept.content else []
    answer = {"object": "vector_store.file_content.page", "data": data, "has_more": False, "next_page": None}
    return json_response(answer, call.stamp)


async def _found(call: Call) -> Kept:
    store, wanted = await found_store(call), call.parameters["file_id"]
    await settle(call, store.id)
    return await call.found(_kind(store.id), wanted, f"No file found with id '{wanted}' in vector store '{store.id}'.")


OPERATIONS = (
    Operation(Route("POST", _PATH, "createVectorStoreFile", "Put a file into a vector store"), _create),
    Operation(Route("GET", _PATH, "listVectorStoreFiles", "List the files in a vector store"), _list),
    Operation(Route("GET", _ONE, "getVectorStoreFile", "Retrieve a file in a vector store"), _retrieve),
    Operation(Route("POST", _ONE, "updateVectorStoreFileAttributes", "Set a file's attributes"), _update),
    Operation(Route("DELETE", _ONE, "deleteVectorStoreFile", "Take a file out of a vector store"), _delete),
    Operation(Route("GET", f"{_ONE}/content", "retrieveVectorStoreFileContent", "Retrieve a file's text"), _content),
)
