"""Redaction: what it costs a request, in microseconds of CPU, and as a multiple of hashing the same body.

python benchmarks/redaction.py [--bytes 500 --bytes 5000] [--rounds N]

Four bodies of each size: one with nothing to redact, as nearly all are; one with a word that makes a closer look
necessary (an anchor) but no secret; one with a secret; and one with a placeholder. Built-in
rules only, then with those that `replay.yaml` can switch on. Hashing is what every request pays for its key: canonical
JSON and SHA-256. Goal: at most 15 µs for the first kind, 500 bytes, built-in rules.

A stream of 1,000 chunks is redacted too, as it is once, when it has been recorded.
"""

import argparse
import hashlib
import statistics
import time
from collections.abc import Callable

import orjson

from replay_server.cassettes.config import Config
from replay_server.cassettes.matching import Keyed
from replay_server.cassettes.redaction.redactor import DEFAULT, Redactor
from replay_server.cassettes.redaction.rules import BUILT_IN, OPTIONAL
from replay_server.endpoints.table import resource_named
from replay_server.interaction import RawRequest
from replay_server.keys import canonical_json

GOAL = 15.0
REPEATS = 2_000
SECRET = "sk-" + "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
TEXTS = {
    "clean": "Which book should I read next, and why?",
    "an anchor": "See https://example.com/books for the list.",
    "a secret": f"Is {SECRET} a key?",
    "a placeholder": "Is <redacted:openai-key:1> a key?",
}


def body(text: str, size: int) -> bytes:
    def of(filling: str) -> bytes:
        system = {"role": "system", "content": filling}
        return orjson.dumps({"model": "gpt-4o-mini", "messages": [system, {"role": "user", "content": text}]})

    words = "You are a careful assistant for the customers of a bookshop. Answer in at most two sentences. "
    return of((words * (size // len(words) + 1))[: max(0, size - len(of("")))])


def microseconds(call: Callable[[], object], rounds: int) -> float:
    """The median over the rounds, of CPU time."""
    call()
    return statistics.median(_round(call) for _ in range(rounds))


def _round(call: Callable[[], object]) -> float:
    started = time.process_time_ns()
    for _ in range(REPEATS):
        call()
    return (time.process_time_ns() - started) / REPEATS / 1e3


def cost(redactor: Redactor, data: bytes, rounds: int) -> tuple[float, float]:
    """Of redaction, and of hashing. Redaction is the quick look, and what a request pays more if it finds a reason."""
    resource, config = resource_named("chat/completions"), Config(redactor=redactor)
    raw = RawRequest("POST", "/v1/chat/completions", {}, (), {}, data)
    request = resource.parse(raw)
    look = microseconds(lambda: redactor.came_clean(raw), rounds)
    more = 0.0
    if not redactor.came_clean(raw):
        slow = microseconds(lambda: Keyed(resource, request, config), rounds)
        more = slow - microseconds(lambda: Keyed(resource, request, config, clean=True), rounds)
    hashing = microseconds(lambda: hashlib.sha256(canonical_json(request.body)).hexdigest(), rounds)
    return look + more, hashing


def stream(chunks: int) -> list[bytes]:
    words = ["Take ", "The ", "Left ", "Hand ", "of ", "Darkness, ", SECRET[:10], SECRET[10:], " it ", "is. "]
    envelope = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini"}
    deltas = (words[at % len(words)] for at in range(chunks))
    made = ({**envelope, "choices": [{"index": 0, "delta": {"content": delta}}]} for delta in deltas)
    return [b"data: %b\n\n" % orjson.dumps(chunk) for chunk in made]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=int, action="append", help="size of a body; repeatable")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    everything = Redactor([*BUILT_IN, *OPTIONAL.values()])
    for name, redactor in {"built-in rules": DEFAULT, "all rules": everything}.items():
        for size in options.bytes or [500, 5_000]:
            for kind, text in TEXTS.items():
                redaction, hashing = cost(redactor, body(text, size), options.rounds)
                goal = f" (goal: {GOAL:.0f})" if (name, size, kind) == ("built-in rules", 500, "clean") else ""
                print(f"{name}, {size:,} bytes, {kind}: {redaction:.1f} µs{goal}, {redaction / hashing:.1f} x hashing")
    frames = stream(1_000)
    started = time.process_time_ns()
    DEFAULT.exchange().frames(frames)
    print(f"a stream of 1,000 chunks: {(time.process_time_ns() - started) / 1e6:.0f} ms, once")


if __name__ == "__main__":
    main()
