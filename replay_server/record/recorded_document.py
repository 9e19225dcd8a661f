"""The document of a recorded interaction: an upstream's answers as they are kept, and what its writer has put there."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from replay_server.cassettes.file import Stored, document_text
from replay_server.cassettes.matching import Keyed
from replay_server.cassettes.raw import write_raw
from replay_server.cassettes.reader import read_response
from replay_server.cassettes.recorded_form import answered_form
from replay_server.cassettes.yaml import documents
from replay_server.cassettes.yaml_writer import dump
from replay_server.interaction import Answered, Json, JsonObject, Recorded


def stored_responses(stored: Stored | None) -> list[JsonObject]:
    """The responses of a document, as they stand there."""
    response = stored.fields.get("response") if stored else None
    listed = response if isinstance(response, list) else [response]
    return [each for each in listed if isinstance(each, dict)]


def faithful_form(answered: Answered, asked: Keyed) -> JsonObject:
    """The form that reads best among those that give the very bytes again. Each is written, read, and compared."""
    forms = (answered_form(answered), _raw_form(answered))
    return next((form for form in forms if _comes_back(form, answered, asked)), forms[-1])


def _raw_form(answered: Answered) -> dict[str, Json]:
    form = answered_form(answered)
    return {name: form[name] for name in ("status", "headers") if name in form} | {"raw": write_raw(answered.body)}


def _comes_back(form: JsonObject, answered: Answered, asked: Keyed) -> bool:
    (document,) = documents(dump(form).encode())
    response = read_response(document.value, asked.resource)
    return isinstance(response, Recorded) and response.body == answered.body


def recorded_document(stored: Stored | None, asked: Keyed, responses: Sequence[JsonObject]) -> str:
    """The text of the document, recorded today; what else its writer has put there stays."""
    fields: Mapping[str, Json] = stored.fields if stored else {}
    first = {name: fields[name] for name in ("version", "name") if name in fields}
    written = {"endpoint", "request", "response", "recorded", *first}
    last = {name: value for name, value in fields.items() if name not in written}
    day = datetime.now(UTC).date().isoformat()
    return document_text(asked.request.body, asked.resource, responses, first, {**last, "recorded": {"at": day}})
