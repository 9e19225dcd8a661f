"""Streams in a HAR file: when their frames came, and their text where only their messages are kept."""

from collections.abc import Sequence
from itertools import pairwise

from replay_server.cassettes.importers.text import encoded
from replay_server.endpoints.short_form import items, optional
from replay_server.interaction import Json, JsonObject

_MILLISECOND = 0.001


def gaps_of(entry: JsonObject, frames: Sequence[bytes]) -> tuple[float, ...]:
    """The seconds before each frame.

    The file tells how long the first byte and all of the answer took: the time between is shared out evenly. Chrome
    also tells when each message of an EventSource came.
    """
    timings = optional(entry, "timings", dict) or {}
    first = _seconds(timings, "send") + _seconds(timings, "wait")
    times = [message.get("time") for message in items(entry, "_eventSourceMessages", dict)]
    known = [float(time) for time in times if isinstance(time, int | float)]
    if len(known) == len(times) == len(frames) > 0:
        return (first, *(max(0.0, later - earlier) for earlier, later in pairwise(known)))
    between = max(1, len(frames) - 1)
    return (first, *[_seconds(timings, "receive") / between] * (len(frames) - 1))


def _seconds(timings: JsonObject, name: str) -> float:
    value = timings.get(name)  # -1 where it does not apply
    return max(0.0, value * _MILLISECOND) if isinstance(value, int | float) else 0.0


def messages_text(messages: Sequence[JsonObject]) -> bytes:
    """The stream that gave these messages to an EventSource."""
    return b"".join(map(_frame, messages))


def _frame(message: JsonObject) -> bytes:
    name, at = message.get("eventName"), message.get("eventId")
    lines = [f"event: {_one_line(name)}"] if name and name != "message" else []
    lines += [f"id: {_one_line(at)}"] if at else []
    lines += [f"data: {line}" for line in str(message.get("data", "")).split("\n")]
    return encoded("".join(f"{line}\n" for line in [*lines, ""]))


def _one_line(value: Json) -> str:
    return " ".join(str(value).splitlines())
