"""HAR 1.2, as browsers and mitmproxy save it: entries with the request, the answer, and when each came.

A browser's file holds all that a page has loaded. What cannot be a call of an API is skipped: documents, scripts,
images, preflights, WebSockets. Bodies stand there decoded, as text or in base64; Chrome leaves out what it has dropped.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from urllib.parse import urlencode

from replay_server.cassettes.importers.content_coding import decoded
from replay_server.cassettes.importers.har_stream import gaps_of, messages_text
from replay_server.cassettes.importers.http import Asked, Given, day, exchange, flat_headers
from replay_server.cassettes.importers.items import Imported, Item, Skipped, Unimportable, choose, each
from replay_server.cassettes.importers.text import check_size, encoded, from_base64, load_json
from replay_server.endpoints.short_form import items, optional, required
from replay_server.interaction import Json, JsonObject

_NOT_MODIFIED = 304
_CHARSET = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)
_BOUNDARY = re.compile(r"^multipart/.*boundary=\"?([^\";]+)", re.IGNORECASE)
_ZLIB, _ZHAR = b"\x78", "deflate"
"""How a `.zhar` of mitmproxy begins, for it is compressed."""

_ASSETS = frozenset(
    {
        *("document", "stylesheet", "script", "image", "media", "font", "texttrack", "manifest", "signedexchange"),
        *("websocket", "webtransport", "directsocket", "preflight", "cspviolationreport"),
    }
)
"""What Chrome calls the resources of a page (`_resourceType`), and connections that are no requests."""

_ASSET_TYPES = re.compile(
    r"text/(?:html|css|javascript)|application/(?:javascript|x-javascript|wasm|font|x-font)|image/|font/|video/"
)
"""Media types of a page's resources, where the tool does not say what each is for."""


def read_har(data: bytes, only: Sequence[str] = ()) -> Iterator[Item]:
    """The exchanges of a HAR file: those whose URL matches `only`, else what may be a call of an API.

    Raises Unimportable where it is no HAR file.
    """
    value = load_json(decoded(data, _ZHAR) if data.startswith(_ZLIB) else data)
    check_size(value)
    return each("entry", _entries(value), partial(_read, only))


def _entries(value: object) -> Sequence[object]:
    """The entries in a file's value. Raises Unimportable."""
    log = value.get("log") if isinstance(value, dict) else None
    found = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(found, list):
        raise Unimportable("has no log.entries")
    return found


def _read(only: Sequence[str], place: str, entry: object) -> Imported:
    if not isinstance(entry, dict):
        raise Unimportable("is no mapping of request and response")
    request, response = required(entry, "request", dict), required(entry, "response", dict)
    url, method = required(request, "url", str), required(request, "method", str)
    choose(url, only)
    _skip_connections(entry, url, method)
    if not only:
        _skip_assets(entry, method)
    asked = Asked(method=method, url=url, headers=_headers(request), body=_asked_body(request))
    given = _given(entry, response)
    return Imported(place=place, url=url, exchange=exchange(asked, given), at=day(entry.get("startedDateTime")))


def _skip_connections(entry: JsonObject, url: str, method: str) -> None:
    scheme = url.partition(":")[0].lower()
    if scheme in ("ws", "wss") or "_webSocketMessages" in entry or entry.get("_resourceType") == "websocket":
        raise Skipped("is a WebSocket, which cannot be replayed")
    if scheme not in ("http", "https"):
        raise Skipped(f"is no HTTP request: its URL is {scheme[:20]}:")
    if method.upper() in ("OPTIONS", "CONNECT"):
        raise Skipped(f"asks by {method.upper()}, which the server answers by itself")


def _skip_assets(entry: JsonObject, method: str) -> None:
    kind = entry.get("_resourceType")
    if isinstance(kind, str) and kind.lower() in _ASSETS:
        raise Skipped(f"is what a page loads ({kind}): name it by --only to have it")
    content_type = _content_type(optional(entry, "response", dict) or {})
    if method.upper() == "GET" and _ASSET_TYPES.match(content_type.lower()):
        raise Skipped(f"is what a page loads ({content_type}): name it by --only to have it")


def _headers(message: Mapping[str, Json]) -> dict[str, str]:
    headers = items(message, "headers", dict)
    return flat_headers((header.get("name", ""), header.get("value")) for header in headers)


def _content_type(response: Mapping[str, Json]) -> str:
    content = optional(response, "content", dict) or {}
    return _headers(response).get("content-type") or optional(content, "mimeType", str) or ""


# The request ---------------------------------------------------------------------------------------------------------


def _asked_body(request: Mapping[str, Json]) -> bytes:
    data = optional(request, "postData", dict)
    if data is None:
        if (optional(request, "bodySize", int) or 0) > 0:
            raise Unimportable("has a request whose body (postData) is not in the file")
        return b""
    if text := optional(data, "text", str):
        return from_base64(text) if data.get("encoding") == "base64" else _encoded(_form_text(text, data), data)
    return _form(items(data, "params", dict))


def _form_text(text: str, data: JsonObject) -> str:
    """A body of several parts begins with its boundary: Firefox puts the headers of the upload before it."""
    boundary = _BOUNDARY.search(optional(data, "mimeType", str) or "")
    start = text.find(f"--{boundary[1]}") if boundary else 0
    return text[max(0, start) :]


def _form(params: Sequence[JsonObject]) -> bytes:
    if any("fileName" in param or "contentType" in param for param in params):
        raise Unimportable("has a request with a form whose text is not in the file")
    pairs = [(str(param.get("name", "")), str(param.get("value", ""))) for param in params]
    return urlencode(pairs, errors="replace").encode()


def _encoded(text: str, holder: Mapping[str, Json]) -> bytes:
    """The bytes of a text that the tool decoded by the charset of its type."""
    found = _CHARSET.search(optional(holder, "mimeType", str) or "")
    return encoded(text, found[1] if found else "utf-8")


# The answer ----------------------------------------------------------------------------------------------------------


def _given(entry: JsonObject, response: Mapping[str, Json]) -> Given:
    status = required(response, "status", int)
    if status == 0:
        raise Unimportable(f"has no answer ({response.get('_error') or 'it was blocked, or did not arrive'})")
    body = _given_body(entry, response, status)
    headers = _headers(response)
    if "content-type" not in headers and (content_type := _content_type(response)):
        headers["content-type"] = content_type
    if status == _NOT_MODIFIED and body:
        status = 200  # the page got it from its cache, and was not told
    return Given(status=status, headers=headers, body=body, gaps=partial(gaps_of, entry))


def _given_body(entry: JsonObject, response: Mapping[str, Json], status: int) -> bytes:
    content = optional(response, "content", dict) or {}
    text = optional(content, "text", str)
    if text is not None and content.get("encoding") == "base64":
        return from_base64(text)
    if text:
        return _encoded(text, content)
    if messages := items(entry, "_eventSourceMessages", dict):
        return messages_text(messages)
    size = optional(content, "size", int) or 0
    if status == _NOT_MODIFIED or "_file" in content or (text is None and size > 0):
        raise Unimportable("has an answer whose content is not in the file: save it with content, and not from a cache")
    if status == 200 and _content_type(response).lower().startswith("text/event-stream"):
        raise Unimportable("has a stream of which nothing is in the file: tools that pass streams on keep none of them")
    return b""
