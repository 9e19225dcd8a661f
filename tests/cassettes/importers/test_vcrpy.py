"""vcrpy's cassettes and those of its relatives, in every layout of a body."""

import base64
import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import brotli
import pytest
import yaml

from replay_server.cassettes.importers.items import Imported, Refused, Unimportable
from replay_server.cassettes.importers.vcrpy import read_vcrpy
from replay_server.cassettes.sse import split_frames

DATA = Path(__file__).parents[2] / "data" / "recordings" / "vcrpy"
ASKED = {"method": "POST", "uri": "https://api.openai.com/v1/audio/speech?a=1&a=2&b=", "body": "{}", "headers": {}}
ANSWER = '{"text": "é"}'


def interaction(**answered: Any) -> dict[str, Any]:
    return {"request": ASKED, "response": {"status": {"code": 200, "message": "OK"}, **answered}}


def cassette(*interactions: Any) -> bytes:
    return yaml.dump({"version": 1, "interactions": list(interactions)}).encode()


def only(data: bytes) -> Imported:
    (item,) = read_vcrpy(data)
    assert isinstance(item, Imported), item
    return item


def reason(data: bytes) -> str:
    (item,) = read_vcrpy(data)
    assert isinstance(item, Refused), item
    return item.reason


BODIES = {
    "text under string": {"string": ANSWER},
    "bytes under string": {"string": ANSWER.encode()},
    "base64": {"base64_string": base64.b64encode(ANSWER.encode()).decode()},
    "base64 in lines": {"encoding": "UTF-8", "base64_string": "eyJ0\nZXh0IjogIsOpIn0=\n"},
    "text": ANSWER,
    "bytes": ANSWER.encode(),
    "pieces": [ANSWER.encode()[:5], ANSWER.encode()[5:]],
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_body_is_read_in_every_layout(body: Any) -> None:
    assert only(cassette(interaction(body=body))).exchange.answer.body == ANSWER.encode()


CODED = {
    "gzip": gzip.compress(ANSWER.encode()),
    "x-gzip": gzip.compress(ANSWER.encode()[:4]) + gzip.compress(ANSWER.encode()[4:]),
    "deflate": zlib.compress(ANSWER.encode()),
    "br": brotli.compress(ANSWER.encode()),
    "identity": ANSWER.encode(),
    "deflate, gzip": gzip.compress(zlib.compress(ANSWER.encode())),
}


@pytest.mark.parametrize("kept", [True, False], ids=["as it came", "decoded already"])
@pytest.mark.parametrize("coding", CODED)
def test_a_compressed_body_is_decoded_where_it_is_compressed(coding: str, kept: bool) -> None:
    body = {"string": CODED[coding] if kept else ANSWER}

    item = only(cassette(interaction(body=body, headers={"Content-Encoding": [coding]})))

    assert item.exchange.answer.body == ANSWER.encode()


@pytest.mark.parametrize(
    ("coding", "body", "expected"),
    [
        (
            "gzip",
            CODED["gzip"][:-9],
            "has a body that cannot be decoded: the body breaks off within its content coding",
        ),
        ("gzip", b"\x1f\x8b\xff\xfe", "has a body that cannot be decoded: the body is not coded as it says"),
        ("br", b"\xff\xfe", "has a body that cannot be decoded: the body is not coded as it says"),
        ("zstd", b"\x28\xb5\x2f\xfd", "has a body that cannot be decoded: the content coding 'zstd' is not known here"),
    ],
    ids=["cut off", "something else", "no text", "unknown"],
)
def test_a_body_that_cannot_be_decoded_has_a_reason(coding: str, body: bytes, expected: str) -> None:
    broken = interaction(body={"string": body}, headers={"content-encoding": coding})

    assert reason(cassette(broken)).startswith(expected)


def test_bytes_that_were_decoded_are_left_alone() -> None:
    decoded = interaction(body={"string": b"\xff\xfb\x90"}, headers={"content-encoding": "gzip"})

    assert only(cassette(decoded)).exchange.answer.body == b"\xff\xfb\x90"


def test_a_body_that_expands_without_end_has_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replay_server.cassettes.importers.content_coding.MOST_BYTES", 1000)
    bomb = interaction(body={"string": gzip.compress(bytes(5000))}, headers={"content-encoding": "gzip"})

    assert reason(cassette(bomb)) == "has a body that expands to more than 1000 bytes"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Request-Id": "r7", "Retry-After": 3},
        {"x-request-id": ["r7"], "retry-after": ["3"]},
        ["X-Request-Id: r7\r\n", "Retry-After: 3\r\n"],
        [["x-request-id", "r7"], ["Retry-After", "3"]],
    ],
    ids=["texts", "lists", "lines", "pairs"],
)
def test_headers_are_read_in_every_layout(headers: Any) -> None:
    item = only(cassette(interaction(headers=headers, body=None)))

    assert item.exchange.answer.headers == {"x-request-id": "r7", "retry-after": "3"}


