"""What the server remembers between requests, by session. A pure replay never asks."""

from collections import OrderedDict, defaultdict
from typing import Protocol

MAX_SESSIONS = 10_000
"""Sessions kept in memory; the one used longest ago is forgotten first."""


class State(Protocol):
    """Where sessions live. Asynchronous, so that workers can share it."""

    async def advance(self, session: str, interaction: str) -> int:
        """How often the sequence was asked before in this session; from now on once more."""


class MemoryState:
    """State of one process."""

    def __init__(self, max_sessions: int = MAX_SESSIONS) -> None:
        self._max_sessions = max_sessions
        self._sessions: OrderedDict[str, dict[str, int]] = OrderedDict()

    async def advance(self, session: str, interaction: str) -> int:
        """See `State`."""
        positions = self._session(session)
        position = positions[interaction]
        positions[interaction] += 1
        return position

    def _session(self, session: str) -> dict[str, int]:
        positions = self._sessions.setdefault(session, defaultdict(int))
        self._sessions.move_to_end(session)
        if len(self._sessions) > self._max_sessions:
            self._sessions.popitem(last=False)
        return positions
