"""Files that are put into a vector store together. Wire facts: OpenAI's API description 2.3.0."""

from collections.abc import Sequence

import orjson

from replay_server.endpoints import vector_store_files as files
from replay_server.endpoints.base import Route
from replay_server.endpoints.description import request_schema
from replay_server.endpoints.objects import Kept
from replay_server.endpoints.openai import json_response
from replay_server.endpoints.operation import Call, Operation
from replay_server.endpoints.refusals import missing
from replay_server.endpoints.validation import check
from replay_server.interaction import Json, JsonObject, WireResponse

_PATH = "/vector_stores/{vector_store_id}/file_batches"
_ONE = f"{_PATH}/{{batch_id}}"


async def _create(call: Call) -> WireResponse:
    store = await files.found_store(call)
    asked = call.json()
    check(asked, request_schema("createVectorStoreFileBatch"))
    wanted = _wanted(asked)
    await files.check_files(call, wanted, "file_ids")
    new = await call.new("vector_store.files_batch")
    value: dict[str, Json] = {
        "id": f"vsfb_{new.stamp.hex('batch', 32)}",
        "object": "vector_store.files_batch",
        "created_at": new.created,
        "vector_store_id": store.id,
    }
    names = orjson.dumps([kept.id for kept in await files.put_in(call, store.id, wanted)])
    kept = Kept(str(value["id"]), value, names)
    await call.objects.put(_kind(store.id), kept)
    return await _shown(call, kept)


def _wanted(asked: JsonObject) -> Sequence[JsonObject]:
    """The files: those that are only named are alike."""
    given = asked.get("files")
    if isinstance(given, list):
        return [file for file in given if isinstance(file, dict)]
    if not isinstance(asked.get("file_ids"), list):
        raise missing("file_ids")
    alike = {name: asked[name] for name in ("attributes", "chunking_strategy") if name in asked}
    names = asked["file_ids"]
    return [{**alike, "file_id": name} for name in names] if isinstance(names, list) else []


async def _retrieve(call: Call) -> WireResponse:
    kept = await _found(call)
    await files.settle(call, str(kept.value["vector_store_id"]))
    return await _shown(call, kept)


async def _cancel(call: Call) -> WireResponse:
    kept = await _found(call)
    await files.cancel_files(call, str(kept.value["vector_store_id"]), orjson.loads(kept.content))
    return await _shown(call, kept)


async def _list_files(call: Call) -> WireResponse:
    kept = await _found(call)
    await files.settle(call, str(kept.value["vector_store_id"]))
    return files.listed(call, await _files(call, kept))


async def _found(call: Call) -> Kept:
    store, wanted = await files.found_store(call), call.parameters["batch_id"]
    return await call.found(
        _kind(store.id), wanted, f"No file batch found with id '{wanted}' in vector store '{store.id}'."
    )


def _kind(store: str) -> str:
    return f"vector_store.files_batch {store}"


async def _files(call: Call, kept: Kept) -> list[Kept]:
    names = frozenset(orjson.loads(kept.content))
    in_store = await files.files_of(call, str(kept.value["vector_store_id"]))
    return [file for file in in_store if file.id in names]


async def _shown(call: Call, kept: Kept) -> WireResponse:
    counts = files.counted(await _files(call, kept))
    status = next((status for status in ("in_progress", "cancelled") if counts[status]), "completed")
    return json_response({**kept.value, "status": status, "file_counts": counts}, call.stamp)


async def forget_batches(call: Call, store: str) -> None:
    """Forget what was put into a store together."""
    for kept in await call.objects.all(_kind(store)):
        await call.objects.remove(_kind(store), kept.id)


OPERATIONS = (
    Operation(Route("POST", _PATH, "createVectorStoreFileBatch", "Put files into a vector store"), _create),
    Operation(Route("GET", _ONE, "getVectorStoreFileBatch", "Retrieve a batch of files"), _retrieve),
    Operation(Route("POST", f"{_ONE}/cancel", "cancelVectorStoreFileBatch", "Cancel a batch of files"), _cancel),
    Operation(Route("GET", f"{_ONE}/files", "listFilesInVectorStoreBatch", "List the files of a batch"), _list_files),
)
