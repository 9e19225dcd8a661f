"""A form as a body: fields with their types, files by their content, and back to the form that a client sends."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_server.endpoints.base import BadField, Uploading
from replay_server.endpoints.documents import document_request
from replay_server.endpoints.form_body import FormFields, check_files, content_key, form_of_parts, parts_of, read_form
from replay_server.endpoints.http_form import LONGEST_KEPT, NotKept, http_request
from replay_server.endpoints.outgoing import outgoing
from replay_server.endpoints.table import resource_named

FIELDS = FormFields(
    files=frozenset({"file"}),
    lists=frozenset({"tags"}),
    integers=frozenset({"n", "padding"}),
    numbers=frozenset({"heat"}),
    booleans=frozenset({"stream"}),
)


def read(*parts: dict[str, Any]) -> dict[str, Any]:
    _, content_type, body = http_request({"form": list(parts)})
    return read_form(content_type, body, FIELDS, lambda data: {})


def part(name: str, value: str, **head: str) -> dict[str, Any]:
    return {"name": name, **head, "value": value}


def test_fields_have_the_types_that_they_have_in_json() -> None:
    sent = {"n": "2", "heat": "0.5", "stream": "True", "prompt": "2", "tags": "a", "more[]": "b", "vad[padding]": "300"}
    file = part("file", "RIFF", filename="a.wav", content_type="audio/wav")

    assert read(*(part(name, value) for name, value in sent.items()), part("more[]", "c"), file) == {
        "n": 2,
        "heat": 0.5,
        "stream": True,
        "prompt": "2",
        "tags": ["a"],
        "more": ["b", "c"],
        "vad": {"padding": 300},
        "file": {"filename": "a.wav", "content_type": "audio/wav", "value": "RIFF"},
    }


@pytest.mark.parametrize("value", ["two", "1e9", "", "0x1", "1" * 30, "٣"])
def test_what_is_no_number_stays_a_text(value: str) -> None:
    file = part("file", "", filename="a")

    assert read(part("n", value), part("heat", value), file)["n"] == value


def test_a_field_that_comes_again_is_a_list() -> None:
    files = [part("file", text, filename=f"{text}.png") for text in "abc"]

    assert [file["value"] for file in read(*files)["file"]] == ["a", "b", "c"]


def test_a_long_text_is_kept_whole_and_a_long_file_by_its_hash() -> None:
    long = "x" * (LONGEST_KEPT + 1)

    body = read(part("prompt", long), part("file", long, filename="a"))

    assert body["prompt"] == long
    assert body["file"]["sha256"] == hashlib.sha256(long.encode()).hexdigest()


@given(data=st.binary(max_size=2 * LONGEST_KEPT), name=st.sampled_from(["a.wav", "b.wav"]))
def test_a_file_has_one_key_however_it_is_kept(data: bytes, name: str) -> None:
    digest = hashlib.sha256(data).hexdigest()
    kept: list[Any] = [{"sha256": digest, "bytes": 7}, {"filename": name, "sha256": digest}]
    parts = [{"name": "file", "filename": name, **each} for each in kept]

    keys = [content_key(form_of_parts([each], FIELDS)["file"]) for each in parts]

    assert keys == [{"sha256": digest}] * 2 == [content_key([kept[0]]), content_key(kept[1])]


names = st.text("abc", min_size=1, max_size=3)
values = st.text("ab é", max_size=5) | st.lists(st.text("ab", max_size=3), min_size=1, max_size=3)


@given(body=st.dictionaries(names, values, max_size=4), content=st.text(max_size=9))
def test_a_body_is_what_its_form_is_read_as(body: dict[str, Any], content: str) -> None:
    whole = {**body, "file": {"filename": "a", "content_type": "a/b", "value": content}}

    assert read(*parts_of(whole)) == whole


def test_a_form_is_sent_again_as_it_was_recorded() -> None:
    resource = resource_named("audio/transcriptions")
    fields = {"model": "m", "include": ["logprobs"], "file": {"filename": "a.wav", "base64": "/wA=", "seconds": 2.0}}

    raw = outgoing(resource, fields)

    assert isinstance(resource, Uploading)
    assert resource.parse(raw).body == {**fields, "file": {"filename": "a.wav", "base64": "/wA="}}
    with pytest.raises(NotKept):
        outgoing(resource, {"file": {"sha256": "ab"}})


def test_an_old_document_is_the_request_of_its_endpoint() -> None:
    form = [part("model", "m"), {"name": "file", "filename": "a.wav", "sha256": "ab", "bytes": 9}]

    resource, request = document_request("POST /audio/transcriptions", {"form": form})
    _, azure = document_request("POST /openai/deployments/d/audio/transcriptions", {"form": form})

    assert (resource.name, request.model, azure.model) == ("audio/transcriptions", "m", "d")
    assert request.body["file"] == {"filename": "a.wav", "sha256": "ab", "bytes": 9}


@pytest.mark.parametrize(
    ("file", "path"),
    [
        (7, ("file",)),
        ({"filename": "a"}, ("file",)),
        ({"value": "a", "sha256": "b"}, ("file",)),
        ({"base64": "A"}, ("file", "base64")),
        ([{"value": "a"}, {"value": "a", "size": 1}], ("file", 1, "size")),
    ],
    ids=["a number", "no content", "two contents", "no base64", "an unknown field"],
)
def test_what_is_no_file_is_refused(file: Any, path: tuple[str | int, ...]) -> None:
    with pytest.raises(BadField) as refused:
        check_files({"file": file}, FIELDS)

    assert refused.value.path == path
