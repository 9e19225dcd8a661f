"""OpenAI Batch: a file of requests, and files of answers, a line of JSON each, that belong together by `custom_id`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from replay_server.cassettes.importers.http import Asked, Given, exchange
from replay_server.cassettes.importers.items import Imported, Item, Refused, Unimportable, attempt, choose
from replay_server.cassettes.importers.text import check_size, json_text, load_json, whole_characters
from replay_server.endpoints.short_form import optional, required
from replay_server.interaction import Json

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a file, and where it stands: `line 7`, `out.jsonl line 7`."""

    place: str
    fields: Mapping[str, Json]

    @property
    def custom_id(self) -> str:
        """What says which lines belong together. Raises BadField."""
        return required(self.fields, "custom_id", str)


def read_batch(requests: bytes, answers: Mapping[str, bytes], only: Sequence[str] = ()) -> Iterator[Item]:
    """The exchanges of a batch, those whose URL matches `only`. `answers` are its files of output and errors, by name.

    A line that has no partner is refused.
    """
    waiting: dict[str, _Line] = {}
    for name, data in answers.items():
        yield from _gather(_lines(data, f"{name} line"), waiting)
    asked: dict[str, _Line] = {}
    yield from _gather(_lines(requests, "line"), asked)
    for custom_id, line in asked.items():
        yield attempt(line.place, (line, waiting.pop(custom_id, None)), partial(_read, only))
    for custom_id, line in waiting.items():
        yield Refused(place=line.place, reason=f"answers {custom_id!r}, which no request has")


def _gather(lines: Iterator[_Line | Refused], into: dict[str, _Line]) -> Iterator[Refused]:
    """Sort lines by their id; what cannot be sorted in is refused."""
    for line in lines:
        if isinstance(line, Refused):
            yield line
            continue
        custom_id = line.fields.get("custom_id")
        if not isinstance(custom_id, str):
            yield Refused(place=line.place, reason="has no custom_id")
        elif into.setdefault(custom_id, line) is not line:
            yield Refused(place=line.place, reason=f"has the custom_id {custom_id!r} of {into[custom_id].place}")


def _lines(data: bytes, noun: str) -> Iterator[_Line | Refused]:
    for number, text in enumerate(data.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        if text.strip():
            yield _line(f"{noun} {number}", text)


def _line(place: str, text: bytes) -> _Line | Refused:
    try:
        value = load_json(text)
        check_size(value)
    except Unimportable as error:
        return Refused(place=place, reason=str(error))
    return _Line(place, value) if isinstance(value, dict) else Refused(place=place, reason="is no mapping")


def _read(only: Sequence[str], place: str, pair: tuple[_Line, _Line | None]) -> Imported:
    request, answer = pair
    url = required(request.fields, "url", str)
    choose(url, only)
    if answer is None:
        raise Unimportable(f"has no answer: {request.custom_id!r} is in no file of output or errors")
    asked = Asked(
        method=optional(request.fields, "method", str) or "POST",
        url=url,
        headers={"content-type": _JSON},
        body=json_text(required(request.fields, "body", dict)),
    )
    return Imported(
        place=place, url=url, exchange=exchange(asked, _given(answer.fields)), name=whole_characters(request.custom_id)
    )


def _given(fields: Mapping[str, Json]) -> Given:
    response = optional(fields, "response", dict)
    if response is None:
        error = optional(fields, "error", dict) or {}
        raise Unimportable(
            f"was not answered: {error.get('message') or error.get('code') or 'its line has no response'}"
        )
    headers = {"content-type": _JSON}
    if request_id := optional(response, "request_id", str):
        headers["x-request-id"] = request_id
    return Given(status=required(response, "status_code", int), headers=headers, body=json_text(response.get("body")))


# Which files belong together -----------------------------------------------------------------------------------------


def is_batch(data: bytes) -> bool:
    """Whether a file is one of a batch: its first line says so."""
    return "custom_id" in _first_line(data)


def holds_answers(data: bytes) -> bool:
    """Whether a file of a batch holds answers, not requests."""
    first = _first_line(data)
    return "response" in first or "error" in first


def custom_ids(data: bytes) -> frozenset[str]:
    """The ids of the lines of a file."""
    fields = (line.fields.get("custom_id") for line in _lines(data, "line") if isinstance(line, _Line))
    return frozenset(custom_id for custom_id in fields if isinstance(custom_id, str))


def _first_line(data: bytes) -> Mapping[str, Json]:
    first = next(_lines(data, "line"), None)
    return first.fields if isinstance(first, _Line) else {}
