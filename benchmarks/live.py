"""Live traffic: what a server that records adds to an upstream's answers, and how many it passes on a second.

python benchmarks/live.py [--asked 300] [--rounds N] [--tree DIR]

Added: the time to the first byte of a plain answer and of a stream, and of each event, from the moment at which the
upstream sent it, through a server that records, less the same without it; asked in turn, one at a time, no request ever
the same, so that each is recorded. `whole` is the time to the last byte, which waits for the disk. Beside it stands
what a bare aiohttp reverse proxy (behind.py) adds. Goal: at most 2 ms at the median. A second: answers that are passed
on (and not recorded) against the same proxy. Goal: at least 0.5 x.
"""

import argparse
import asyncio
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import orjson
from behind import ANSWER, EVENTS
from client import LAST_CHUNK, Exchange, WrongAnswer, parse, post
from harness import (
    HERE,
    Contestant,
    Server,
    arguments,
    free_port,
    measure,
    replay_server,
    report,
    run,
    start_process,
    stop_process,
    wait_for,
)
from harness import parse as parse_options

GOAL_MS = 2.0
GOAL_RATE = 0.5
_NUMBERS = itertools.count()


def request(*, stream: bool) -> bytes:
    """A request that nobody has made before."""
    messages = [{"role": "user", "content": f"Who keeps the lamp of lighthouse number {next(_NUMBERS)} burning?"}]
    return post(orjson.dumps({"model": "gpt-4o-mini", "messages": messages, "stream": stream}))


# One at a time -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Times:
    """Milliseconds of many answers."""

    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    events: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Client:
    """A keep-alive connection, and what it has seen."""

    name: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    plain: Times = field(default_factory=Times)
    stream: Times = field(default_factory=Times)

    @classmethod
    async def connect(cls, name: str, url: str) -> "Client":
        parts = urlsplit(url)
        return cls(name, *await asyncio.open_connection(parts.hostname, parts.port))

    async def ask(self, *, stream: bool) -> None:
        times, asked, received = self.stream if stream else self.plain, request(stream=stream), b""
        started = time.monotonic()
        self.writer.write(asked)
        while not (received.endswith(LAST_CHUNK) if stream else parse(received)):
            received += (data := await self.reader.read(1 << 16))
            arrived = time.monotonic()
            times.events += [arrived * 1e3 - sent for sent in _sent(data)]
            if len(times.first) == len(times.whole) and b"\r\n\r\n" in received[:-4]:
                times.first.append((arrived - started) * 1e3)
            if not data:
                raise WrongAnswer(f"the connection was closed after {received[:500]!r}")
        times.whole.append((arrived - started) * 1e3)
        self._check(received, stream=stream)

    def _check(self, received: bytes, *, stream: bool) -> None:
        answer = parse(received)
        whole = answer and (answer.body.count(b"data: ") == EVENTS + 1 if stream else answer.body == ANSWER)
        if not (answer and answer.status == 200 and whole):
            raise WrongAnswer(f"{self.name}: {received[:500]!r}")


def _sent(data: bytes) -> Iterator[float]:
    """The milliseconds at which the events in a piece were sent."""
    for part in data.split(b'"content": "')[1:]:
        number = part.partition(b'"')[0]
        if number.isdigit():
            yield int(number) / 1e6


async def added(direct: str, bare: str, through: str, count: int) -> None:
    """Ask all in turn, and print what the way through a server adds."""
    named = {"direct": direct, "bare proxy": bare, "recorded": through}
    clients = [await Client.connect(name, url) for name, url in named.items()]
    for place in range(count + 10):
        if place == 10:  # those before warm the connections
            for client in clients:
                client.plain, client.stream = Times(), Times()
        for client in clients:
            await client.ask(stream=False)
            await client.ask(stream=True)
    for client in clients:
        client.writer.close()
    _report(*clients)


def _report(direct: Client, bare: Client, recorded: Client) -> None:
    print(f"\nadded, median of {len(direct.plain.first)} answers of each kind")
    kinds: Sequence[tuple[str, Callable[[Client], list[float]], float | None]] = (
        ("plain, first byte", lambda client: client.plain.first, GOAL_MS),
        ("plain, whole", lambda client: client.plain.whole, None),
        ("stream, first byte", lambda client: client.stream.first, GOAL_MS),
        ("stream, each event", lambda client: client.stream.events, GOAL_MS),
        ("stream, whole", lambda client: client.stream.whole, None),
    )
    for name, times, goal in kinds:
        without, proxied, ours = (statistics.median(times(client)) for client in (direct, bare, recorded))
        more = ours - without
        reached = "" if goal is None else f"  goal <= {goal} ms: {'reached' if more <= goal else 'MISSED'}"
        print(
            f"  {name:20} {without:7.3f} ms direct  bare proxy {proxied - without:+7.3f} ms"
            f"  recorded {more:+7.3f} ms{reached}"
        )


# Many at a time ------------------------------------------------------------------------------------------------------


def exchanges() -> Iterator[Exchange]:
    while True:
        yield Exchange(request(stream=False), ANSWER)


@contextmanager
def behind(*words: str) -> Iterator[Server]:
    """An upstream on the client's core, or a bare proxy on the server's."""
    port = free_port()
    command = [str(HERE / "behind.py"), words[0], str(port), *words[1:]]
    process = start_process(command) if words[0] == "proxy" else _on_our_core(command)
    try:
        wait_for(port, process)
        yield Server(words[0], f"http://127.0.0.1:{port}", process)
    finally:
        stop_process(process)


def _on_our_core(command: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)


async def rates(servers: Sequence[Server], options: argparse.Namespace) -> None:
    contestants = [Contestant(server, exchanges()) for server in servers]
    await measure(contestants, options)
    report("passed on, against a bare reverse proxy", contestants, GOAL_RATE)


# Program -------------------------------------------------------------------------------------------------------------


def main() -> None:
    parser = arguments(__doc__, rounds=15)
    parser.add_argument("--asked", type=int, default=300, help="answers of each kind (default 300)")
    options = parse_options(parser)
    for tree in options.tree:
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            upstream = stack.enter_context(behind("upstream"))
            live = ("--upstream", upstream.url)
            bare = stack.enter_context(behind("proxy", upstream.url))
            with replay_server(tree, Path(folder, "recorded"), *live, "--record-mode", "new_episodes") as server:
                asyncio.run(added(upstream.url, bare.url, server.url, options.asked))
            passing = stack.enter_context(replay_server(tree, Path(folder, "none"), *live))
            asyncio.run(rates([passing, bare], options))


if __name__ == "__main__":
    run(main)
