"""A batch at work: each line is asked as a client of the session would ask it, and its answer becomes a line."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson

from replay_server.endpoints.batch_input import BatchInput
from replay_server.endpoints.operation import Call
from replay_server.interaction import Json, RawRequest, WireResponse
from replay_server.stamp import Stamp

LINES_AT_ONCE = 1000
"""Requests that are answered each time a client asks how far a batch is: others want answers too."""

_OF_THE_BODY = ("content-length", "content-encoding", "content-type", "transfer-encoding")


class Progress(NamedTuple):
    """What of a batch the API does not show: the requests that wait, and the lines of the files to come."""

    expires_after: Json
    waiting: Sequence[Json] = ()
    output: Sequence[Json] = ()
    errors: Sequence[Json] = ()

    @classmethod
    def read(cls, content: bytes) -> "Progress":
        """What `written` has written."""
        return cls(**orjson.loads(content))

    @property
    def written(self) -> bytes:
        """The progress as an object keeps it."""
        return orjson.dumps(self._asdict())

    def begun(self, given: BatchInput) -> "Progress":
        """With all of its requests before it."""
        return self._replace(waiting=[dict(line) for line in given.lines])

    @property
    def counts(self) -> dict[str, Json]:
        """The batch's `request_counts`."""
        completed, failed = len(self.output), len(self.errors)
        return {"total": len(self.waiting) + completed + failed, "completed": completed, "failed": failed}


def lines_of(values: Sequence[Json]) -> bytes:
    """A file with a JSON value in each line."""
    return b"".join(orjson.dumps(value) + b"\n" for value in values)


async def run_on(call: Call, batch: str, progress: Progress) -> Progress:
    """The progress after some more of the requests."""
    output, errors = list(progress.output), list(progress.errors)
    for asked in progress.waiting[:LINES_AT_ONCE]:
        stamp = Stamp(batch, len(output) + len(errors))
        status, line = await _answered(call, asked if isinstance(asked, dict) else {}, stamp)
        (output if status < 400 else errors).append(line)
    return progress._replace(waiting=progress.waiting[LINES_AT_ONCE:], output=output, errors=errors)


async def _answered(call: Call, asked: Mapping[str, Json], stamp: Stamp) -> tuple[int, Json]:
    """The status of the answer to a line, and what the file says of it."""
    wire = await call.ask(RawRequest("POST", str(asked["url"]), {}, (), _headers(call), orjson.dumps(asked["body"])))
    body = wire.body if isinstance(wire, WireResponse) else b"".join(wire.frames)
    response: Json = {
        "status_code": wire.status,
        "request_id": wire.headers.get("x-request-id", stamp.hex("request", 32)).removeprefix("req_"),
        "body": _json(body),
    }
    name = f"batch_req_{stamp.hex('line', 32)}"
    return wire.status, {"id": name, "custom_id": asked["custom_id"], "response": response, "error": None}


def _headers(call: Call) -> dict[str, str]:
    """Those that the client has sent: a matcher may ask for one, and a URL of this server begins as the client's."""
    sent = {name.lower(): value for name, value in call.raw.headers.items()}
    of_the_client = {name: value for name, value in sent.items() if name not in _OF_THE_BODY}
    return {**of_the_client, "content-type": "application/json"}


def _json(body: bytes) -> Json:
    """The value of a JSON body; the text of another."""
    try:
        value: Json = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")
    return value


# Usage ---------------------------------------------------------------------------------------------------------------


def usage_of(lines: Sequence[Json]) -> dict[str, Json]:
    """The tokens of all answers together, as a batch counts them, whatever their endpoint calls them."""
    used = [_usage(line) for line in lines]
    sent = sum(_count(usage, "prompt_tokens", "input_tokens") for usage in used)
    said = sum(_count(usage, "completion_tokens", "output_tokens") for usage in used)
    cached = sum(_detail(usage, "prompt_tokens_details", "input_tokens_details", "cached_tokens") for usage in used)
    thought = sum(
        _detail(usage, "completion_tokens_details", "output_tokens_details", "reasoning_tokens") for usage in used
    )
    return {
        "input_tokens": sent,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": said,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": sent + said,
    }


def _usage(line: Json) -> Mapping[str, Json]:
    return _member(_member(_member(line, "response"), "body"), "usage")


def _member(value: Json | Mapping[str, Json], name: str) -> Mapping[str, Json]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _count(usage: Mapping[str, Json], *names: str) -> int:
    found = next((usage[name] for name in names if name in usage), 0)
    return found if isinstance(found, int) else 0


def _detail(usage: Mapping[str, Json], one: str, other: str, name: str) -> int:
    return _count(_member(usage, one) or _member(usage, other), name)
