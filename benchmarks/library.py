"""Cassettes for the benchmarks, generated: each interaction with its own prompt; all of usual length."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import yaml

MAX_FILES = 1000
"""Of more interactions than these, several share a file."""

_SYSTEM = (
    "You are a careful assistant for the customers of a bookshop. Answer in at most two sentences, name the title and"
    " the author where you know them, and say so plainly where you do not. Never make up the name of a book; be brief."
)


@dataclass(frozen=True, slots=True)
class Form:
    """A way to write an interaction: its `response`, and what the answer must say."""

    name: str
    response: Callable[[int], dict[str, object]]
    text: Callable[[int], str]
    recorded: bool = False
    stream: bool = False


def request_body(number: int, user: str, *, stream: bool = False) -> bytes:
    """The body of the request that interaction `number` answers: 437 bytes with a `user` of 20."""
    body: dict[str, object] = {
        "model": "gpt-4o-mini",
        "messages": [
            {"role": "system", "content": _SYSTEM},
            {"role": "user", "content": f"Which book should I read after number {number:06d} of your list, and why?"},
        ],
        "temperature": 0.2,
        "user": user,
    }
    return orjson.dumps(body | {"stream": True} if stream else body)


def _words(number: int) -> str:
    return (
        f"After number {number:06d} read The Left Hand of Darkness by Ursula K. Le Guin. It is patient, strange and"
        " humane, and it stays with you."
    )


def _deltas(number: int, count: int) -> list[str]:
    return [f"word{(number + place) % 1000:03d} " for place in range(count)]


def _body(number: int) -> dict[str, object]:
    message: dict[str, object] = {"role": "assistant", "content": _words(number), "refusal": None, "annotations": []}
    return {
        "id": f"chatcmpl-{number:029d}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 70,
            "completion_tokens": 24,
            "total_tokens": 94,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
    }


WRITTEN = Form("hand-written", lambda number: {"content": _words(number)}, _words)
RECORDED = Form("recorded", lambda number: {"body": _body(number)}, _words, recorded=True)


def streamed(chunks: int) -> Form:
    """A stream of so many chunks: the first has the role, the last the finish_reason, the others a delta each."""
    count = chunks - 2
    return Form(
        f"{chunks} chunks",
        lambda number: {"deltas": _deltas(number, count)},
        lambda number: "".join(_deltas(number, count)),
        stream=True,
    )


def write(directory: Path, form: Form, interactions: int) -> None:
    """Write so many interactions, one a file as long as there are not too many."""
    per_file = -(-interactions // MAX_FILES)
    for first in range(0, interactions, per_file):
        numbers = range(first, min(first + per_file, interactions))
        (directory / f"{first:06d}.yaml").write_bytes(b"---\n".join(_documents(form, numbers)))


def _documents(form: Form, numbers: range) -> Iterator[bytes]:
    for number in numbers:
        request = orjson.loads(request_body(number, "recorder", stream=form.stream))
        document = {"request": request, "response": form.response(number)}
        if form.recorded:
            document["recorded"] = {"at": "2026-01-01"}
        else:
            del request["user"]  # nobody would write it by hand
        text: bytes = yaml.dump(document, Dumper=yaml.CSafeDumper, encoding="utf-8", sort_keys=False, width=1000)
        yield text
