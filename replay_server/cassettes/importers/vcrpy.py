"""vcrpy's cassettes, YAML and JSON, and those of its relatives: VCR, Betamax, go-vcr, pydantic-ai's, LangChain's.

They agree on a list of interactions with `request` and `response`, and differ in how a body stands there: as text or
bytes, under `string` or `base64_string`, or as JSON that the tool has parsed (`parsed_body`), whose own bytes are lost.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import zip_longest

from replay_server.cassettes.importers.http import Asked, Given, day, exchange, flat_headers
from replay_server.cassettes.importers.items import Imported, Item, Unimportable, choose, each
from replay_server.cassettes.importers.python_yaml import Foreign, load_yaml
from replay_server.cassettes.importers.text import check_size, encoded, from_base64, json_text, load_json
from replay_server.endpoints.short_form import required

LISTS = ("interactions", "http_interactions")
"""The member of a cassette that holds its interactions."""
HALVES = ("requests", "responses")
"""The members that hold them in two lists, as LangChain writes them."""


def read_vcrpy(data: bytes, only: Sequence[str] = ()) -> Iterator[Item]:
    """The exchanges of a cassette of vcrpy, those whose URL matches `only`. Raises Unimportable where it is none."""
    if data.lstrip()[:1] in (b"{", b"["):
        value = load_json(data)
        check_size(value)
    else:
        value = load_yaml(data)
    return each("interaction", _interactions(value), partial(_read, only))


def _interactions(value: object) -> Sequence[object]:
    """The interactions in a file's value. Before version 1 the list stood alone. Raises Unimportable."""
    found = next((value[name] for name in LISTS if name in value), None) if isinstance(value, dict) else value
    if isinstance(found, list):
        return found
    halves = [value.get(name) for name in HALVES] if isinstance(value, dict) else []
    if not all(isinstance(half, list) for half in halves) or not halves:
        raise Unimportable(f"has no list of {' or '.join(LISTS)}")
    return [
        {"request": request, "response": response}
        for request, response in zip_longest(*(half for half in halves if isinstance(half, list)))
    ]


def _read(only: Sequence[str], place: str, value: object) -> Imported:
    if not isinstance(value, dict):
        raise Unimportable("is no mapping of request and response")
    request, response = required(value, "request", dict), required(value, "response", dict)
    headers, url = _headers(response), _url(request)
    choose(url, only)
    asked = Asked(method=required(request, "method", str), url=url, headers=_headers(request), body=_body(request))
    given = Given(status=_status(response), headers=headers, body=_body(response))
    at = day(value.get("recorded_at"), headers.get("date"))
    return Imported(place=place, url=url, exchange=exchange(asked, given), at=at)


def _url(request: Mapping[str, object]) -> str:
    for name in ("uri", "url"):
        if isinstance(url := request.get(name), str):
            return url
    if isinstance(path := request.get("path"), str):  # as it was before version 1
        return f"{request.get('protocol', 'http')}://{request.get('host', '')}{path}"
    raise Unimportable("has no uri")


def _status(response: Mapping[str, object]) -> int:
    status = response.get("status")
    code = status.get("code") if isinstance(status, dict) else response.get("code", response.get("status_code", status))
    digits = code.split(" ")[0] if isinstance(code, str) else code  # go-vcr: "200 OK"
    if isinstance(digits, str) and digits.isdecimal() and len(digits) == 3:
        return int(digits)
    if not isinstance(digits, int) or isinstance(digits, bool):
        raise Unimportable("has no status: its response was not recorded whole")
    return digits


def _headers(message: Mapping[str, object]) -> dict[str, str]:
    """Headers as a mapping to a text or a list of texts, as pairs, or as lines."""
    headers = message.get("headers")
    if isinstance(headers, dict):
        return flat_headers((name, value) for name, values in headers.items() for value in _values(values))
    lines = headers if isinstance(headers, list) else []
    return flat_headers(pair for line in lines if (pair := _pair(line)))


def _values(values: object) -> Iterable[object]:
    return map(_text, values) if isinstance(values, list | tuple) else (_text(values),)


def _text(value: object) -> object:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _pair(line: object) -> tuple[object, object] | None:
    if isinstance(line, str):
        name, _, value = line.partition(":")
        return name, value.strip()
    return (line[0], _text(line[1])) if isinstance(line, list | tuple) and len(line) == 2 else None


# Bodies --------------------------------------------------------------------------------------------------------------


def _body(message: Mapping[str, object]) -> bytes:
    parsed = message.get("parsed_body")
    return _json(parsed) if parsed is not None else _bytes(message.get("body"))


def _bytes(body: object) -> bytes:
    match body:
        case None:
            return b""
        case bytes():
            return body
        case str():
            return encoded(body)
        case {"base64_string": str(text)}:
            return from_base64(text)
        case {"string": inner}:
            return _bytes(inner)
        case dict() if not body:
            return b""
        case list() | tuple() if all(isinstance(part, bytes | str) for part in body):
            return b"".join(map(_bytes, body))  # what an iterator gave
        case Foreign(tag):
            raise Unimportable(f"has a body with the tag {tag}, which only its own program can read")
        case _:
            return _json(body)  # what a hook of the recorder parsed


def _json(value: object) -> bytes:
    return json_text(_plain(value))


def _plain(value: object) -> object:
    """A parsed body with texts where YAML has bytes: it holds what JSON had."""
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Foreign):
        raise Unimportable(f"has a body with the tag {value.tag}, which only its own program can read")
    if isinstance(value, float) and not math.isfinite(value):
        raise Unimportable(f"has a body with {value}, which JSON has not")
    return _text(value)
