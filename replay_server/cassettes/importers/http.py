"""A request and an answer, as a file tells of them, as an exchange: what is the same for every format."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, unquote, urlsplit

from replay_server.cassettes.importers.content_coding import decoded
from replay_server.cassettes.importers.items import Skipped, Unimportable
from replay_server.cassettes.importers.text import whole_characters
from replay_server.cassettes.sse import split_frames
from replay_server.endpoints.address import OWN_PAGES
from replay_server.interaction import Answered, Exchange, RawRequest, TimedFrame

_STREAM = "text/event-stream"
_LIKE_A_STREAM = re.compile(rb"(?:data|event|id|retry)?:")
_METHOD = re.compile(r"[A-Z][A-Z_-]*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?![^T ])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request. Header names are lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    gaps: Callable[[Sequence[bytes]], Sequence[float]] = lambda frames: [0.0] * len(frames)
    """The seconds before each frame of a stream. None is known, where nothing is given."""


def exchange(asked: Asked, given: Given) -> Exchange:
    """The exchange, its bodies without their content codings. Raises Unimportable."""
    return Exchange(_request(asked), _answer(given))


def _request(asked: Asked) -> RawRequest:
    try:
        asked.url.encode()
        url = urlsplit(asked.url)
        query = tuple(parse_qsl(url.query, keep_blank_values=True))
    except ValueError as error:
        raise Unimportable(f"has a URL that cannot be read: {error}") from None
    method = asked.method.upper()
    if not _METHOD.fullmatch(method):
        raise Unimportable(f"has a method that is none: {method!a}")
    if method == "OPTIONS":
        raise Skipped("is a browser's preflight, which the server answers by itself")
    if method == "HEAD":
        raise Unimportable("is a HEAD, which the server answers as it would a GET: import that")
    path = unquote(url.path) or "/"
    if method == "GET" and path in OWN_PAGES:
        raise Unimportable(f"asks for {path}, where this server has a page of its own")
    return RawRequest(
        method=method,
        path=path,
        parameters={},
        query=query,
        headers=asked.headers,
        body=_body(asked),
    )


def _answer(given: Given) -> Answered:
    if not 200 <= given.status <= 599:
        raise Unimportable(f"has no answer that can be replayed: its status is {given.status}")
    body = _body(given)
    frames = _frames(body, given) if _is_stream(body, given.headers) else ()
    return Answered(given.status, given.headers, body, frames)


def _body(message: Asked | Given) -> bytes:
    return decoded(message.body, message.headers.get("content-encoding", ""))


def _is_stream(body: bytes, headers: Mapping[str, str]) -> bool:
    """By its type; where a tool has left the headers out, by the look of it."""
    content_type = headers.get("content-type")
    if content_type is None:
        return _LIKE_A_STREAM.match(body) is not None
    return content_type.lower().startswith(_STREAM)


def _frames(body: bytes, given: Given) -> tuple[TimedFrame, ...]:
    frames = split_frames(body) or [b""]
    return tuple(TimedFrame(gap, frame) for gap, frame in zip(given.gaps(frames), frames, strict=True))


def flat_headers(pairs: Iterable[tuple[object, object]]) -> dict[str, str]:
    """Headers by name in lower case; one that comes several times has its values joined. HTTP/2's own are left out."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        key = whole_characters(str(name)).strip().lower()
        if key and not key.startswith(":") and isinstance(value, str | int | float):
            text = whole_characters(str(value))
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def day(*dates: object) -> str | None:
    """The day of the first date that can be read, as ISO 8601 or HTTP write it."""
    return next((found for date in dates if isinstance(date, str) and (found := _day(date.strip()))), None)


def _day(date: str) -> str | None:
    try:
        if _DATE.match(date):
            return datetime.fromisoformat(date[:10]).date().isoformat()
        return parsedate_to_datetime(date).date().isoformat()
    except (ValueError, OverflowError):
        return None
