"""Uploads: a file that comes in parts. Wire facts: OpenAI's API description 2.3.0.

No clock runs here, so an upload says when it expires and never does.
"""

import hashlib
from collections.abc import Sequence

import orjson

from replay_server.endpoints.base import Route
from replay_server.endpoints.description import request_schema
from replay_server.endpoints.kept_files import keep_file
from replay_server.endpoints.objects import Kept
from replay_server.endpoints.openai import json_response
from replay_server.endpoints.operation import Call, Operation
from replay_server.endpoints.upload_form import read_upload
from replay_server.endpoints.validation import check
from replay_server.errors import BadRequest, NotFound
from replay_server.interaction import Json, WireResponse

_UPLOAD, _PART = "upload", "upload.part"
_PATH = "/uploads/{upload_id}"
_HOUR = 60 * 60


async def _create(call: Call) -> WireResponse:
    asked = call.json()
    check(asked, request_schema("createUpload"))
    new = await call.new(_UPLOAD)
    value: dict[str, Json] = {
        "id": f"upload_{new.stamp.hex('upload', 32)}",
        "object": "upload",
        "bytes": asked["bytes"],
        "created_at": new.created,
        "filename": asked["filename"],
        "purpose": asked["purpose"],
        "status": "pending",
        "expires_at": new.created + _HOUR,
        "file": None,
    }
    expires_after = orjson.dumps(asked.get("expires_after"))  # of the file to come; the API does not show it
    await call.objects.put(_UPLOAD, Kept(str(value["id"]), value, expires_after))
    return json_response(value, call.stamp)


async def _add_part(call: Call) -> WireResponse:
    upload = await _pending(call, "add a part to")
    form = read_upload(call.raw)
    if "data" not in form.files:
        raise BadRequest("'data' is a required property")
    new = await call.new(_PART)
    value: dict[str, Json] = {
        "id": f"part_{new.stamp.hex('part', 32)}",
        "object": "upload.part",
        "created_at": new.created,
        "upload_id": upload.id,
    }
    await call.objects.put(_PART, Kept(str(value["id"]), value, form.files["data"].content))
    return json_response(value, call.stamp)


async def _complete(call: Call) -> WireResponse:
    upload = await _pending(call, "complete")
    asked = call.json()
    check(asked, request_schema("completeUpload"))
    parts = await _parts(call, upload, asked["part_ids"])
    content = b"".join(part.content for part in parts)
    _check_content(upload, content, asked.get("md5"))
    name, purpose = str(upload.value["filename"]), str(upload.value["purpose"])
    file = await keep_file(call, name, purpose, content, orjson.loads(upload.content))
    return await _end(call, upload, "completed", {"file": dict(file.value)})


async def _parts(call: Call, upload: Kept, ids: Json) -> Sequence[Kept]:
    """The parts with these ids, in this order."""
    found = []
    for wanted in ids if isinstance(ids, list) else []:
        part = await call.objects.get(_PART, str(wanted))
        if part is None or part.value["upload_id"] != upload.id:
            raise NotFound(f"No such Part object: {wanted}", param="part_ids")
        found.append(part)
    return found


def _check_content(upload: Kept, content: bytes, md5: Json) -> None:
    declared = upload.value["bytes"]
    if len(content) != declared:
        raise BadRequest(
            f"The parts have {len(content)} bytes together, but the upload was created for {declared}.",
            param="part_ids",
            code="invalid_value",
        )
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if md5 is not None and md5 != found:
        raise BadRequest(f"The MD5 of the parts together is '{found}', not '{md5}'.", param="md5", code="invalid_value")


async def _cancel(call: Call) -> WireResponse:
    return await _end(call, await _pending(call, "cancel"), "cancelled", {})


async def _pending(call: Call, do: str) -> Kept:
    """The upload, if it still takes parts. Raises ApiError."""
    wanted = call.parameters["upload_id"]
    upload = await call.found(_UPLOAD, wanted, f"No such Upload object: {wanted}", "id")
    if upload.value["status"] != "pending":
        raise BadRequest(f"Cannot {do} an upload with status '{upload.value['status']}'.")
    return upload


async def _end(call: Call, upload: Kept, status: str, more: dict[str, Json]) -> WireResponse:
    """Set the last status of an upload, and forget its parts."""
    ended = upload._replace(value={**upload.value, "status": status, **more})
    await call.objects.put(_UPLOAD, ended)
    for part in await call.objects.all(_PART):
        if part.value["upload_id"] == upload.id:
            await call.objects.remove(_PART, part.id)
    return json_response(ended.value, call.stamp)


OPERATIONS = (
    Operation(Route("POST", "/uploads", "createUpload", "Begin an upload"), _create),
    Operation(Route("POST", f"{_PATH}/parts", "addUploadPart", "Add a part to an upload"), _add_part),
    Operation(Route("POST", f"{_PATH}/complete", "completeUpload", "Make a file of an upload's parts"), _complete),
    Operation(Route("POST", f"{_PATH}/cancel", "cancelUpload", "Cancel an upload"), _cancel),
)
