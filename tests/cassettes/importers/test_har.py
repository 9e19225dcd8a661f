"""HAR files, as Chrome, Firefox and mitmproxy save them."""

import base64
import gzip
import zlib
from typing import Any

import orjson
import pytest

from replay_server.cassettes.importers.har import read_har
from replay_server.cassettes.importers.items import Imported, Item, Refused, Unimportable

URL = "https://api.openai.com/v1/chat/completions"
ANSWER = '{"text": "é"}'
SSE = "data: 1\n\ndata: 2\n\ndata: [DONE]\n\n"


def har(*entries: Any) -> bytes:
    return orjson.dumps({"log": {"version": "1.2", "creator": {"name": "x"}, "entries": list(entries)}})


def entry(content: dict[str, Any] | None = None, /, **changes: Any) -> dict[str, Any]:
    request = {
        "method": "POST",
        "url": URL,
        "headers": [{"name": ":authority", "value": "api.openai.com"}, {"name": "Content-Type", "value": "x/y"}],
        "postData": {"mimeType": "application/json", "text": "{}"},
        "bodySize": 2,
    }
    response = {
        "status": 200,
        "headers": [{"name": "Content-Type", "value": "application/json"}],
        "content": {"mimeType": "application/json", "text": ANSWER} if content is None else content,
    }
    timings = {"blocked": 5, "connect": -1, "send": 100, "wait": 400, "receive": 300}
    fields = {"startedDateTime": "2024-05-06T07:08:09.123Z", "timings": timings}
    return {
        **fields,
        **{name: value for name, value in changes.items() if name not in ("request", "response")},
        "request": {**request, **changes.get("request", {})},
        "response": {**response, **changes.get("response", {})},
    }


def only(data: bytes, *patterns: str) -> Imported:
    (item,) = read_har(data, patterns)
    assert isinstance(item, Imported), item
    return item


def refused(item: Item) -> Refused:
    assert isinstance(item, Refused), item
    return item


def test_an_entry_is_an_exchange() -> None:
    item = only(har(entry()))

    assert (item.place, item.url, item.at) == ("entry 1", URL, "2024-05-06")
    assert item.exchange.request.path == "/v1/chat/completions"
    assert item.exchange.request.headers == {"content-type": "x/y"}
    assert item.exchange.request.body == b"{}"
    assert item.exchange.answer.body == ANSWER.encode()


CONTENTS = {
    "text": ({"text": ANSWER}, ANSWER.encode()),
    "base64": ({"text": base64.b64encode(b"\xff\x00").decode(), "encoding": "base64"}, b"\xff\x00"),
    "another charset": ({"mimeType": "text/plain; charset=ISO-8859-1", "text": "é"}, b"\xe9"),
    "an unknown charset": ({"mimeType": "text/plain; charset=none", "text": "é"}, "é".encode()),
    "empty": ({"text": "", "size": 0}, b""),
    "nothing, of no size": ({"size": 0}, b""),
}


@pytest.mark.parametrize(("content", "body"), CONTENTS.values(), ids=CONTENTS.keys())
def test_content_is_read_in_every_layout(content: dict[str, Any], body: bytes) -> None:
    assert only(har(entry(content))).exchange.answer.body == body


def test_content_that_is_still_compressed_is_decoded() -> None:
    headers = [{"name": "content-encoding", "value": "gzip"}]
    packed = {"text": base64.b64encode(gzip.compress(ANSWER.encode())).decode(), "encoding": "base64"}

    for content in (packed, {"text": ANSWER}):
        assert only(har(entry(content, response={"headers": headers}))).exchange.answer.body == ANSWER.encode()


def test_what_came_from_the_cache_is_what_the_page_got() -> None:
    answer = only(har(entry(response={"status": 304}))).exchange.answer

    assert (answer.status, answer.body) == (200, ANSWER.encode())


def test_the_gaps_of_a_stream_are_those_that_the_file_tells() -> None:
    headers = [{"name": "content-type", "value": "text/event-stream"}]

    frames = only(har(entry({"text": SSE}, response={"headers": headers}))).exchange.answer.frames

    assert b"".join(frame.data for frame in frames) == SSE.encode()
    assert [round(frame.after, 3) for frame in frames] == [0.5, 0.15, 0.15]


def test_the_messages_of_an_event_source_are_its_stream() -> None:
    messages = [
        {"time": 10.0, "eventName": "message", "eventId": "", "data": "1\n2"},
        {"time": 10.5, "eventName": "a", "eventId": "7", "data": "{}"},
    ]
    content = {"mimeType": "text/event-stream", "size": 40}

    answer = only(har(entry(content, _eventSourceMessages=messages, response={"headers": []}))).exchange.answer

    assert answer.body == b"data: 1\ndata: 2\n\nevent: a\nid: 7\ndata: {}\n\n"
    assert [round(frame.after, 3) for frame in answer.frames] == [0.5, 0.5]


