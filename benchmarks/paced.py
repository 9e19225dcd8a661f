"""Paced streams: how late each event comes, whether that adds up, and how long a first event takes under load.

python benchmarks/paced.py [--streams 400 1000] [--interval 20] [--chunks 100] [--rounds N] [--tree DIR]

As many streams as asked for begin evenly over one second, each with an event every interval. ref sends the same bytes
and sleeps for one interval after the other. An event is late by the time from its due moment (from the request, plus
an interval for each event before it) to its arrival; drift is what a stream's last event is later than its first.
Printed are the medians of the rounds. Goals: of 400 streams p99 within 10 ms, and no drift; of 1,000 streams the first
event within 150 ms at p99.
"""

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path

from client import LAST_CHUNK, WrongAnswer, address, ask, post
from harness import Server, arguments, parse, ratios, ref_server, replay_server, run, spread
from library import request_body, streamed, write

RAMP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is asked, the body that must come, and when each of its events is due."""

    request: bytes
    body: bytes
    waits: tuple[float, ...]

    @property
    def due(self) -> list[float]:
        """Seconds from the request, for each event."""
        return [sum(self.waits[: place + 1]) for place in range(len(self.waits))]


class Listener(asyncio.Protocol):
    """Asks for one stream, and notes when its events arrive."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.finished: asyncio.Future[None] = self.loop.create_future()
        self.received = bytearray()
        self.arrivals: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def send(self, request: bytes) -> None:
        """Ask."""
        self.sent = self.loop.time()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        now = self.loop.time()
        self.received += data
        self.arrivals += [now - self.sent] * data.count(b"data: ")
        if data.endswith(LAST_CHUNK):
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_result(None)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round showed: milliseconds, and microseconds of CPU an event."""

    late: float
    late_p99: float
    first_p99: float
    drift: float
    cpu: float


@dataclass(slots=True)
class Contestant:
    """A server, and what has been measured of it."""

    server: Server
    rounds: list[Round] = field(default_factory=list)

    async def turn(self, schedule: Schedule, streams: int) -> None:
        """One round. Raises WrongAnswer."""
        before = self.server.cpu_seconds()
        late = [lateness(listener, schedule) for listener in await listen(self.server.url, schedule.request, streams)]
        spent = self.server.cpu_seconds() - before
        every = [each for stream in late for each in stream]
        self.rounds.append(
            Round(
                late=statistics.median(every),
                late_p99=p99(every),
                first_p99=p99([stream[0] for stream in late]),
                drift=statistics.median(stream[-1] - stream[0] for stream in late),
                cpu=spent * 1e6 / len(every),
            )
        )

    def all(self, name: str) -> list[float]:
        """A figure of every round."""
        return [getattr(each, name) for each in self.rounds]

    def row(self) -> str:
        """A line of the table: the medians of the rounds."""
        late, late_p99, first, drift, cpu = (statistics.median(self.all(each.name)) for each in fields(Round))
        return (
            f"  {self.server.name:24} late {late:6.1f} ms, p99 {late_p99:7.1f}  first p99 {first:7.1f}"
            f"  drift {drift:+7.1f}  {cpu:5.1f} µs of CPU an event"
        )


def lateness(listener: Listener, schedule: Schedule) -> list[float]:
    """By how many milliseconds each event came late. Raises WrongAnswer for another body."""
    if b"".join(chunks(bytes(listener.received))) != schedule.body:
        raise WrongAnswer(f"a stream is not what it must be: {bytes(listener.received[:500])!r}")
    return [1000 * (at - due) for at, due in zip(listener.arrivals, schedule.due, strict=True)]


def chunks(received: bytes) -> list[bytes]:
    """The chunks of an answer's body."""
    _, _, rest = received.partition(b"\r\n\r\n")
    found = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        found.append(rest[: int(size, 16)])
        rest = rest[int(size, 16) + 2 :]
    return found


def p99(values: Sequence[float]) -> float:
    """What 99 of 100 stay below."""
    return statistics.quantiles(values, n=100)[98]


async def listen(url: str, request: bytes, streams: int) -> list[Listener]:
    """Ask for streams, evenly over the ramp, and wait for their ends."""
    loop = asyncio.get_running_loop()
    listeners = [(await loop.create_connection(Listener, *address(url)))[1] for _ in range(streams)]
    start = loop.time() + 0.1
    for place, listener in enumerate(listeners):
        loop.call_at(start + RAMP_SECONDS * place / streams, listener.send, request)
    async with asyncio.timeout(300):
        await asyncio.gather(*(listener.finished for listener in listeners))
    return listeners


def verdict(ours: Contestant, ref: Contestant, streams: int) -> str:
    """Ours against ref, round by round, and against the goal."""
    name, most = ("late_p99", 10.0) if streams <= 400 else ("first_p99", 150.0)
    reached = statistics.median(ours.all(name)) <= most
    return (
        f"  {ours.server.name:24} x ref: late p99 {spread(ratios(ours.all('late_p99'), ref.all('late_p99')))}"
        f"  drift {spread(ratios(ours.all('drift'), ref.all('drift')))}"
        f"  goal: {name.replace('_', ' ')} <= {most:.0f} ms: {'reached' if reached else 'MISSED'}"
    )


async def measure(cassettes: Path, folder: Path, options: argparse.Namespace) -> None:
    """Each tree against ref."""
    interval = options.interval / 1000
    body = request_body(0, "benchmark", stream=True)
    learned = post(body)
    paced = learned.replace(b"\r\n", b"\r\nx-replay-pace: itl=%dms\r\n" % options.interval, 1)
    # The role comes with the first delta; finish_reason and [DONE] come with the last.
    waits = (0.0, 0.0, *[interval] * (options.chunks - 3), 0.0, 0.0)
    with ExitStack() as stack:
        servers = [stack.enter_context(replay_server(tree, cassettes)) for tree in options.tree]
        answer = await ask(servers[0].url, learned)
        servers.append(stack.enter_context(ref_server(answer, folder, waits)))
        for streams in options.streams:
            contestants = list(map(Contestant, servers))
            for _ in range(options.rounds):
                for contestant in contestants:
                    await contestant.turn(Schedule(paced, answer.body, waits), streams)
            print(f"\n{streams:,} streams of {options.chunks} chunks, {options.interval} ms apart")
            print("\n".join(map(Contestant.row, contestants)))
            print("\n".join(map(partial(verdict, ref=contestants[-1], streams=streams), contestants[:-1])))


def main() -> None:
    parser = arguments(__doc__, rounds=5)
    parser.add_argument("--streams", type=int, nargs="+", default=[400, 1000], help="at a time (default 400 1000)")
    parser.add_argument("--interval", type=int, default=20, help="milliseconds between two events (default 20)")
    parser.add_argument("--chunks", type=int, default=100, help="chunks a stream, [DONE] not counted (default 100)")
    options = parse(parser)
    with tempfile.TemporaryDirectory() as folder:
        cassettes = Path(folder, "cassettes")
        cassettes.mkdir()
        write(cassettes, streamed(options.chunks), 1)
        asyncio.run(measure(cassettes, Path(folder), options))


if __name__ == "__main__":
    run(main)
