"""What a session remembers of its faults: how often each was looked at, and what is left of its rate limits."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable

from replay_server.faults.limits import Limit, Limits, Verdict

MAX_COUNTERS = 100_000
"""Faults whose calls a session counts; the one counted longest ago is forgotten first, and begins again."""


class FaultCounts:
    """The counts of one session. `clock` is that of rate limits: in seconds, and it never goes back."""

    __slots__ = ("_calls", "_limits", "_most")

    def __init__(self, clock: Callable[[], float], most: int = MAX_COUNTERS) -> None:
        self._calls: OrderedDict[bytes, int] = OrderedDict()
        self._limits = Limits(clock)
        self._most = most

    def call(self, name: str) -> int:
        """Which call of its name this is, from 1."""
        # A name may hold a whole header: what is remembered is as short for all of them.
        counter = hashlib.blake2b(name.encode(errors="surrogateescape"), digest_size=16).digest()
        self._calls[counter] = call = self._calls.get(counter, 0) + 1
        self._calls.move_to_end(counter)
        if len(self._calls) > self._most:
            self._calls.popitem(last=False)
        return call

    def ask(self, client: tuple[str, ...], limit: Limit, tokens: int) -> Verdict:
        """One request of a client with so many tokens."""
        return self._limits.ask(client, limit, tokens)
