"""Batches: a file of requests that are really answered. Wire facts: OpenAI's API description 2.3.0.

No clock runs here: a batch goes one step further each time it is retrieved, from `validating` over `in_progress` and
`finalizing` to `completed`. Faults and refusals are those that the live API was seen to give.
"""

from collections.abc import Awaitable, Callable, Mapping

from replay_server.endpoints.base import Route
from replay_server.endpoints.batch_input import BatchInput, fault, read_input
from replay_server.endpoints.batch_run import Progress, lines_of, run_on, usage_of
from replay_server.endpoints.description import request_schema
from replay_server.endpoints.kept_files import FILE, keep_file
from replay_server.endpoints.objects import Kept
from replay_server.endpoints.openai import json_response
from replay_server.endpoints.operation import Call, Operation, page
from replay_server.endpoints.validation import check
from replay_server.errors import ApiError, BadRequest
from replay_server.interaction import Json, WireResponse

_KIND = "batch"
_PATH = "/batches/{batch_id}"
_DAY = 24 * 60 * 60


async def _create(call: Call) -> WireResponse:
    asked = call.json()
    check(asked, request_schema("createBatch"))
    new = await call.new(_KIND)
    value: dict[str, Json] = {
        "id": f"batch_{new.stamp.hex('batch', 32)}",
        "object": "batch",
        "endpoint": asked["endpoint"],
        "input_file_id": asked["input_file_id"],
        "completion_window": asked["completion_window"],
        "status": "validating",
        "created_at": new.created,
        "expires_at": new.created + _DAY,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": asked.get("metadata"),
    }
    await call.objects.put(_KIND, Kept(str(value["id"]), value, Progress(asked.get("output_expires_after")).written))
    return json_response(value, call.stamp)


async def _list(call: Call) -> WireResponse:
    return json_response(page(call, [kept.value for kept in await call.objects.all(_KIND)]), call.stamp)


async def _retrieve(call: Call) -> WireResponse:
    kept = await _found(call)
    if step := _STEPS.get(str(kept.value["status"])):
        kept = await step(call, kept)
        await call.objects.put(_KIND, kept)
    return json_response(kept.value, call.stamp)


async def _cancel(call: Call) -> WireResponse:
    kept = await _found(call)
    status = str(kept.value["status"])
    if status in ("completed", "failed"):
        raise ApiError(f"Cannot cancel a batch with status '{status}'.", status=409)
    if status in ("validating", "in_progress", "finalizing"):
        kept = _at(kept, "cancelling")
        await call.objects.put(_KIND, kept)
    return json_response(kept.value, call.stamp)


async def _found(call: Call) -> Kept:
    wanted = call.parameters["batch_id"]
    return await call.found(_KIND, wanted, f"No batch found with id '{wanted}'.")


# Steps ---------------------------------------------------------------------------------------------------------------


async def _validate(call: Call, kept: Kept) -> Kept:
    given = await _input(call, kept)
    if given.faults:
        return _at(kept, "failed", {"errors": {"object": "list", "data": list(given.faults)}})
    progress = Progress.read(kept.content).begun(given)
    model: dict[str, Json] = {"model": given.model} if given.model else {}
    return _at(kept, "in_progress", {**model, "request_counts": progress.counts})._replace(content=progress.written)


async def _input(call: Call, kept: Kept) -> BatchInput:
    name = str(kept.value["input_file_id"])
    file = await call.objects.get(FILE, name)
    if file is None:
        message = f"Cannot find file {name}, or organization does not have access to it."
    elif file.value["purpose"] != "batch":
        message = f"File {name} was uploaded with purpose '{file.value['purpose']}', and a batch needs one of 'batch'."
    else:
        return read_input(file.content, str(kept.value["endpoint"]))
    return BatchInput((), [fault(BadRequest(message, param="file_id", code="invalid_request"))])


async def _run(call: Call, kept: Kept) -> Kept:
    progress = await run_on(call, kept.id, Progress.read(kept.content))
    changes: dict[str, Json] = {"request_counts": progress.counts, "usage": usage_of(progress.output)}
    status = "in_progress" if progress.waiting else "finalizing"
    return _at(kept, status, changes)._replace(content=progress.written)


async def _complete(call: Call, kept: Kept) -> Kept:
    return _at(kept, "completed", await _files(call, kept))


async def _end_cancelled(call: Call, kept: Kept) -> Kept:
    return _at(kept, "cancelled", await _files(call, kept))


_STEPS: Mapping[str, Callable[[Call, Kept], Awaitable[Kept]]] = {
    "validating": _validate,
    "in_progress": _run,
    "finalizing": _complete,
    "cancelling": _end_cancelled,
}


async def _files(call: Call, kept: Kept) -> dict[str, Json]:
    """Keep the files of what has been answered: the fields that name them."""
    progress = Progress.read(kept.content)
    named: dict[str, Json] = {}
    for kind, lines in (("output", progress.output), ("error", progress.errors)):
        if lines:
            name, content = f"{kept.id}_{kind}.jsonl", lines_of(lines)
            file = await keep_file(call, name, "batch_output", content, progress.expires_after)
            named[f"{kind}_file_id"] = file.id
    return named


def _at(kept: Kept, status: str, changes: Mapping[str, Json] | None = None) -> Kept:
    """The batch with another status, which it has from the next second on."""
    value = {**kept.value, **(changes or {}), "status": status}
    if kept.value["status"] != status:
        times = [time for name, time in kept.value.items() if name.endswith("_at") and name != "expires_at"]
        value[f"{status}_at"] = max(time for time in times if isinstance(time, int)) + 1
    return kept._replace(value=value)


OPERATIONS = (
    Operation(Route("POST", "/batches", "createBatch", "Have a file of requests answered"), _create),
    Operation(Route("GET", "/batches", "listBatches", "List batches"), _list),
    Operation(Route("GET", _PATH, "retrieveBatch", "Retrieve a batch, which goes on"), _retrieve),
    Operation(Route("POST", f"{_PATH}/cancel", "cancelBatch", "Cancel a batch"), _cancel),
)