def test_a_request_has_its_path_query_and_body() -> None:
    request = only(cassette(interaction(body=None))).exchange.request

    assert (request.method, request.path) == ("POST", "/v1/audio/speech")
    assert request.query == (("a", "1"), ("a", "2"), ("b", ""))
    assert request.body == b"{}"


def test_a_parsed_body_is_dumped_compactly() -> None:
    asked = {"method": "POST", "uri": "http://h/v1/x", "headers": {}, "parsed_body": {"b": [1.0, "é"], "a": None}}
    answered = {"status": {"code": 200}, "parsed_body": {"at": "2024-01-01"}, "headers": {}}

    exchange = only(cassette({"request": asked, "response": answered})).exchange

    assert exchange.request.body == '{"a":null,"b":[1.0,"é"]}'.encode()
    assert exchange.answer.body == b'{"at":"2024-01-01"}'


def test_values_mean_what_their_writer_wrote() -> None:
    """A date that nobody quoted stays the text that it looks like; numbers keep their kind."""
    text = b"interactions:\n- request: {method: GET, uri: http://h/x}\n  response:\n    status: {code: 200}\n"

    item = only(text + b"    parsed_body: {at: 2024-01-01, n: 1, x: 1.5, y: !!binary aGk=, s: 'no'}\n")

    assert item.exchange.answer.body == b'{"at":"2024-01-01","n":1,"x":1.5,"y":"hi","s":"no"}'


def test_a_stream_is_cut_into_its_frames() -> None:
    text = 'event: a\ndata: {"x": 1}\n\ndata: [DONE]\n\n'
    headers = {"Content-Type": ["text/event-stream; charset=utf-8"]}

    answer = only(cassette(interaction(body={"string": text}, headers=headers))).exchange.answer

    assert [frame.data for frame in answer.frames] == split_frames(text.encode())
    assert [frame.after for frame in answer.frames] == [0.0, 0.0]


def test_a_stream_whose_headers_were_filtered_out_is_one_all_the_same() -> None:
    assert only(cassette(interaction(body={"string": "data: 1\n\n"}))).exchange.answer.frames
    assert not only(cassette(interaction(body={"string": "{}"}))).exchange.answer.frames


def test_the_day_is_that_of_the_interaction_or_of_its_answer() -> None:
    dated = interaction(body=None, headers={"date": ["Wed, 20 Nov 2024 13:11:50 GMT"]})

    assert only(cassette(dated)).at == "2024-11-20"
    assert only(cassette({**dated, "recorded_at": "2023-02-01T10:00:00"})).at == "2023-02-01"
    assert only(cassette({**interaction(body=None), "recorded_at": "yesterday"})).at is None


def test_json_is_read_too() -> None:
    data = json.dumps({"version": 1, "interactions": [interaction(body={"string": ANSWER})]}, indent=4).encode()

    assert only(data).exchange.answer.body == ANSWER.encode()


# Relatives and ancestors ---------------------------------------------------------------------------------------------

RUBY = b"""---
http_interactions:
- request:
    method: post
    uri: https://api.openai.com/v1/chat/completions
    body:
      encoding: UTF-8
      string: '{"model":"m"}'
    headers:
      Content-Type: [application/json]
  response:
    status: {code: 200, message: OK}
    headers: {}
    body:
      encoding: ASCII-8BIT
      string: !binary |-
        eyJhIjogMX0=
    http_version: null
  recorded_at: Tue, 01 Nov 2011 04:58:44 GMT
recorded_with: VCR 6.1.0
"""
GO = b"""---
version: 2
interactions:
- id: 0
  request: {body: '{"model":"m"}', headers: {}, url: "https://api.openai.com/v1/chat/completions", method: POST}
  response: {body: '{"a": 1}', headers: {}, status: 200 OK, code: 200, duration: 1s}
"""
BARE = b"""
- request:
    method: POST
    uri: https://api.openai.com/v1/chat/completions
    body: !!python/unicode '{"model":"m"}'
    headers: {}
  response:
    status: {code: 200, message: OK}
    body: {string: !!python/str '{"a": 1}'}
"""
ANCIENT = b"""
- request: !!python/object:vcr.request.Request
    body: '{"model":"m"}'
    headers: !!python/object/apply:__builtin__.frozenset
    - - !!python/tuple [content-type, application/json]
    host: api.openai.com
    method: POST
    path: /v1/chat/completions
    port: 443
    protocol: https
  response:
    status: {code: 200, message: OK}
    headers: ["content-type: application/json\\r\\n"]
    body: {string: '{"a": 1}'}
"""
FILE_LIKE = b"""
interactions:
- request:
    method: POST
    uri: https://api.openai.com/v1/chat/completions
    headers: {}
    body: !!python/object/new:_io.BytesIO
      state: !!python/tuple
      - !!binary eyJtb2RlbCI6Im0ifQ==
      - 0
      - null
  response:
    status: {code: 200}
    body: !!python/object/apply:builtins.iter
      args:
      - - !!binary eyJhIjogMX0=
"""

