"""The faults that are set at run time: which requests each is for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from replay_server.faults.fault import Fault
from replay_server.interaction import Json, Request

MAX_RULES = 100
"""Of a session, or of all sessions alike: every request looks at each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """A fault, and what it is for; None: for all. The empty session stands for all of them, `model` is a glob."""

    id: str
    fault: Fault
    session: str = ""
    endpoint: str | None = None
    model: str | None = None

    def is_for(self, request: Request) -> bool:
        """Whether a request, made in one of its sessions, is one that it is for."""
        return self.endpoint in (None, request.endpoint) and (
            self.model is None or fnmatchcase(request.model, self.model)
        )

    def as_json(self) -> dict[str, Json]:
        """The rule for programs."""
        return {
            "id": self.id,
            "fault": self.fault.text,
            "session": self.session or None,
            "endpoint": self.endpoint,
            "model": self.model,
        }


def rules_for(rules: Iterable[FaultRule], request: Request) -> Iterator[tuple[str, Fault]]:
    """The faults of those that are for a request, with what their calls are counted by."""
    return ((rule.id, rule.fault) for rule in rules if rule.is_for(request))
