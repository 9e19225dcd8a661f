"""How objects begin and go on: their ids, their first status, and the next one each time that somebody looks.

Wire facts: the enums of OpenAI's API description 2.3.0, and the ids of objects of the live API.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from replay_server.endpoints.described.collections import properties
from replay_server.endpoints.operation import New
from replay_server.endpoints.shapes import Shape, alternatives
from replay_server.interaction import Json

_ID_LENGTH = 24
_DURATION = 60
"""Seconds from the beginning of an object to its end."""

_PREFIXES = {
    "assistant": "asst_",
    "audio.voice": "voice_",
    "audio.voice_consent": "cons_",
    "batch": "batch_",
    "certificate": "cert_",
    "chat.completion": "chatcmpl-",
    "chatkit.session": "cksess_",
    "chatkit.thread": "cthr_",
    "checkpoint.permission": "cp_",
    "container": "cntr_",
    "container.file": "cfile_",
    "conversation": "conv_",
    "eval": "eval_",
    "eval.run": "evalrun_",
    "eval.run.output_item": "outputitem_",
    "file": "file-",
    "fine_tuning.job": "ftjob-",
    "fine_tuning.job.checkpoint": "ftckpt_",
    "fine_tuning.job.event": "ftevent-",
    "group": "group_",
    "organization.admin_api_key": "key_",
    "organization.invite": "invite-",
    "organization.project": "proj_",
    "organization.project.api_key": "key_",
    "organization.project.service_account": "svc_acct_",
    "organization.project.user": "user-",
    "organization.user": "user-",
    "project.rate_limit": "rl-",
    "realtime.session": "sess_",
    "response": "resp_",
    "role": "role-",
    "skill": "skill_",
    "skill.version": "skillver_",
    "thread": "thread_",
    "thread.message": "msg_",
    "thread.run": "run_",
    "thread.run.step": "step_",
    "upload": "upload_",
    "upload.part": "part_",
    "vector_store": "vs_",
    "vector_store.file_batch": "vsfb_",
    "video": "video_",
}
"""How ids begin, by the `object` of what they name; any other begins with its last word."""

_COURSE = (
    *("validating_files", "validating", "pending", "created", "queued", "in_progress", "running", "processing"),
    *("finalizing", "succeeded", "completed", "processed"),
)
"""What a status goes through, as far as its schema has it."""
_AT_REST = ("active", "enabled", "ready", "ok", "open", "accepted", "available")
"""What a status is that does not go on."""
_VERBS: Mapping[str, tuple[str, ...]] = {
    "cancel": ("cancelled", "canceled", "cancelling"),
    "resume": ("running", "in_progress", "queued", "active"),
    "submit": ("queued", "in_progress"),
    "stop": ("stopped", "cancelled"),
}
"""The status after an action, where it is not the verb's own form: `pause` makes `paused`."""

_UNLISTED = {
    "container": ("running", "expired"),
    "eval.run": ("queued", "in_progress", "completed", "failed", "canceled"),
    "eval.run.output_item": ("completed",),
    "organization.project": ("active", "archived"),
}
"""What a status may be where the schema says only that it is a text, by the `object` of what has it."""

_NOTHING_YET = (
    *("error", "last_error", "incomplete_details", "required_action", "cancelled_at", "canceled_at", "failed_at"),
    *("expired_at", "expires_at", "deleted_at", "archived_at", "completed_at", "finished_at", "incomplete_at"),
    *("cancelling_at", "finalizing_at", "revoked_at", "started_at", "last_used_at", "estimated_finish"),
    *("next", "next_page", "usage"),
)
_STATED: Mapping[str, Json] = {
    "has_more": False,
    "deleted": True,
    "success": True,
    "progress": 0,
    "metadata": {},
    "default_version": "1",
    "latest_version": "1",
}


def new_id(new: New, schema: Shape, path: str) -> str:
    """The id of a new object: as its schema would have it."""
    shape = next((each for each in alternatives(properties(schema).get("id", {}))), {})
    if shape.get("type") == "integer":
        return str(new.number + 1)
    if shape.get("format") == "uuid":
        digits = new.stamp.hex("id", 32)
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
    kind = kind_of(schema, path)
    return new.id(_PREFIXES.get(kind, f"{kind.rpartition('.')[2]}_"), _ID_LENGTH)


