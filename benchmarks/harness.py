"""What the benchmarks share: servers on one core, the client on another, interleaved rounds, medians and spread.

A round asks every contestant in turn for a moment, and its ratios are taken between neighbours in time, for machines
are noisy. The last contestant is `ref` (see ref.py), which hands out an answer of the first one. Each program takes
--tree (repeatable): a checkout to measure in place of this one, so that a change is measured beside what it changes.

Two ratios are printed: of answers a second, which is the figure, and of the CPU time that the server's process spent on
an answer, which other programs on the machine disturb less.
"""

import argparse
import base64
import itertools
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from client import Answer, Exchange, Load, WrongAnswer, ask, drive, post

HERE = Path(__file__).resolve().parent
TREE = HERE.parent
START_SECONDS = 600.0
ALONE = 0.9
"""A server that runs for less of the time under load shares its core with something else."""
_NOT_COPIED = ("date", "content-length", "transfer-encoding", "connection")


# Cores ---------------------------------------------------------------------------------------------------------------


def _cores() -> tuple[int, int]:
    """The server's core and the client's: one and the same where there is only one."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


SERVER_CORE, CLIENT_CORE = _cores()


# Servers -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs."""

    name: str
    url: str
    process: subprocess.Popen[str]

    def cpu_seconds(self) -> float:
        """What its threads have spent so far."""
        return cpu_seconds(self.process)


def cpu_seconds(process: subprocess.Popen[str]) -> float:
    """What the threads of a process have spent so far, to the nanosecond."""
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def start_process(arguments: Sequence[str], tree: Path = TREE, stderr: int | None = None) -> subprocess.Popen[str]:
    """Run Python on the server's core, with the modules of `tree`."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=tree,
        env=_environment(tree),
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
    )


# Bytecode is written, whatever the environment says, as it is for an installed package; but not into the checkouts.
_BYTECODE = tempfile.TemporaryDirectory(prefix="replay-server-benchmarks-")


def _environment(tree: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(tree), "PYTHONPYCACHEPREFIX": _BYTECODE.name}


def stop_process(process: subprocess.Popen[str]) -> str:
    """End it, wait until it has, and give what it wrote to a piped stderr."""
    process.terminate()
    try:
        return process.communicate(timeout=20)[1] or ""
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[1] or ""


def serve_arguments(cassettes: Path, port: int = 0, *options: str) -> list[str]:
    """What starts a replay-server on these cassettes."""
    return ["-m", "replay_server", "serve", "--cassettes", str(cassettes), "--port", str(port), *options]


@contextmanager
def replay_server(tree: Path, cassettes: Path, *options: str) -> Iterator[Server]:
    """A replay-server that has indexed its cassettes."""
    process = start_process(serve_arguments(cassettes, 0, *options), tree)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()  # printed once everything is indexed
        url = re.search(r"http://[^/\s]+", line)
        if url is None:
            raise SystemExit(f"replay-server of {tree} did not start: {line!r}")
        yield Server(name_of(tree), url[0], process)
    finally:
        stop_process(process)


def name_of(tree: Path) -> str:
    """What tables call a checkout."""
    return "replay-server" if tree == TREE else str(tree)


def write_answer(path: Path, answer: Answer, waits: Sequence[float] | None = None) -> None:
    """Put an answer where ref.py reads it: its body, and the headers that aiohttp does not write itself."""
    headers = {name: value for name, value in answer.headers.items() if name not in _NOT_COPIED}
    paced = {} if waits is None else {"waits": waits}
    path.write_bytes(orjson.dumps({"headers": headers, "body": base64.b64encode(answer.body).decode(), **paced}))


def ref_arguments(answer: Path, port: int) -> list[str]:
    """What starts ref."""
    return [str(HERE / "ref.py"), str(port), str(answer)]


@contextmanager
def ref_server(answer: Answer, folder: Path, waits: Sequence[float] | None = None) -> Iterator[Server]:
    """`ref`, answering with the bytes and headers of `answer`; with `waits`, each frame after its own."""
    path, port = folder / "answer.json", free_port()
    write_answer(path, answer, waits)
    process = start_process(ref_arguments(path, port))
    try:
        wait_for(port, process)
        yield Server("ref", f"http://127.0.0.1:{port}", process)
    finally:
        stop_process(process)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[str]) -> None:
    """Return once something listens."""
    ends = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < ends:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit(f"nothing listens on port {port}")


# What is asked -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests by number, each with its own `user`. The answer depends on the number alone."""

    numbers: Sequence[int]
    body: Callable[[int, str], bytes]
    check: Callable[[int, Answer], bool]
    """Whether an answer, beside its bytes, says what it must."""

    def exchanges(self, answers: Sequence[bytes]) -> Iterator[Exchange]:
        """One number after the other, without end; no body comes twice. `answers` are in the order of the numbers."""
        # The body is written once with a user of the right length: what follows is quick.
        parts = [post(self.body(number, _user(0))).split(_user(0).encode()) for number in self.numbers]
        ready = [(*part, answer) for part, answer in zip(parts, answers, strict=True)]
        for count, (head, tail, answer) in enumerate(itertools.cycle(ready), start=next(_USERS) << 32):
            yield Exchange(b"%b%b%b" % (head, _user(count).encode(), tail), answer)

    async def learn(self, url: str) -> list[Answer]:
        """What a server answers to each number. Raises WrongAnswer."""
        answers = []
        for number in self.numbers:
            answer = await ask(url, post(self.body(number, _user(next(_USERS) << 32))))
            if answer.status != 200 or not self.check(number, answer):
                raise WrongAnswer(f"to number {number}: status {answer.status}, {answer.body[:500]!r}")
            answers.append(answer)
        return answers


