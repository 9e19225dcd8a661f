"""Streams: unpaced streams a second of replay-server against ref, which hands out the same bytes as one body.

python benchmarks/streams.py [--chunks 100] [--interactions 10] [--rounds N] [--tree DIR]

As in hits.py no request body comes twice. The events go out chunked; what is compared is the body within the chunks.
Goal: at least 0.45 x ref.
"""

import asyncio
import tempfile
from functools import partial
from pathlib import Path

import orjson
from client import Answer
from harness import Traffic, arguments, contest, parse, run
from library import Form, request_body, streamed, write

GOAL = 0.45


def traffic(form: Form, interactions: int, chunks: int) -> Traffic:
    def says_its_text(number: int, answer: Answer) -> bool:
        *events, done = answer.body.decode().removesuffix("\n\n").split("\n\n")
        deltas = [orjson.loads(event.removeprefix("data: "))["choices"][0]["delta"] for event in events]
        text = "".join(delta.get("content", "") for delta in deltas)
        return done == "data: [DONE]" and len(events) == chunks and text == form.text(number)

    return Traffic(range(interactions), partial(request_body, stream=True), says_its_text)


def main() -> None:
    parser = arguments(__doc__, rounds=15)
    parser.add_argument("--chunks", type=int, default=100, help="chunks a stream, [DONE] not counted (default 100)")
    parser.add_argument("--interactions", type=int, default=10, help="size of the library (default 10)")
    options = parse(parser)
    form = streamed(options.chunks)
    with tempfile.TemporaryDirectory() as folder:
        cassettes = Path(folder, "cassettes")
        cassettes.mkdir()
        write(cassettes, form, options.interactions)
        asked = traffic(form, options.interactions, options.chunks)
        asyncio.run(contest(f"streams of {form.name}", cassettes, asked, GOAL, Path(folder), options))


if __name__ == "__main__":
    run(main)