def beginning(schema: Shape, created: int, path: str = "") -> dict[str, Json]:
    """What is likely of an object that has just been made, were nothing else known of it."""
    found = properties(schema)
    facts: dict[str, Json] = {name: shape["default"] for name, shape in _plain(found) if "default" in shape}
    facts |= {name: created for name, shape in _plain(found) if _is_time(name, shape)}
    facts |= {name: None for name in _NOTHING_YET if name in found}
    facts |= {name: value for name, value in _STATED.items() if name in found}
    words = statuses(schema, path)
    if "object" in found and path:
        facts["object"] = kind_of(schema, path)
    status = next((word for word in (*_COURSE, *_AT_REST) if word in words), None)
    return facts if status is None else {**facts, "status": status}


def unsaid(schema: Shape) -> dict[str, Json]:
    """What is null of an object of which a request said nothing."""
    found = properties(schema).items()
    return {name: None for name, each in found if any(shape["type"] == "null" for shape in alternatives(each))}


def uploaded(name: str, content: bytes) -> dict[str, Json]:
    """What is known of a file that was uploaded."""
    return {"bytes": len(content), "size": len(content), "filename": name, "path": f"/mnt/data/{name}"}


def _plain(found: Mapping[str, Shape]) -> Iterator[tuple[str, Shape]]:
    """The first alternative of each property."""
    return ((name, shapes[0]) for name, schema in found.items() if (shapes := alternatives(schema)))


def _is_time(name: str, shape: Shape) -> bool:
    return shape["type"] in ("integer", "number") and (name == "created" or name.endswith("_at"))


def next_status(schema: Shape, status: Json, path: str) -> str | None:
    """What follows a status when time goes on; None where it stays."""
    words = statuses(schema, path)
    course = [word for word in _COURSE if word in words]
    if status not in course or status in course[-1:]:
        return None
    return course[course.index(str(status)) + 1]


def finished(status: str, value: Mapping[str, Json]) -> dict[str, Json]:
    """What else changes when an object comes to its end."""
    if status not in _COURSE[-3:]:
        return {}
    created, model = value.get("created_at"), value.get("model")
    then = created + _DURATION if isinstance(created, int) else None
    facts: dict[str, Json] = {"progress": 100, "completed_at": then, "finished_at": then}
    if value.get("object") == "fine_tuning.job":
        facts["fine_tuned_model"] = f"ft:{model}:replay::{str(value['id'])[-8:]}"
    return facts


def after(verb: str, schema: Shape, path: str = "") -> dict[str, Json]:
    """What an action makes of an object."""
    found = properties(schema)
    words = statuses(schema, path)
    facts: dict[str, Json] = {}
    if status := next(_fitting(verb, words), None):
        facts["status"] = status
    if verb in ("activate", "deactivate") and "active" in found:
        facts["active"] = verb == "activate"
    return facts


def kind_of(schema: Shape, path: str = "") -> str:
    """The `object` of what has this schema; where that may be any text, as its path has it: `container.file`."""
    listed = next(_words(properties(schema).get("object", {})), None)
    return listed or ".".join(each.removesuffix("s") for each in path.split("/") if each and not each.startswith("{"))


def statuses(schema: Shape, path: str = "") -> list[str]:
    """What the status of an object may be."""
    status = properties(schema).get("status")
    listed = list(_words(status or {}))
    return listed if listed or status is None else list(_UNLISTED.get(kind_of(schema, path), ()))


def _fitting(verb: str, words: Sequence[str]) -> Iterator[str]:
    yield from (word for word in _VERBS.get(verb, ()) if word in words)
    yield from (word for word in words if word in (f"{verb}d", f"{verb}ed", f"{verb}{verb[-1:]}ed"))


def _words(schema: Shape) -> Iterator[Any]:
    """The texts that a value may be."""
    for shape in alternatives(schema):
        yield from (word for word in shape.get("enum", ()) if isinstance(word, str))