HALVES = b"""
requests:
- body: '{"model":"m"}'
  headers: {content-type: [application/json]}
  method: POST
  uri: https://api.openai.com/v1/chat/completions
responses:
- body: {string: '{"a": 1}'}
  headers: {}
  status: {code: 200, message: OK}
"""


@pytest.mark.parametrize(
    "data",
    [RUBY, GO, BARE, ANCIENT, FILE_LIKE, HALVES],
    ids=["VCR", "go-vcr", "a bare list", "before version 1", "file-like", "LangChain"],
)
def test_relatives_are_read_too(data: bytes) -> None:
    exchange = only(data).exchange

    assert (exchange.request.method, exchange.request.path) == ("POST", "/v1/chat/completions")
    assert exchange.request.body == b'{"model":"m"}'
    assert exchange.answer.body == b'{"a": 1}'


def test_a_request_without_a_response_has_a_reason() -> None:
    assert reason(HALVES.split(b"responses:")[0] + b"responses: []\n") == "response: missing; it must be a mapping"


# What cannot be imported ---------------------------------------------------------------------------------------------

OK = {"status": {"code": 200}}
NESTED = [b"%c: &%c [%b]\n" % (name, name, b",".join([b"*%c" % (name - 1)] * 10)) for name in b"bcdefghijk"]
BOMB = b"a: &a [0]\n" + b"".join(NESTED)


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        ("x", "is no mapping of request and response"),
        ({"request": ASKED}, "response: missing; it must be a mapping"),
        ({"request": {"method": "GET"}, "response": OK}, "has no uri"),
        ({"request": {**ASKED, "method": 7}, "response": OK}, "method: must be a text, not 7"),
        ({"request": {**ASKED, "method": "BREW IT"}, "response": OK}, "has a method that is none: 'BREW IT'"),
        ({"request": {**ASKED, "uri": "http://[x"}, "response": OK}, "has a URL that cannot be read: Invalid IPv6 URL"),
        ({"request": {**ASKED, "method": "HEAD"}, "response": OK}, "is a HEAD, which the server answers as it would"),
        ({"request": ASKED, "response": {}}, "has no status: its response was not recorded whole"),
        ({"request": ASKED, "response": {"status": 101}}, "has no answer that can be replayed: its status is 101"),
        ({"request": ASKED, "response": {**OK, "body": {"base64_string": "?"}}}, "holds a body that is not base64"),
        (
            {"request": ASKED, "response": {**OK, "parsed_body": {"a": float("nan")}}},
            "has a body with nan, which JSON has not",
        ),
    ],
)
def test_what_cannot_be_imported_has_a_reason(broken: Any, expected: str) -> None:
    sound = interaction(body=None)

    first, second = read_vcrpy(cassette(broken, sound))

    assert isinstance(first, Refused)
    assert first.reason.startswith(expected)
    assert (first.place, second.place) == ("interaction 1", "interaction 2")
    assert isinstance(second, Imported)


def test_a_tag_of_another_program_spoils_only_its_own_interaction() -> None:
    odd = b"    body: !!python/object/apply:os.system ['echo no']\n"
    text = cassette(interaction(body=None)) + b""
    broken = b"- request: {method: GET, uri: http://h/x}\n  response:\n    status: {code: 200}\n" + odd

    first, second = read_vcrpy(b"interactions:\n" + broken + text.split(b"interactions:\n")[1].split(b"version")[0])

    assert isinstance(first, Refused)
    assert "has a body with the tag tag:yaml.org,2002:python/object/apply:os.system" in first.reason
    assert isinstance(second, Imported)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"interactions: [", "is not YAML: did not find expected node content .line 2."),
        (b"a: b", "has no list of interactions or http_interactions"),
        (b"interactions: 7", "has no list of interactions or http_interactions"),
        (b"[" * 3000, "is not JSON"),
        (b"interactions: &a [*a]", "lies more than 200 deep"),
        (BOMB, "expands to more than 5000000 values"),
        (b"interactions:\n- \x00", "is not YAML"),
    ],
    ids=["cut off", "no list", "a number", "deep", "endless", "aliases", "zero byte"],
)
def test_a_file_that_is_no_cassette_has_a_reason(data: bytes, expected: str) -> None:
    with pytest.raises(Unimportable, match=expected):
        list(read_vcrpy(data))


@pytest.mark.parametrize("path", sorted(DATA.iterdir()), ids=lambda path: path.stem)
def test_public_cassettes_are_imported_whole(path: Path) -> None:
    items = list(read_vcrpy(path.read_bytes()))

    assert items
    assert all(isinstance(item, Imported) for item in items)
