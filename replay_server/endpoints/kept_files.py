"""The files of a session: what clients upload, and what batches write. Wire facts: OpenAI's API description 2.3.0."""

import hashlib

from replay_server.endpoints.objects import Kept
from replay_server.endpoints.operation import Call
from replay_server.interaction import Json

FILE = "file"
"""The kind of files, and of ids in requests that mean one."""
PURPOSES = ("fine-tune", "assistants", "batch", "user_data", "vision", "evals")
"""What a file may be uploaded for, in the order in which the live API lists them."""

_BATCH_DAYS = 30  # the live API forgets the files of batches then
_DAY = 24 * 60 * 60


async def keep_file(call: Call, name: str, purpose: str, content: bytes, expires_after: Json = None) -> Kept:
    """Keep a new file. `expires_after` is the request's: `{anchor, seconds}`."""
    new = await call.new(FILE)
    value: dict[str, Json] = {
        "object": "file",
        "id": new.id("file-", 22),
        "purpose": purpose,
        "filename": name,
        "bytes": len(content),
        "created_at": new.created,
        "status": "processed",
    }
    if (seconds := _lifetime(purpose, expires_after)) is not None:
        value["expires_at"] = new.created + seconds
    kept = Kept(str(value["id"]), value, content, hashlib.sha256(content).hexdigest())
    await call.objects.put(FILE, kept)
    return kept


def _lifetime(purpose: str, expires_after: Json) -> int | None:
    seconds = expires_after.get("seconds") if isinstance(expires_after, dict) else None
    if isinstance(seconds, int):
        return seconds
    return _BATCH_DAYS * _DAY if purpose == "batch" else None
