"""What was asked and answered, the latest of each session. On the way of a request it is one tuple in one queue.

All else (what an entry is called, whether it passes a filter, its JSON) is worked out when somebody asks: under load,
most entries are forgotten before anybody does.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias

import orjson

from replay_server.cassettes.redaction.redactor import Redactor
from replay_server.endpoints.address import read_request
from replay_server.endpoints.base import Resource
from replay_server.interaction import Json, RawRequest, Request

MAX_ENTRIES = 10_000
"""Requests that a session remembers."""
MAX_ALL_ENTRIES = 30_000
"""Requests that all sessions together remember."""
SMALL_BODY = 2048
"""Bytes. A body of no more stays with its entry."""
MAX_BODY_BYTES = 64 * 1024 * 1024
"""Memory of all longer bodies together."""


class Kept:
    """A long body, until it has to make room for others."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data: bytes | None = data


class Bodies:
    """The long bodies that were noted last, up to so many bytes."""

    def __init__(self, most: int = MAX_BODY_BYTES) -> None:
        self._most = most
        self._kept: deque[Kept] = deque()
        self._bytes = 0

    def keep(self, data: bytes) -> Kept:
        """Keep a body; the oldest ones make room."""
        kept = Kept(data)
        self._kept.append(kept)
        self._bytes += len(data)
        while self._bytes > self._most:
            oldest = self._kept.popleft()
            self._bytes -= len(oldest.data or b"")
            oldest.data = None
        return kept


Fields: TypeAlias = tuple[
    str,
    str,
    str,
    str,
    str,
    bool,
    int,
    Mapping[str, str],
    float,
    float,
    bytes | Kept,
    tuple[tuple[str, str], ...],
    str,
    str,
]
"""An entry as it is noted: a bare tuple of what `Entry` names, which is made much faster."""


def moment(at: float) -> str:
    """Seconds since 1970 as people read them: `2026-05-01T12:00:00.000Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Entry(NamedTuple):
    """A request and what became of it. Its headers are not kept, for they carry keys."""

    session: str
    method: str
    path: str
    endpoint: str
    model: str
    stream: bool
    status: int
    """0 where a fault let not even the head of an answer come."""
    replay: Mapping[str, str]
    """The `x-replay-*` headers of the answer."""
    at: float
    """Seconds since 1970."""
    seconds: float
    """Until the answer began."""
    noted_body: bytes | Kept
    query: tuple[tuple[str, str], ...]
    """Never shown, for it may carry a key."""
    content_type: str
    """Of the request, where its body is no JSON object."""
    explanation: str
    """Of a miss."""

    @property
    def source(self) -> str:
        """Where the answer came from."""
        return self.replay["x-replay-source"]

    @property
    def body(self) -> bytes | None:
        """The body of the request; None where it had to make room for others."""
        return self.noted_body if isinstance(self.noted_body, bytes) else self.noted_body.data

    def request(self) -> tuple[Resource, Request]:
        """The request again, as it was understood."""
        headers = {"content-type": self.content_type}
        return read_request(RawRequest(self.method, self.path, {}, self.query, headers, self.body or b""))


class Noted(NamedTuple):
    """An entry in its place: the `order` of all that were noted, and the `number` within its session, from 1."""

    order: int
    number: int
    entry: Entry

    @property
    def id(self) -> str:
        """What it is called: `one#3` is the third request of the session `one`, `#3` that of no session."""
        return f"{self.entry.session}#{self.number}"

    def as_json(self, redactor: Redactor) -> dict[str, Json]:
        """The entry for programs, without secrets and without the body of its request."""
        entry = self.entry
        drift: list[Json] = [*filter(None, entry.replay.get("x-replay-drift", "").split(", "))]
        return {
            "id": self.id,
            "session": entry.session or None,
            "at": moment(entry.at),
            "method": entry.method,
            "path": redactor.text(entry.path),
            "endpoint": redactor.text(entry.endpoint) or None,
            "model": redactor.text(entry.model) or None,
            "stream": entry.stream,
            "status": entry.status or None,
            "source": entry.source,
            "key": entry.replay.get("x-replay-key"),
            "interaction": entry.replay.get("x-replay-interaction"),
            "drift": drift,
            "fault": redactor.text(entry.replay.get("x-replay-fault", "")) or None,
            "milliseconds": round(entry.seconds * 1000, 3),
            "explanation": entry.explanation or None,
        }

    def request(self, redactor: Redactor) -> Json:
        """The body of the request without secrets: JSON, else its text; None where there is none, or no longer."""
        body = redactor.exchange().body(self.entry.body or b"null")
        try:
            request: Json = orjson.loads(body)
        except orjson.JSONDecodeError:
            return body.decode(errors="replace")
        return request


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which entries are wanted; None: any."""

    session: str | None = None
    source: str | None = None
    endpoint: str | None = None

    def passes(self, entry: Entry) -> bool:
        """Whether an entry is one of them."""
        return (
            self.session in (None, entry.session)
            and self.source in (None, entry.source)
            and self.endpoint in (None, entry.endpoint)
        )


class Log:
    """The latest entries of one session; the oldest ones make room. `count` is how many there ever were.

    Whoever adds an entry does so by hand: an append to each of the queues, and one more in the count.
    """

    __slots__ = ("count", "fields", "orders")

    def __init__(self, most: int = MAX_ENTRIES) -> None:
        self.fields: deque[Fields] = deque(maxlen=most)
        self.orders: deque[int] = deque(maxlen=most)
        self.count = 0

    def forget(self) -> None:
        """Make room: forget all of them."""
        self.fields.clear()
        self.orders.clear()

    def __len__(self) -> int:
        return len(self.fields)

    @property
    def forgotten(self) -> int:
        """How many entries had to make room."""
        return self.count - len(self.fields)

    def __iter__(self) -> Iterator[Noted]:
        numbered = enumerate(zip(self.orders, self.fields, strict=True), self.forgotten + 1)
        return (Noted(order, number, Entry(*fields)) for number, (order, fields) in numbered)
