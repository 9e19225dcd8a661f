"""A request as it came over HTTP, as the fields of a cassette, and back."""

import base64
import hashlib
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_server.endpoints.base import BadField
from replay_server.endpoints.http_form import LONGEST_KEPT, NotKept, check_http_fields, http_fields, http_request

FORM = "multipart/form-data; boundary=xyz"
UPLOAD = (
    b'--xyz\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    b'--xyz\r\ncontent-disposition: form-data; name="file"; filename="a \\"b\\".jsonl"\r\n'
    b"Content-Type: application/jsonl\r\n\r\n{}\n\r\n--xyz--\r\n"
)
PARTS = [
    {"name": "purpose", "value": "batch"},
    {"name": "file", "filename": 'a "b".jsonl', "content_type": "application/jsonl", "value": "{}\n"},
]


@pytest.mark.parametrize(
    ("content_type", "body", "fields"),
    [
        ("", b"", {}),
        ("application/json", b'{"b": 1, "a": null}', {"body": {"b": 1, "a": None}}),
        ("text/plain", b"[1]", {"body": [1]}),
        ("application/json", b"{broken", {"raw": "{broken"}),
        ("application/json", b"[" * 200 + b"]" * 200, {"raw": "[" * 200 + "]" * 200}),
        ("audio/wav", b"\xff\xfe", {"raw": {"base64": "//4="}}),
        (
            "application/x-www-form-urlencoded",
            b"a=1+2&b=",
            {"form": [{"name": "a", "value": "1 2"}, {"name": "b", "value": ""}]},
        ),
        (FORM, UPLOAD, {"form": PARTS}),
        (FORM, UPLOAD[:80], {"raw": UPLOAD[:80].decode()}),
        ("multipart/form-data", UPLOAD, {"raw": UPLOAD.decode()}),
    ],
    ids=[
        "none",
        "json",
        "json by another name",
        "broken",
        "deep",
        "bytes",
        "pairs",
        "parts",
        "cut short",
        "no boundary",
    ],
)
def test_a_body_is_kept_in_the_form_that_reads_best(content_type: str, body: bytes, fields: dict[str, Any]) -> None:
    assert http_fields((), content_type, body) == fields


def test_a_query_keeps_names_that_come_again() -> None:
    query = (("include[]", "a"), ("limit", "2"), ("include[]", "b"))

    assert http_fields(query, "", b"") == {"query": {"include[]": ["a", "b"], "limit": "2"}}


def test_what_is_long_is_known_by_its_hash() -> None:
    data = b"\x00" * (LONGEST_KEPT + 1)

    assert http_fields((), "audio/wav", data) == {
        "raw": {"sha256": hashlib.sha256(data).hexdigest(), "bytes": LONGEST_KEPT + 1}
    }
    with pytest.raises(NotKept):
        http_request(http_fields((), "audio/wav", data))


names = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\n\0", exclude_categories=["Cs"]), min_size=1, max_size=20
)
contents = st.one_of(st.text(max_size=80), st.binary(max_size=80))


@given(st.lists(st.tuples(names, names, contents), min_size=1, max_size=4))
def test_a_form_that_is_kept_can_be_sent_again(parts: list[tuple[str, str, str | bytes]]) -> None:
    fields = {"form": [part_fields(*part) for part in parts]}

    query, content_type, body = http_request(fields)

    assert http_fields(query, content_type, body) == fields


def part_fields(name: str, filename: str, content: str | bytes) -> dict[str, Any]:
    data = content.encode() if isinstance(content, str) else content
    try:
        kept: dict[str, Any] = {"value": data.decode()}
    except UnicodeDecodeError:
        kept = {"base64": base64.b64encode(data).decode()}
    return {"name": name, "filename": filename, "content_type": "a/b", **kept}


@given(st.lists(st.tuples(names, st.text(max_size=20)), max_size=5), st.binary(max_size=200))
def test_any_body_is_kept_and_can_be_sent_again(query: list[tuple[str, str]], body: bytes) -> None:
    fields = http_fields(query, "application/octet-stream", body)

    check_http_fields(fields)
    again = http_request(fields)

    assert http_fields(again[0], again[1], again[2]) == fields


async def test_a_form_of_a_real_client_is_read() -> None:
    form = aiohttp.FormData({"model": "whisper-1"})
    form.add_field("file", b"RIFF\xff", filename="sp\u00e9cial.wav", content_type="audio/wav")
    payload = form()

    body = await payload.as_bytes()

    assert http_fields((), payload.headers["content-type"], body)["form"] == [
        {"name": "model", "content_type": "text/plain; charset=utf-8", "value": "whisper-1"}
        if b"text/plain" in body
        else {"name": "model", "value": "whisper-1"},
        {"name": "file", "filename": "sp%C3%A9cial.wav", "content_type": "audio/wav", "base64": "UklGRv8="},
    ]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"model": "m"}, ("model",)),
        ({"body": {}, "raw": ""}, ("raw",)),
        ({"query": {"limit": 2}}, ("query", "limit")),
        ({"form": [{"name": "a"}]}, ("form", 0)),
        ({"form": [{"name": "a", "value": "x", "size": 1}]}, ("form", 0, "size")),
        ({"raw": {"base64": "?"}}, ("raw", "base64")),
        ({"raw": 7}, ("raw",)),
    ],
    ids=[
        "a body's member",
        "two bodies",
        "a number in a query",
        "an empty part",
        "an unknown member",
        "no base64",
        "no text",
    ],
)
def test_fields_that_are_no_request_are_refused(fields: dict[str, Any], path: tuple[str | int, ...]) -> None:
    with pytest.raises(BadField) as refused:
        check_http_fields(fields)

    assert refused.value.path == path
