"""Vector stores: files that can be searched. Wire facts: OpenAI's API description 2.3.0.

No clock runs here, so a store says when it expires and never does.
"""

from collections.abc import Mapping
from typing import cast

from replay_server.endpoints import vector_store_batches as batches
from replay_server.endpoints import vector_store_files as files
from replay_server.endpoints.base import Route
from replay_server.endpoints.description import request_schema
from replay_server.endpoints.objects import Kept
from replay_server.endpoints.openai import json_response
from replay_server.endpoints.operation import Call, Operation, page
from replay_server.endpoints.validation import check
from replay_server.endpoints.vector_store_filters import passes
from replay_server.endpoints.vector_store_index import Indexed, scores
from replay_server.interaction import Json, JsonObject, WireResponse

_PATH = "/vector_stores/{vector_store_id}"
_DAY = 24 * 60 * 60


async def _create(call: Call) -> WireResponse:
    asked = call.json()
    check(asked, request_schema("createVectorStore"))
    wanted = _wanted(asked)
    await files.check_files(call, wanted, "file_ids")
    new = await call.new(files.STORE)
    value: dict[str, Json] = {
        "id": f"vs_{new.stamp.hex('store', 32)}",
        "object": "vector_store",
        "created_at": new.created,
        "last_active_at": new.created,
        "name": asked.get("name") or "",
        "metadata": asked.get("metadata") or {},
        **_expiry(asked, new.created),
    }
    if asked.get("description") is not None:
        value["description"] = asked["description"]
    kept = Kept(str(value["id"]), value)
    await call.objects.put(files.STORE, kept)
    await files.put_in(call, kept.id, wanted)
    return json_response(await _shown(call, kept), call.stamp)


def _wanted(asked: JsonObject) -> list[JsonObject]:
    names = asked.get("file_ids")
    alike = {"chunking_strategy": asked.get("chunking_strategy")}
    return [{**alike, "file_id": name} for name in names] if isinstance(names, list) else []


def _expiry(asked: JsonObject, active: int) -> dict[str, Json]:
    expires_after = asked.get("expires_after")
    if not isinstance(expires_after, dict):
        return {"expires_at": None}
    days = cast("int", expires_after["days"])
    return {"expires_after": expires_after, "expires_at": active + days * _DAY}


async def _shown(call: Call, kept: Kept) -> JsonObject:
    """The store as the API shows it, which tells of its files."""
    in_store = await files.files_of(call, kept.id)
    counts = files.counted(in_store)
    return {
        **kept.value,
        "status": "in_progress" if counts["in_progress"] else "completed",
        "usage_bytes": sum(cast("int", file.value["usage_bytes"]) for file in in_store),
        "file_counts": counts,
    }


async def _list(call: Call) -> WireResponse:
    stores = await call.objects.all(files.STORE)
    for kept in stores:
        await files.settle(call, kept.id)
    return json_response(page(call, [await _shown(call, kept) for kept in stores]), call.stamp)


async def _retrieve(call: Call) -> WireResponse:
    kept = await files.found_store(call)
    await files.settle(call, kept.id)
    return json_response(await _shown(call, kept), call.stamp)


async def _update(call: Call) -> WireResponse:
    kept = await files.found_store(call)
    asked = call.json()
    check(asked, request_schema("modifyVectorStore"))
    value = {**kept.value, **{name: asked[name] for name in ("name", "metadata") if asked.get(name) is not None}}
    if "expires_after" in asked:
        value.pop("expires_after", None)
        value |= _expiry(asked, cast("int", value["last_active_at"]))
    changed = kept._replace(value=value)
    await call.objects.put(files.STORE, changed)
    return json_response(await _shown(call, changed), call.stamp)


async def _delete(call: Call) -> WireResponse:
    kept = await files.found_store(call)
    await files.forget_files(call, kept.id)
    await batches.forget_batches(call, kept.id)
    await call.objects.remove(files.STORE, kept.id)
    return json_response({"id": kept.id, "object": "vector_store.deleted", "deleted": True}, call.stamp)


# Search --------------------------------------------------------------------------------------------------------------

_MOST_RESULTS = 10


async def _search(call: Call) -> WireResponse:
    kept = await files.found_store(call)
    asked = call.json()
    check(asked, request_schema("searchVectorStore"))
    await files.settle(call, kept.id)
    query = asked["query"]
    questions = [str(each) for each in query] if isinstance(query, list) else [str(query)]
    data = await _results(call, kept.id, asked, questions)
    answer = {
        "object": "vector_store.search_results.page",
        "search_query": questions,
        "data": data,
        "has_more": False,
        "next_page": None,
    }
    return json_response(answer, call.stamp)


async def _results(call: Call, store: str, asked: JsonObject, questions: list[str]) -> list[Json]:
    """The passages nearest to the questions, the nearest first."""
    wanted, options = asked.get("filters"), _member(asked, "ranking_options")
    found = [
        (file.value, indexed.filename, passage)
        for file in await files.files_of(call, store)
        if file.content and (not isinstance(wanted, dict) or passes(_member(file.value, "attributes"), wanted))
        for indexed in [Indexed.read(file.content)]
        for passage in indexed.passages
    ]
    near = scores(call, questions, [passage for *_, passage in found], by_words=options.get("ranker") != "none")
    least = cast("float", options.get("score_threshold") or 0)
    best = sorted((at for at in range(len(found)) if near[at] >= least), key=lambda at: -near[at])
    most = cast("int", asked.get("max_num_results") or _MOST_RESULTS)
    return [_result(found[at][0], found[at][1], found[at][2].text, near[at]) for at in best[:most]]


def _result(file: JsonObject, filename: str, text: str, score: float) -> Json:
    content: Json = [{"type": "text", "text": text}]
    head: dict[str, Json] = {"file_id": file["id"], "filename": filename, "score": score}
    return {**head, "attributes": file["attributes"], "content": content}


def _member(value: JsonObject, name: str) -> Mapping[str, Json]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


OPERATIONS = (
    Operation(Route("POST", "/vector_stores", "createVectorStore", "Make a vector store"), _create),
    Operation(Route("GET", "/vector_stores", "listVectorStores", "List vector stores"), _list),
    Operation(Route("GET", _PATH, "getVectorStore", "Retrieve a vector store"), _retrieve),
    Operation(Route("POST", _PATH, "modifyVectorStore", "Change a vector store"), _update),
    Operation(Route("DELETE", _PATH, "deleteVectorStore", "Delete a vector store"), _delete),
    Operation(Route("POST", f"{_PATH}/search", "searchVectorStore", "Search a vector store"), _search),
    *files.OPERATIONS,
    *batches.OPERATIONS,
)
