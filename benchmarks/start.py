"""Start: from exec to the first answer, of replay-server with 10 cassettes and of ref, a bare aiohttp server.

python benchmarks/start.py [--interactions 10] [--rounds N] [--imports] [--tree DIR]

The client asks again and again until the answer is there, and compares it. Files and bytecode are warm. `--imports`
prints in place of that where the time of the imports goes (`-X importtime`, which itself makes them slower).
Goal: at most 1.25 x ref.
"""

import argparse
import asyncio
import socket
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from client import Answer, WrongAnswer, ask, parse, post
from harness import (
    START_SECONDS,
    arguments,
    cpu_seconds,
    free_port,
    name_of,
    ratios,
    ref_arguments,
    replay_server,
    run,
    serve_arguments,
    spread,
    start_process,
    stop_process,
    write_answer,
)
from harness import parse as parse_options
from library import WRITTEN, request_body, write

GOAL = 1.25
REQUEST = post(request_body(0, "start"))
_PAUSE = 0.001


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds on the clock and on the core until the first answer."""

    seconds: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Starter:
    """What is started: a command for a port, in a checkout."""

    name: str
    tree: Path
    command: Callable[[int], list[str]]


def first_answer(port: int, process: subprocess.Popen[str]) -> Answer:
    ends = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < ends:
        try:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                return _exchange(connection)
        except ConnectionRefusedError:
            time.sleep(_PAUSE)
    raise SystemExit("the server did not start")


def _exchange(connection: socket.socket) -> Answer:
    connection.sendall(REQUEST)
    received = b""
    while (answer := parse(received)) is None:
        more = connection.recv(1 << 16)
        if not more:
            raise WrongAnswer(f"the server closed the connection after {received[:200]!r}")
        received += more
    return answer


def start(starter: Starter, expected: bytes) -> Start:
    port = free_port()
    started = time.perf_counter()
    process = start_process(starter.command(port), starter.tree)
    try:
        answer = first_answer(port, process)
        seconds, cpu = time.perf_counter() - started, cpu_seconds(process)
    finally:
        stop_process(process)
    if (answer.status, answer.body) != (200, expected):
        raise WrongAnswer(f"status {answer.status}, {answer.body[:500]!r}")
    return Start(seconds, cpu)


def contest(starters: Sequence[Starter], expected: bytes, rounds: int) -> None:
    found: list[list[Start]] = [[] for _ in starters]
    for place in range(rounds + 1):
        for starter, starts in zip(starters, found, strict=True):
            measured = start(starter, expected)
            if place:  # the round before the first warms the files
                starts.append(measured)
    report(starters, found)


def report(starters: Sequence[Starter], found: Sequence[Sequence[Start]]) -> None:
    for starter, starts in zip(starters, found, strict=True):
        seconds, cpu = zip(*((one.seconds, one.cpu) for one in starts), strict=True)
        print(f"  {starter.name:24} {statistics.median(seconds):.3f} s, {statistics.median(cpu):.3f} s of CPU")
    for starter, starts in zip(starters[:-1], found, strict=False):
        by_clock = ratios([one.seconds for one in starts], [one.seconds for one in found[-1]])
        by_cpu = ratios([one.cpu for one in starts], [one.cpu for one in found[-1]])
        reached = "reached" if statistics.median(by_clock) <= GOAL else "MISSED"
        print(f"  {starter.name:24} x ref: {spread(by_clock)}  by CPU {spread(by_cpu)}  goal <= {GOAL}: {reached}")


# Imports -------------------------------------------------------------------------------------------------------------


def imports(starter: Starter, shown: int = 40) -> None:
    """Print the time of each top-level package, and of the modules that take longest."""
    port = free_port()
    command = ["-X", "importtime", *starter.command(port)]
    process = start_process(command, starter.tree, stderr=subprocess.PIPE)
    first_answer(port, process)
    modules = _import_times(stop_process(process))
    packages: Counter[str] = Counter()
    for name, own in modules.items():
        packages[name.split(".")[0]] += own
    print(f"\n{starter.name}: {len(modules)} modules, {sum(modules.values()) / 1000:.0f} ms of imports")
    for title, table in (("packages", packages), ("modules", Counter(modules))):
        print(f"  {title}, own ms: " + ", ".join(f"{name} {us / 1000:.1f}" for name, us in table.most_common(shown)))


def _import_times(stderr: str) -> dict[str, int]:
    """Own microseconds by module."""
    times = {}
    for line in stderr.splitlines():
        if line.startswith("import time:") and "self [us]" not in line:
            own, _, name = line.removeprefix("import time:").split("|")
            times[name.strip()] = int(own)
    return times


# Program -------------------------------------------------------------------------------------------------------------


async def _learn(tree: Path, cassettes: Path) -> Answer:
    with replay_server(tree, cassettes) as server:
        return await ask(server.url, REQUEST)


def starters(options: argparse.Namespace, cassettes: Path, answer: Path) -> list[Starter]:
    ours = [Starter(name_of(tree), tree, lambda port: serve_arguments(cassettes, port)) for tree in options.tree]
    return [*ours, Starter("ref", options.tree[0], lambda port: ref_arguments(answer, port))]


def main() -> None:
    parser = arguments(__doc__, rounds=15)
    parser.add_argument("--interactions", type=int, default=10, help="size of the library (default 10)")
    parser.add_argument("--imports", action="store_true", help="print the time of imports")
    options = parse_options(parser)
    with tempfile.TemporaryDirectory() as folder:
        cassettes, path = Path(folder, "cassettes"), Path(folder, "answer.json")
        cassettes.mkdir()
        write(cassettes, WRITTEN, options.interactions)
        answer = asyncio.run(_learn(options.tree[0], cassettes))
        write_answer(path, answer)
        contestants = starters(options, cassettes, path)
        if options.imports:
            for starter in contestants:
                imports(starter)
            return
        print(f"start to first answer, {options.interactions:,} interactions")
        contest(contestants, answer.body, options.rounds)


if __name__ == "__main__":
    run(main)