def test_a_form_without_its_text_is_made_of_its_fields() -> None:
    data = {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "a b", "value": "é"}]}

    assert only(har(entry(request={"postData": data}))).exchange.request.body == b"a+b=%C3%A9"


def test_a_form_begins_with_its_boundary() -> None:
    """Firefox has the headers of the upload before it."""
    text = "Content-Length: 9\r\n\r\n--x\r\n\r\n1\r\n--x--"
    data = {"mimeType": "multipart/form-data; boundary=x", "text": text}

    assert only(har(entry(request={"postData": data}))).exchange.request.body == b"--x\r\n\r\n1\r\n--x--"


def test_mitmproxys_compressed_file_is_read() -> None:
    assert only(zlib.compress(har(entry()), 9)).exchange.answer.body == ANSWER.encode()


SKIPPED = {
    "preflight": (entry(request={"method": "OPTIONS"}), "asks by OPTIONS, which the server answers by itself"),
    "tunnel": (entry(request={"method": "CONNECT"}), "asks by CONNECT, which the server answers by itself"),
    "Chrome's websocket": (entry(_resourceType="websocket"), "is a WebSocket, which cannot be replayed"),
    "mitmproxy's websocket": (entry(_webSocketMessages=[]), "is a WebSocket, which cannot be replayed"),
    "ws": (entry(request={"url": "wss://h/v1/realtime"}), "is a WebSocket, which cannot be replayed"),
    "data": (entry(request={"url": "data:image/png;base64,x"}), "is no HTTP request: its URL is data:"),
    "script": (entry(_resourceType="script"), "is what a page loads (script): name it by --only to have it"),
    "image": (
        entry(request={"method": "GET"}, response={"headers": [{"name": "Content-Type", "value": "image/png"}]}),
        "is what a page loads (image/png): name it by --only to have it",
    ),
    "image without content": (
        entry({"size": 9}, _resourceType="image", request={"method": "GET"}),
        "is what a page loads (image): name it by --only to have it",
    ),
}


@pytest.mark.parametrize(("skipped", "reason"), SKIPPED.values(), ids=SKIPPED.keys())
def test_what_is_no_call_of_an_api_is_skipped(skipped: dict[str, Any], reason: str) -> None:
    (item,) = read_har(har(skipped))

    assert item == Refused(place="entry 1", reason=reason, skipped=True)


def test_only_chooses_by_url_and_takes_a_page_too() -> None:
    image = entry(request={"method": "GET", "url": "https://images.net/a.png"}, _resourceType="image")

    first, second = read_har(har(image, entry()), ["https://images.net/*"])

    assert isinstance(first, Imported)
    assert second == Refused(place="entry 2", reason="has a URL that --only does not name", skipped=True)


REFUSED = {
    "content left out": (entry({"size": 7, "mimeType": "x/y"}), "has an answer whose content is not in the file"),
    "content elsewhere": (entry({"size": 7, "_file": "x.bin"}), "has an answer whose content is not in the file"),
    "an empty stream": (
        entry({"text": "", "mimeType": "text/event-stream"}, response={"headers": []}),
        "has a stream of",
    ),
    "from the cache": (entry({"size": 0}, response={"status": 304}), "has an answer whose content is not in the file"),
    "blocked": (entry(response={"status": 0, "_error": "net::ERR_FAILED"}), "has no answer (net::ERR_FAILED)"),
    "body left out": (entry(request={"postData": None}), "has a request whose body (postData) is not in the file"),
    "files": (
        entry(request={"postData": {"mimeType": "multipart/form-data", "params": [{"name": "f", "fileName": "a"}]}}),
        "has a request with a form whose text is not in the file",
    ),
    "no url": (entry(request={"url": None}), "url: missing; it must be a text"),
    "no mapping": (7, "is no mapping of request and response"),
}


@pytest.mark.parametrize(("broken", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_imported_has_a_reason(broken: Any, reason: str) -> None:
    first, second = read_har(har(broken, entry()))

    assert refused(first).reason.startswith(reason)
    assert not refused(first).skipped
    assert isinstance(second, Imported)


@pytest.mark.parametrize("data", [b"{}", b'{"log": {}}', b"[]", b"x", b"\x78\x9cxx"], ids=str)
def test_a_file_that_is_no_har_has_a_reason(data: bytes) -> None:
    with pytest.raises(Unimportable):
        list(read_har(data))
