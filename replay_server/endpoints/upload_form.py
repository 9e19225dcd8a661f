"""A form as it came, with all the bytes of its files: `http_form` keeps long ones as hashes, which none can fetch."""

import re
from typing import NamedTuple

from replay_server.endpoints.http_form import read_multipart
from replay_server.errors import BadRequest
from replay_server.interaction import Json, RawRequest

_MEMBER = re.compile(r"(?P<name>[^\[\]]+)\[(?P<member>[^\[\]]+)\]")
_INTEGER = re.compile(r"-?\d{1,18}")


class UploadedFile(NamedTuple):
    """A file in a form."""

    name: str
    content: bytes


class UploadForm(NamedTuple):
    """A form: its texts as the fields of a JSON body, and its files by the names of their parts."""

    fields: dict[str, Json]
    files: dict[str, UploadedFile]


def read_upload(raw: RawRequest) -> UploadForm:
    """The form that a request carries. Raises BadRequest for a body that is none, or that is cut short."""
    parts = read_multipart(raw.headers.get("content-type", ""), raw.body)
    if parts is None:
        raise BadRequest("Could not parse multipart form")
    form = UploadForm({}, {})
    for part in parts:
        head, content = part.head(), bytes(part.data)
        name = str(head.get("name", ""))
        if "filename" in head:
            form.files[name] = UploadedFile(str(head["filename"]), content)
        else:
            _add(form.fields, name, content.decode(errors="replace"))
    return form


def _add(fields: dict[str, Json], name: str, text: str) -> None:
    """Add a field: clients write `expires_after[seconds]` for a member of an object."""
    value = int(text) if _INTEGER.fullmatch(text) else text
    member = _MEMBER.fullmatch(name)
    if member is None:
        fields[name] = text
        return
    holder = fields.setdefault(member["name"], {})
    if isinstance(holder, dict):
        holder[member["member"]] = value
