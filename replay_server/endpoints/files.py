"""Files: uploaded, and given back byte for byte. Wire facts: OpenAI's API description 2.3.0.

Refusals are worded as the live API was seen to word them. It gives no files back that were uploaded for `assistants`,
`user_data` or `vision`; here all are, so that a test can look at what was sent.
"""

from urllib.parse import quote

from replay_server.endpoints.base import Route
from replay_server.endpoints.description import request_schema
from replay_server.endpoints.kept_files import FILE, PURPOSES, keep_file
from replay_server.endpoints.objects import Kept
from replay_server.endpoints.openai import headers, json_response
from replay_server.endpoints.operation import Call, Operation, page
from replay_server.endpoints.refusals import abbreviated
from replay_server.endpoints.upload_form import UploadForm, read_upload
from replay_server.endpoints.validation import check
from replay_server.errors import BadRequest
from replay_server.interaction import Json, WireResponse

_PATH = "/files/{file_id}"
_MOST_LISTED = 10_000


async def _create(call: Call) -> WireResponse:
    form = read_upload(call.raw)
    _check(form)
    file, purpose = form.files["file"], str(form.fields["purpose"])
    kept = await keep_file(call, file.name, purpose, file.content, form.fields.get("expires_after"))
    return json_response(kept.value, call.stamp)


def _check(form: UploadForm) -> None:
    if "file" not in form.files:
        raise BadRequest("'file' is a required property")
    if "purpose" not in form.fields:
        raise BadRequest("'purpose' is a required property")
    _check_purpose(form.fields["purpose"])
    check({**form.fields, "file": ""}, request_schema("createFile", "multipart/form-data"))
    # A client that was given no name sends `upload`: only a name that says otherwise is refused.
    name = form.files["file"].name
    if form.fields["purpose"] == "batch" and "." in name and not name.endswith(".jsonl"):
        raise BadRequest("Invalid file format for Batch API. Must be .jsonl")


def _check_purpose(purpose: Json) -> None:
    if purpose not in PURPOSES:
        message = f"'{abbreviated(str(purpose))}' is not one of {list(PURPOSES)} - 'purpose'"
        raise BadRequest(message, param="purpose")


async def _list(call: Call) -> WireResponse:
    values = [kept.value for kept in await call.objects.all(FILE)]
    if purpose := call.query.get("purpose"):
        values = [value for value in values if value["purpose"] == purpose]
    return json_response(page(call, values, limit=_MOST_LISTED, most=_MOST_LISTED), call.stamp)


async def _retrieve(call: Call) -> WireResponse:
    return json_response((await _found(call)).value, call.stamp)


async def _delete(call: Call) -> WireResponse:
    kept = await _found(call)
    await call.objects.remove(FILE, kept.id)
    return json_response({"object": "file", "id": kept.id, "deleted": True}, call.stamp)


async def _content(call: Call) -> WireResponse:
    kept = await _found(call)
    # What a name says of a type depends on the machine, and the live API says this for any file.
    found = headers(call.stamp, "application/octet-stream")
    name = quote(str(kept.value["filename"]), safe="")
    found["content-disposition"] = f"attachment; filename*=UTF-8''{name}"
    return WireResponse(200, found, kept.content)


async def _found(call: Call) -> Kept:
    wanted = call.parameters["file_id"]
    return await call.found(FILE, wanted, f"No such File object: {wanted}", "id")


OPERATIONS = (
    Operation(Route("POST", "/files", "createFile", "Upload a file"), _create),
    Operation(Route("GET", "/files", "listFiles", "List files"), _list),
    Operation(Route("GET", _PATH, "retrieveFile", "Retrieve a file's description"), _retrieve),
    Operation(Route("DELETE", _PATH, "deleteFile", "Delete a file"), _delete),
    Operation(Route("GET", f"{_PATH}/content", "downloadFile", "Retrieve a file's content"), _content),
)
