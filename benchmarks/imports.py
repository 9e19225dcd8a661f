"""Imports: seconds for `replay-server import` of cassettes as vcrpy writes them, and of the same again.

python benchmarks/imports.py [--files 1000] [--rounds N]

Of the files, each with two interactions, two fifths hold a plain body as text, two fifths one in gzip, and a fifth a
stream of 100 chunks. Goal: 1,000 files in under a minute on two cores.
"""

import argparse
import gzip
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import yaml
from harness import TREE, arguments, run
from library import RECORDED, request_body

GOAL = 60.0
_CHUNKS = 100
_HEADERS = {
    "accept": ["application/json"],
    "content-type": ["application/json"],
    "host": ["api.openai.com"],
    "user-agent": ["OpenAI/Python 1.99.7"],
    "x-stainless-lang": ["python"],
}


def plain(number: int) -> dict[str, Any]:
    """A body as text."""
    return {"string": orjson.dumps(RECORDED.response(number)["body"], option=orjson.OPT_INDENT_2).decode()}


def packed(number: int) -> dict[str, Any]:
    """The same, in gzip."""
    return {"string": gzip.compress(plain(number)["string"].encode(), mtime=0)}


def stream(number: int) -> dict[str, Any]:
    """The frames of a stream."""
    chunk = {"id": f"chatcmpl-{number:029d}", "object": "chat.completion.chunk", "created": 1_700_000_000}
    choices = ([{"index": 0, "delta": {"content": f"word{place} "}, "finish_reason": None}] for place in range(_CHUNKS))
    frames = [f"data: {orjson.dumps({**chunk, 'choices': choice}).decode()}\n\n" for choice in choices]
    return {"string": "".join([*frames, "data: [DONE]\n\n"])}


FORMS: tuple[tuple[Callable[[int], dict[str, Any]], dict[str, list[str]]], ...] = (
    (plain, {}),
    (packed, {"content-encoding": ["gzip"]}),
    (stream, {"content-type": ["text/event-stream"]}),
)


def interactions(number: int) -> Iterator[dict[str, Any]]:
    """The interactions of a file."""
    body, headers = FORMS[(0, 1, 0, 1, 2)[number % 5]]
    for place in (2 * number, 2 * number + 1):
        asked = request_body(place, "recorder", stream=body is stream).decode()
        yield {
            "request": {
                "body": asked,
                "headers": _HEADERS,
                "method": "POST",
                "uri": "https://api.openai.com/v1/chat/completions",
            },
            "response": {
                "body": body(place),
                "headers": {"content-type": ["application/json"], "x-request-id": [f"req_{place:032x}"], **headers},
                "status": {"code": 200, "message": "OK"},
            },
        }


def write(directory: Path, files: int) -> None:
    """Write the files."""
    for number in range(files):
        document = {"interactions": list(interactions(number)), "version": 1}
        (directory / f"test_{number:04d}.yaml").write_text(yaml.dump(document, Dumper=yaml.CDumper))


def timed(source: Path, target: Path) -> float:
    """The seconds of an import."""
    command = [sys.executable, "-m", "replay_server", "import", str(source), "--cassettes", str(target)]
    began = time.perf_counter()
    subprocess.run(command, cwd=TREE, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def measure(source: Path, rounds: int) -> tuple[list[float], list[float]]:
    """The seconds of imports into an empty directory, and of the same again."""
    first, again = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as target:
            first.append(timed(source, Path(target)))
            again.append(timed(source, Path(target)))
    return first, again


def report(name: str, seconds: list[float], files: int) -> None:
    """Print a line of figures."""
    median = statistics.median(seconds)
    print(
        f"{name:<10} {median:6.1f} s  ({min(seconds):.1f} - {max(seconds):.1f})  {files / median:6.0f} files a second"
    )


def main() -> None:
    parser: argparse.ArgumentParser = arguments(__doc__, rounds=3)
    parser.add_argument("--files", type=int, default=1000, help="how many (default 1000)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder)
        write(source, options.files)
        first, again = measure(source, options.rounds)
    print(f"import of {options.files:,} files of vcrpy, goal {GOAL:.0f} s for 1,000")
    report("first", first, options.files)
    report("again", again, options.files)


if __name__ == "__main__":
    run(main)
