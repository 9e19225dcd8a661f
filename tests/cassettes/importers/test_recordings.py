"""Recordings of OGX: typed objects as the JSON and the streams that gave them."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from replay_server.cassettes.importers.items import Imported, Refused, Unimportable
from replay_server.cassettes.importers.recordings import read_recordings
from replay_server.interaction import Exchange

DATA = Path(__file__).parents[2] / "data" / "recordings" / "ogx"
CHUNK = "openai.types.chat.chat_completion_chunk.ChatCompletionChunk"


def recording(response: dict[str, Any], body: dict[str, Any] | None = None, **request: Any) -> bytes:
    asked = {
        "method": "POST",
        "url": "http://h:1/v1/v1/chat/completions",
        "endpoint": "/v1/chat/completions",
        **request,
    }
    return orjson.dumps({"test_id": "a.py::b", "request": {**asked, "body": body or {}}, "response": response})


def typed(kind: str, **fields: Any) -> dict[str, Any]:
    return {"__type__": kind, "__data__": fields}


def only(data: bytes) -> Exchange:
    (item,) = read_recordings(data)
    assert isinstance(item, Imported), item
    return item.exchange


def reason(data: bytes) -> str:
    (item,) = read_recordings(data)
    assert isinstance(item, Refused), item
    return item.reason


def test_a_chat_completion_has_the_nulls_that_the_api_sends() -> None:
    message = {"role": "assistant", "content": "Hi", "refusal": None, "annotations": None, "audio": None}
    choice = {"finish_reason": "stop", "index": 0, "logprobs": None, "stop_reason": None, "message": message}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "prompt_tokens_details": None}
    fields = {"choices": [choice], "id": "c", "model": "m", "usage": usage, "service_tier": None}

    body = only(recording({"body": typed("x.ChatCompletion", **fields), "is_streaming": False})).answer.body

    assert body == (
        b'{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi","refusal":null},'
        b'"logprobs":null,"finish_reason":"stop","stop_reason":null}],'
        b'"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}'
    )


def chunk(delta: dict[str, Any], **fields: Any) -> dict[str, Any]:
    nulls = {"content": None, "function_call": None, "refusal": None, "role": None, "tool_calls": None}
    choice = {"delta": {**nulls, **delta}, "finish_reason": None, "index": 0, "logprobs": None}
    return typed(CHUNK, **{"id": "c", "choices": [choice], "model": "m", "service_tier": None, "usage": None, **fields})


STREAM = {"is_streaming": True, "body": [chunk({"role": "assistant", "content": "Hi"}), chunk({"content": "!"})]}


def test_chunks_are_a_stream_that_ends_with_done() -> None:
    answer = only(recording(STREAM)).answer

    choices = [
        b'"choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"},"logprobs":null,"finish_reason":null}]',
        b'"choices":[{"index":0,"delta":{"content":"!"},"logprobs":null,"finish_reason":null}]',
    ]
    frames = [b'data: {"id":"c","model":"m",%b}\n\n' % each for each in choices]
    assert [frame.data for frame in answer.frames] == [*frames, b"data: [DONE]\n\n"]
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"


def test_chunks_have_a_null_usage_where_usage_was_asked_for() -> None:
    answer = only(recording(STREAM, {"stream_options": {"include_usage": True}})).answer

    assert all(frame.data.endswith(b',"usage":null}\n\n') for frame in answer.frames[:2])


def test_a_tool_call_begins_with_a_null_content() -> None:
    call = {"index": 0, "id": "c1", "function": {"name": "f", "arguments": ""}, "type": "function"}
    more = {"index": 0, "id": None, "function": {"name": None, "arguments": "{}"}, "type": None}
    body = [chunk({"role": "assistant", "tool_calls": [call]}), chunk({"tool_calls": [more]})]

    frames = only(recording({"is_streaming": True, "body": body})).answer.frames

    assert b'"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"c1"' in frames[0].data
    assert b'"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}' in frames[1].data


def test_events_of_the_responses_api_have_names_and_no_done() -> None:
    event = typed("openai.types.responses.response_text_delta_event.ResponseTextDeltaEvent", type="a.b", delta="x")

    answer = only(recording({"is_streaming": True, "body": [event]}, endpoint="/v1/responses")).answer

    assert answer.body == b'event: a.b\ndata: {"type":"a.b","delta":"x"}\n\n'


def test_lines_of_a_stream_are_put_together() -> None:
    lines = {"is_streaming": True, "status": 200, "body": ["event: a", "data: 1", "", "data: [DONE]", ""]}

    answer = only(recording(lines, payload={"model": "m"}, url="http://h/v1/messages", endpoint=None)).answer

    assert answer.body == b"event: a\ndata: 1\n\ndata: [DONE]\n\n"


def test_ollamas_own_api_streams_lines_without_nulls() -> None:
    chunks = [typed("ollama._types.ChatResponse", model="m", done=done, images=None) for done in (False, True)]

    answer = only(recording({"is_streaming": True, "body": chunks}, endpoint="/api/chat")).answer

    assert answer.body == b'{"model":"m","done":false}\n{"model":"m","done":true}\n'
    assert answer.headers["content-type"] == "application/x-ndjson"


def test_models_are_one_list_that_is_got() -> None:
    models = [typed("openai.types.model.Model", id=name, object="model") for name in ("a", "b")]

    exchange = only(recording({"body": models}, {"extra_query": {"x": "1"}}, endpoint="/v1/models"))

    assert (exchange.request.method, exchange.request.query, exchange.request.body) == ("GET", (("x", "1"),), b"")
    assert exchange.answer.body == b'{"object":"list","data":[{"id":"a","object":"model"},{"id":"b","object":"model"}]}'


def test_the_request_is_what_the_library_sends() -> None:
    arguments = {"model": "m", "extra_body": {"top_k": 1}, "extra_headers": {"a": "b"}, "timeout": 3}

    request = only(recording({"body": {"a": 1}}, arguments)).request

    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.body == b'{"model":"m","top_k":1}'


SHOWN = {"message": "Error code: 400 - {'error': {'message': \"it's bad\", 'code': None}}", "body": {"message": "x"}}
HIDDEN = {"message": "it is bad", "body": {"message": "it is bad", "code": 7}}


@pytest.mark.parametrize(
    ("failure", "body"),
    [
        (SHOWN, b'{"error":{"message":"it\'s bad","code":null}}'),
        (HIDDEN, b'{"error":{"message":"it is bad","code":7}}'),
        ({"message": "no"}, b'{"error":{"message":"no"}}'),
    ],
    ids=["shown in the message", "kept without its envelope", "a message alone"],
)
def test_a_refusal_of_the_upstream_is_its_answer(failure: dict[str, Any], body: bytes) -> None:
    response = {"body": None, "is_exception": True, "exception_data": {"status_code": 400, **failure}}

    answer = only(recording(response)).answer

    assert (answer.status, answer.body) == (400, body)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"[]", "is no mapping of request and response"),
        (recording({"body": {}}, tool_name="web_search"), "is a call of the tool 'web_search', not an HTTP request"),
        (recording({"body": {}}, url=None), "is no HTTP request: it has no url"),
        (recording({"body": {}}, url="vertexai:///x"), "is a call of a library (vertexai) whose HTTP request is not"),
        (recording({"body": None}), "has no answer"),
        (recording({"body": [], "is_streaming": True}), "is a stream without a chunk"),
        (recording({"body": [7], "is_streaming": True}), "is a stream with a chunk that is no mapping: 7"),
        (recording({"body": [1], "is_streaming": True, "is_exception": True}), "is a stream that broke off"),
        (
            recording({"is_exception": True, "exception_message": "timed out"}),
            "is a failure without an answer: timed out",
        ),
        (recording({"body": {"__type__": "a.B"}}), "has a a.B without its __data__"),
    ],
)
def test_what_cannot_be_imported_has_a_reason(data: bytes, expected: str) -> None:
    assert reason(data).startswith(expected)


def test_a_file_that_is_no_json_has_a_reason() -> None:
    with pytest.raises(Unimportable, match="is not JSON"):
        list(read_recordings(b"{"))


@pytest.mark.parametrize("path", sorted(DATA.iterdir()), ids=lambda path: path.stem[:12])
def test_public_recordings_are_imported(path: Path) -> None:
    (item,) = read_recordings(path.read_bytes())

    assert isinstance(item, Imported)
    assert item.name == orjson.loads(path.read_bytes())["test_id"]