_USERS = itertools.count(1)


def _user(count: int) -> str:
    return f"user{count:016x}"


# Rounds --------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Contestant:
    """A server with what it is asked, and what has been measured of it."""

    server: Server
    exchanges: Iterator[Exchange]
    loads: list[Load] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Server's seconds an answer, by round."""

    async def load(self, options: argparse.Namespace) -> None:
        """One turn."""
        before = self.server.cpu_seconds()
        load = await drive(self.server.url, self.exchanges, options.connections, options.seconds)
        self.loads.append(load)
        self.cpu.append((self.server.cpu_seconds() - before) / load.answers)

    @property
    def server_share(self) -> float:
        """The part of the time that the server's process ran; far below 1, something else used its core."""
        return statistics.median(
            spent * load.answers / load.seconds for spent, load in zip(self.cpu, self.loads, strict=True)
        )

    @property
    def rates(self) -> list[float]:
        """Answers a second, by round."""
        return [load.answers / load.seconds for load in self.loads]


async def measure(contestants: Sequence[Contestant], options: argparse.Namespace) -> None:
    """A round to warm up, then as many as asked for."""
    for place in range(options.rounds + 1):
        for contestant in contestants:
            await contestant.load(options)
        if place == 0:
            for contestant in contestants:
                contestant.loads.clear()
                contestant.cpu.clear()


def spread(values: Sequence[float]) -> str:
    """Median and quartiles."""
    low, middle, high = statistics.quantiles(values, n=4) if len(values) > 1 else [*values] * 3
    return f"{middle:.3f} ({low:.3f} - {high:.3f})"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Ours by theirs, round by round."""
    return [our / their for our, their in zip(ours, theirs, strict=True)]


def report(title: str, contestants: Sequence[Contestant], goal: float) -> None:
    """Print rates and ratios; the last contestant is ref."""
    ref = contestants[-1]
    print(f"\n{title}")
    for contestant in contestants:
        busy = statistics.median(load.client_seconds / load.seconds for load in contestant.loads)
        print(
            f"  {contestant.server.name:24} {statistics.median(contestant.rates):8,.0f} answers/s"
            f"  {statistics.median(contestant.cpu) * 1e6:7.1f} µs of CPU each"
            f"  busy: server {contestant.server_share:.0%}, client {busy:.0%}"
            f"  {sum(load.answers for load in contestant.loads):,} answers checked"
        )
    for contestant in contestants[:-1]:
        by_rate = ratios(contestant.rates, ref.rates)
        shared = min(contestant.server_share, ref.server_share) < ALONE
        print(
            f"  {contestant.server.name:24} x ref: {spread(by_rate)}  by CPU {spread(ratios(ref.cpu, contestant.cpu))}"
            f"  goal >= {goal}: {'reached' if statistics.median(by_rate) >= goal else 'MISSED'}"
            f"{' - doubtful: the core was shared, go by CPU' if shared else ''}"
        )


async def contest(
    title: str, cassettes: Path, traffic: Traffic, goal: float, folder: Path, options: argparse.Namespace
) -> None:
    """Measure each tree against ref, and print it."""
    with ExitStack() as stack:
        contestants = []
        learned: list[Answer] = []
        for tree in options.tree:
            server = stack.enter_context(replay_server(tree, cassettes))
            learned = await traffic.learn(server.url)
            contestants.append(Contestant(server, traffic.exchanges([answer.body for answer in learned])))
        typical = sorted(learned, key=lambda answer: len(answer.body))[len(learned) // 2]
        ref = stack.enter_context(ref_server(typical, folder))
        contestants.append(Contestant(ref, traffic.exchanges([typical.body] * len(learned))))
        await measure(contestants, options)
        sizes = f"request {len(traffic.body(traffic.numbers[0], _user(0)))} bytes, answer {len(typical.body)} bytes"
        report(f"{title} ({sizes})", contestants, goal)


# Options -------------------------------------------------------------------------------------------------------------


def arguments(about: str | None, *, rounds: int, seconds: float = 0.5) -> argparse.ArgumentParser:
    """The options that the programs share; the module's docstring is the help."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=rounds, help=f"interleaved rounds (default {rounds})")
    parser.add_argument("--seconds", type=float, default=seconds, help=f"length of a turn (default {seconds})")
    parser.add_argument("--connections", type=int, default=8, help="keep-alive connections (default 8)")
    parser.add_argument("--tree", type=Path, action="append", help="a checkout to measure; repeatable")
    return parser


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The options; from here on this process is on the client's core."""
    options = parser.parse_args()
    options.tree = [tree.resolve() for tree in options.tree or [TREE]]
    os.sched_setaffinity(0, {CLIENT_CORE})
    if SERVER_CORE == CLIENT_CORE:
        print("one core only: server and client share it, so the ratios flatter the slower server", file=sys.stderr)
    return options


def run(main: Callable[[], None]) -> None:
    """Run a program; a wrong answer ends it."""
    try:
        main()
    except WrongAnswer as error:
        raise SystemExit(f"wrong answer: {error}") from None
