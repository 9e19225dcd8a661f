"""A client that keeps a server busy: keep-alive connections on raw asyncio sockets, every answer compared."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

HEAD_END = b"\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Exchange:
    """The bytes of a request, and the body that must come back with status 200."""

    request: bytes
    expected: bytes


class WrongAnswer(Exception):
    """A server answered something else than it must. No figure is worth anything then."""


def post(body: bytes, path: str = "/v1/chat/completions") -> bytes:
    """The bytes of a request as client libraries send it."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\n"
        "authorization: Bearer sk-benchmark\r\nuser-agent: benchmark\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer off the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


def parse(data: bytes) -> Answer | None:
    """The answer that `data` holds; None while it is not whole."""
    head, found, body = data.partition(HEAD_END)
    if not found:
        return None
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        if not body.endswith(LAST_CHUNK):
            return None
        body = b"".join(_chunks(body))
    elif len(body) < int(headers.get("content-length", "0")):
        return None
    return Answer(int(status_line.split(" ")[1]), headers, body)


def _chunks(data: bytes) -> Iterator[bytes]:
    at = 0
    while True:
        end = data.index(b"\r\n", at)
        size = int(data[at:end], 16)
        if size == 0:
            return
        yield data[end + 2 : end + 2 + size]
        at = end + 2 + size + 2


class Connection(asyncio.Protocol):
    """Sends one exchange after the other until told to stop."""

    def __init__(self, exchanges: Iterator[Exchange]) -> None:
        self.done = 0
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._exchanges = exchanges
        self._stopping = False
        self._received = bytearray()

    def stop(self) -> None:
        """Finish the exchange under way, and no further one."""
        self._stopping = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        try:
            if not self._is_answered():
                return
        except WrongAnswer as error:
            self._finish(error)
            return
        self.done += 1
        self._received.clear()
        if self._stopping:
            self._finish()
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(WrongAnswer(f"the server closed the connection: {exc}"))

    def _send(self) -> None:
        self._exchange = next(self._exchanges)
        self._transport.write(self._exchange.request)

    def _is_answered(self) -> bool:
        received, expected = self._received, self._exchange.expected
        # The usual case, quick: a head that says 200, and after it exactly the body.
        head = len(received) - len(expected)
        if received.startswith(b"HTTP/1.1 200 ") and received.endswith(expected) and received[:head].endswith(HEAD_END):
            return True
        answer = parse(bytes(received))
        if answer is not None and (answer.status, answer.body) != (200, expected):
            raise WrongAnswer(f"status {answer.status}, {answer.body[:500]!r}\nexpected {expected[:500]!r}")
        return answer is not None

    def _finish(self, error: WrongAnswer | None = None) -> None:
        self._transport.close()
        if self.finished.done():
            return
        if error is None:
            self.finished.set_result(None)
        else:
            self.finished.set_exception(error)


@dataclass(frozen=True, slots=True)
class Load:
    """What a client did: answers, and seconds on the clock and on its own core."""

    answers: int
    seconds: float
    client_seconds: float


async def drive(url: str, exchanges: Iterator[Exchange], connections: int, seconds: float) -> Load:
    """Keep `connections` busy for a time. Raises WrongAnswer."""
    loop, (host, port) = asyncio.get_running_loop(), address(url)
    started, busy = time.perf_counter(), time.process_time()
    opened = [(await loop.create_connection(lambda: Connection(exchanges), host, port))[1] for _ in range(connections)]
    for connection in opened:
        loop.call_at(loop.time() + seconds, connection.stop)
    async with asyncio.timeout(seconds + 60):
        await asyncio.gather(*(connection.finished for connection in opened))
    answers = sum(connection.done for connection in opened)
    return Load(answers, time.perf_counter() - started, time.process_time() - busy)


def address(url: str) -> tuple[str, int]:
    """Host and port."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 80


async def ask(url: str, request: bytes) -> Answer:
    """One answer, on a connection of its own."""
    reader, writer = await asyncio.open_connection(*address(url))
    try:
        writer.write(request)
        received = b""
        while (answer := parse(received)) is None:
            more = await reader.read(1 << 16)
            if not more:
                raise WrongAnswer(f"the server closed the connection after {received[:200]!r}")
            received += more
        return answer
    finally:
        writer.close()
