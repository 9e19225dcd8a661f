"""What a session is: what it was told, and what it has done."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from replay_server.cassettes.matching import EVERYTHING, Scope
from replay_server.interaction import Json
from replay_server.replay.journal import moment

if TYPE_CHECKING:
    from replay_server.replay.fault_rules import FaultRule


@dataclass(frozen=True, slots=True)
class Addition:
    """The text of a cassette that was added at run time, in its session the one with this number, from 1."""

    number: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Told:
    """What a session was told; or, for all sessions alike, what everybody is to see. A new value with each change."""

    cassettes: tuple[str, ...] = ()
    """Those that answer first, in this order. None named: the one that is called as the session."""
    only: bool = False
    """Nothing else answers."""
    on_miss: str | None = None
    pace: str | None = None
    """Of its answers, where their requests name none."""
    added: tuple[Addition, ...] = ()
    without: frozenset[str] = frozenset()
    """The ids of interactions that have been taken out."""
    faults: "tuple[FaultRule, ...]" = ()
    """Those that hit its requests, in the order in which they were set."""

    def scope(self, session: str, everywhere: "Told") -> Scope:
        """Which interactions of the cassettes may answer."""
        if not session and not everywhere.without:
            return EVERYTHING
        named = self.cassettes or ((session,) if session else ())
        return Scope(named, self.only, self.without | everywhere.without)

    def as_at_first(self) -> "Told":
        """Without what was added, taken out and set at run time."""
        return replace(self, added=(), without=frozenset(), faults=())


UNTOLD = Told()


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What is known of a session."""

    id: str
    told: Told
    created: float
    used: float
    requests: int
    sources: Mapping[str, int] = field(default_factory=dict)
    """How many of the requests that its journal remembers came from where."""

    def as_json(self) -> dict[str, Json]:
        """The summary for programs."""
        return {
            "id": self.id,
            "cassettes": list(self.told.cassettes),
            "only": self.told.only,
            "on_miss": self.told.on_miss,
            "pace": self.told.pace,
            "added": len(self.told.added),
            "faults": [rule.id for rule in self.told.faults],
            "created": moment(self.created),
            "used": moment(self.used),
            "requests": self.requests,
            "sources": dict(self.sources),
        }
