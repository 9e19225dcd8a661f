"""The document of a recorded interaction: an upstream's answers as they are kept, and what its writer has put there."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from replay_server.cassettes.file import Stored, document_text
from replay_server.cassettes.matching import Keyed
from replay_server.cassettes.raw import write_raw
from replay_server.cassettes.reader import read_response
from replay_server.cassettes.recorded_form import answered_form
from replay_server.cassettes.yaml import documents
from replay_server.cassettes.yaml_writer import dump
from replay_server.interaction import Answered, Json, JsonObject, Recorded, Response

_COMMENTS = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*")


def stored_responses(stored: Stored | None) -> list[JsonObject]:
    """The responses of a document, as they stand there."""
    response = stored.fields.get("response") if stored else None
    listed = response if isinstance(response, list) else [response]
    return [each for each in listed if isinstance(each, dict)]


def faithful_form(answered: Answered, asked: Keyed) -> JsonObject:
    """The form that reads best among those that give the very bytes again. It is written, read, and compared."""
    form = answered_form(answered)
    (document,) = documents(dump(form).encode())
    return form if is_faithful(read_response(document.value, asked.resource), answered) else raw_form(answered)


def is_faithful(response: Response, answered: Answered) -> bool:
    """Whether what is read from a cassette gives the very bytes of the answer again."""
    return isinstance(response, Recorded) and response.body == answered.body


def raw_form(answered: Answered) -> JsonObject:
    """The form that gives any bytes again, and reads worst."""
    form = answered_form(answered)
    return {name: form[name] for name in ("status", "headers") if name in form} | {"raw": write_raw(answered.body)}


def recorded_document(stored: Stored | None, asked: Keyed, responses: Sequence[JsonObject]) -> str:
    """The text of the document, recorded today.

    What else its writer has put there stays, comments too that stand in front of its first field or behind its last.
    """
    fields: Mapping[str, Json] = stored.fields if stored else {}
    first = {name: fields[name] for name in ("version", "name") if name in fields}
    written = {"endpoint", "request", "response", "recorded", *first}
    last = {name: value for name, value in fields.items() if name not in written}
    day = datetime.now(UTC).date().isoformat()
    text = document_text(asked.request.body, asked.resource, responses, first, {**last, "recorded": {"at": day}})
    return f"{_in_front(stored.text)}{text}{_behind(stored.text)}" if stored else text


def _in_front(text: str) -> str:
    comments = _COMMENTS.match(text)
    return comments[0] if comments else ""


def _behind(text: str) -> str:
    """The comments at the end. An indented one may be part of a text, so it is none."""
    at = len(text)
    while at and (text[start := text.rfind("\n", 0, at - 1) + 1] == "#" or not text[start:at].strip()):
        at = start
    return text[at:]
