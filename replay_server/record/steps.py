"""What became of each request of a script."""

from dataclasses import dataclass
from enum import StrEnum

from replay_server.record.script import Entry


class Status(StrEnum):
    """What became of a request."""

    RECORDED = "recorded"
    KEPT = "kept"
    MISSING = "missing"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request of an entry and what became of it. `seconds` is how long the answer took."""

    entry: Entry
    label: str
    status: Status
    reason: str = ""
    tokens: int = 0
    seconds: float = 0.0
