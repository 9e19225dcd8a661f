"""Whatever a file holds, an importer gives exchanges or reasons: it never breaks."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replay_server.cassettes.config import Config
from replay_server.cassettes.importers.batch import read_batch
from replay_server.cassettes.importers.formats import READERS, detect
from replay_server.cassettes.importers.items import Imported, Item, Refused, Unimportable
from replay_server.cassettes.importers.run import documents_and_refused

# A busy machine is no failure.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [
            "gzip",
            "br, deflate",
            "base64",
            "wss://x",
            "http://[",
            "/__replay/s/!/x",
            "0",
            "é\ud800",
            "a\r\nb",
            "\x1f\x8b",
        ]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)

JSON_BODY = '{"model": "m", "messages": [{"role": "user", "content": "x"}]}'
HEADERS = {
    "content-type": ["application/json"],
    "content-encoding": ["identity"],
    "date": ["Wed, 20 Nov 2024 13:11:50 GMT"],
}
VCRPY = {
    "interactions": [
        {
            "request": {
                "method": "POST",
                "uri": "http://h/v1/chat/completions?a=b",
                "body": JSON_BODY,
                "headers": HEADERS,
            },
            "response": {"status": {"code": 200}, "body": {"string": "{}"}, "headers": HEADERS},
            "recorded_at": "2024-01-01T00:00:00",
        }
    ]
}
CHUNK = {
    "__type__": "openai.types.chat.chat_completion_chunk.ChatCompletionChunk",
    "__data__": {
        "id": "x",
        "choices": [{"delta": {"role": "assistant", "tool_calls": [{"function": {"name": None}}]}}],
    },
}
RECORDING = {
    "request": {
        "method": "POST",
        "url": "http://h/v1",
        "endpoint": "/v1/chat/completions",
        "body": {
            "model": "m",
            "extra_body": {"a": 1},
            "extra_query": {"q": "1"},
            "stream_options": {"include_usage": True},
        },
        "headers": {},
    },
    "response": {"body": [CHUNK, CHUNK], "is_streaming": True, "status": 200},
}
FAILURE = {
    **RECORDING,
    "response": {
        "body": None,
        "is_exception": True,
        "exception_data": {"status_code": 400, "message": "Error code: 400 - {'error': {}}", "body": {}},
    },
}
HAR = {
    "log": {
        "entries": [
            {
                "startedDateTime": "2024-01-01T00:00:00Z",
                "_resourceType": "fetch",
                "_eventSourceMessages": [{"time": 1.0, "eventName": "a", "eventId": "b", "data": "c"}],
                "timings": {"send": 1, "wait": 2.5, "receive": -1},
                "request": {
                    "method": "POST",
                    "url": "https://h/v1/chat/completions",
                    "headers": [{"name": "Content-Type", "value": "application/json"}],
                    "postData": {
                        "mimeType": "application/json; charset=utf-8",
                        "text": JSON_BODY,
                        "params": [{"name": "a"}],
                    },
                    "bodySize": 7,
                },
                "response": {
                    "status": 200,
                    "headers": [{"name": "Content-Type", "value": "text/event-stream"}],
                    "content": {"mimeType": "text/event-stream", "text": "data: 1\n\n", "encoding": "", "size": 9},
                },
            }
        ]
    }
}
REQUEST_LINE = {"custom_id": "a", "method": "POST", "url": "/v1/embeddings", "body": {"model": "m", "input": "x"}}
ANSWER_LINE = {"custom_id": "a", "response": {"status_code": 200, "request_id": "r", "body": {}}, "error": None}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where there is something in a value: each of its members, and theirs."""
    for key, member in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield (*path, key)
        yield from places(member, (*path, key))


def put(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    """The value with something else at a place, as it is where there is no such place."""
    if not path:
        return odd
    step, *rest = path
    if isinstance(value, dict) and step in value:
        return {**value, step: put(value[step], tuple(rest), odd)}
    if isinstance(value, list) and isinstance(step, int):
        return [put(item, tuple(rest), odd) if at == step else item for at, item in enumerate(value)]
    return value


def spoiled(value: Any) -> st.SearchStrategy[Any]:
    """The value with something else at one or two of its places."""
    where = st.sampled_from(list(places(value)))
    return st.tuples(where, ODD, where, ODD).map(lambda odd: put(put(value, odd[0], odd[1]), odd[2], odd[3]))


def judged(items: Iterator[Item]) -> None:
    """All of it is exchanges that can be documents, or reasons that can be shown."""
    found = list(items)
    documents_and_refused([item for item in found if isinstance(item, Imported)], Config())
    assert all(item.reason for item in found if isinstance(item, Refused))


def read(form: str, data: bytes) -> None:
    with contextlib.suppress(Unimportable):
        judged(READERS[form](data, ()))


@pytest.mark.parametrize(
    ("form", "value"),
    [("vcrpy", VCRPY), ("recordings", RECORDING), ("recordings", FAILURE), ("har", HAR)],
    ids=["vcrpy", "recordings", "failure", "har"],
)
def test_a_sound_file_is_imported(form: str, value: Any) -> None:
    (item,) = READERS[form](json.dumps(value).encode(), ())

    assert isinstance(item, Imported)


@PATIENT
@given(data=st.data())
@pytest.mark.parametrize(
    ("form", "value"),
    [("vcrpy", VCRPY), ("recordings", RECORDING), ("recordings", FAILURE), ("har", HAR)],
    ids=["vcrpy", "recordings", "failure", "har"],
)
def test_odd_values_have_reasons(form: str, value: Any, data: Any) -> None:
    read(form, json.dumps(data.draw(spoiled(value))).encode())


@PATIENT
@given(spoiled(VCRPY))
def test_odd_values_in_yaml_have_reasons(value: Any) -> None:
    try:
        text = yaml.dump(value).encode()
    except UnicodeEncodeError:  # half a character is no text
        return

    read("vcrpy", text)


@PATIENT
@given(spoiled(REQUEST_LINE), spoiled(ANSWER_LINE))
def test_odd_lines_of_a_batch_have_reasons(request: Any, answer: Any) -> None:
    judged(read_batch(json.dumps(request).encode(), {"out.jsonl": json.dumps(answer).encode()}))


@PATIENT
@given(
    st.binary(max_size=60)
    | st.sampled_from([b"", b"{", b"[" * 100_000, b"&a [*a]", b"interactions:\n- !!x y", b"\x78\x9c"])
)
@pytest.mark.parametrize("form", READERS)
def test_any_bytes_at_all_have_a_reason(form: str, data: bytes) -> None:
    read(form, data)
    with contextlib.suppress(Unimportable):
        assert detect(data, "x.json") in READERS
