"""What the server remembers between requests, by session. A pure replay asks nothing, and notes that it was."""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from replay_server.replay.journal import (
    MAX_ALL_ENTRIES,
    MAX_BODY_BYTES,
    MAX_ENTRIES,
    Bodies,
    Entry,
    Fields,
    Filter,
    Kept,
    Log,
    Noted,
)
from replay_server.replay.objects import MAX_OBJECT_BYTES, Room, SessionObjects
from replay_server.replay.session import UNTOLD, Addition, Summary, Told

if TYPE_CHECKING:
    from replay_server.endpoints.objects import Objects
    from replay_server.faults.fault import Fault
    from replay_server.faults.limits import Limit, Verdict
    from replay_server.replay.fault_counts import FaultCounts
    from replay_server.replay.fault_rules import FaultRule

MAX_SESSIONS = 10_000
"""Sessions kept in memory; the one used longest ago is forgotten first."""
MAX_POSITIONS = 100_000
"""Sequences whose place a session remembers."""

_ROOM_IS_LOOKED_AT = 0x3FF
"""Every so many entries (a mask)."""
_ADDED = "added"
"""Counts a session's additions as a sequence counts its requests. No interaction has this id."""

Listener = Callable[[Noted | None], None]
"""Is told of each entry at once, and with None that there will be no more: must be quick, and must not raise."""


class State(Protocol):
    """Where sessions and the journal live. Asynchronous, so that workers can share it.

    The session of requests that name none is the empty text: it is never told anything, and never ends. Where
    something is told, added or taken out, the empty text stands for all sessions.
    """

    @property
    def everywhere(self) -> Told:
        """What holds in all sessions."""

    async def told(self, session: str) -> Told:
        """What a session was told."""

    async def tell(
        self, session: str, *, cassettes: tuple[str, ...], only: bool, on_miss: str | None, pace: str | None = None
    ) -> None:
        """Begin a session, or change what it was told."""

    async def add(self, session: str, text: str) -> Addition:
        """Add the text of a cassette at run time."""

    async def take_out(self, session: str, interaction: str) -> None:
        """Have an interaction answer no more."""

    async def advance(self, session: str, interaction: str) -> int:
        """How often the sequence was asked before in this session; from now on once more."""

    def objects(self, session: str) -> "Objects":
        """The objects that a session keeps."""

    async def set_fault(self, session: str, fault: "Fault", *, endpoint: str | None, model: str | None) -> "FaultRule":
        """Have a fault hit the requests of an endpoint and of models; None: of all. No other has ever had its id."""

    async def faults(self, session: str | None) -> "list[FaultRule]":
        """Those that were set and hit a session, in the order in which they do, or (None) all of them."""

    async def clear_faults(self, ids: Collection[str]) -> None:
        """Take back those with these ids."""

    async def count_fault(self, session: str, name: str) -> int:
        """Which call this is of those that are counted by this name, from 1."""

    async def ask_limit(self, session: str, client: tuple[str, ...], limit: "Limit", tokens: int) -> "Verdict":
        """What a rate limit says to a request of a client that counts for so many tokens."""

    async def session(self, session: str) -> Summary | None:
        """What is known of a session, if there is one."""

    async def sessions(self) -> list[Summary]:
        """All of them but the one without a name, those used longest ago first."""

    async def end(self, session: str) -> Summary | None:
        """Forget a session; what was known of it, if there was one."""

    async def reset(self, session: str | None) -> None:
        """Forget places, counts, journal, objects and what was told at run time: of one session, or of all (None)."""

    def note(self, fields: Fields) -> None:
        """Write an entry into the journal. Never waits: this is on the way of every answer."""

    def keep(self, body: bytes) -> Kept:
        """What stands for a long body in an entry."""

    async def journal(self, wanted: Filter) -> list[Noted]:
        """The entries that are remembered, in the order in which they were noted."""

    async def forgotten(self, session: str | None) -> int:
        """How many entries had to make room for others: of one session, or of all (None)."""

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have each new entry told to a listener, until what comes back is called."""

    def close(self) -> None:
        """Tell the listeners that there will be no more."""


class _Session:
    """One session in memory."""

    __slots__ = ("created", "faults", "log", "objects", "positions", "told", "used")

    def __init__(self, now: float, most_entries: int) -> None:
        self.objects: SessionObjects | None = None
        self.created = self.used = now
        self.told = UNTOLD
        self.positions: dict[str, int] = {}
        self.log = Log(most_entries)
        self.faults: FaultCounts | None = None
        """None while there is nothing to count."""

    def advance(self, interaction: str) -> int:
        position = self.positions.get(interaction, 0)
        self.positions[interaction] = position + 1
        if len(self.positions) > MAX_POSITIONS:
            del self.positions[next(iter(self.positions))]
        return position


class MemoryState:
    """State of one process. `max_age`: seconds without a request after which a session ends, by `clock`.

    `limit_clock` is that of rate limits: it never goes back.
    """

    def __init__(
        self,
        *,
        max_sessions: int = MAX_SESSIONS,
        max_age: float = float("inf"),
        max_entries: int = MAX_ENTRIES,
        max_all_entries: int = MAX_ALL_ENTRIES,
        max_body_bytes: int = MAX_BODY_BYTES,
        max_object_bytes: int = MAX_OBJECT_BYTES,
        clock: Callable[[], float] = time.time,
        limit_clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_sessions = max_sessions
        self._max_age = max_age
        self._max_entries = max_entries
        self._max_all_entries = max_all_entries
        self._clock = clock
        self._limit_clock = limit_clock
        self._faults_set = 0
        self._unnamed = _Session(clock(), max_entries)
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        """The named ones; those used longest ago first."""
        self._bodies = Bodies(max_body_bytes)
        self._room = Room(max_object_bytes, self._forget_objects)
        self._dropped = 0
        self._noted = 0
        self._listeners: list[Listener] = []
        self.everywhere: Told = UNTOLD

    # Sessions --------------------------------------------------------------------------------------------------------

    async def told(self, session: str) -> Told:
        """See `State`."""
        return self._use(session).told

    async def tell(
        self, session: str, *, cassettes: tuple[str, ...], only: bool, on_miss: str | None, pace: str | None = None
    ) -> None:
        """See `State`."""
        found = self._use(session)
        found.told = replace(found.told, cassettes=cassettes, only=only, on_miss=on_miss, pace=pace)

    async def add(self, session: str, text: str) -> Addition:
        """See `State`."""
        addition = Addition(1 + await self.advance(session, _ADDED), text)
        told = self._told(session)
        self._change(session, replace(told, added=(*told.added, addition)))
        return addition

    async def take_out(self, session: str, interaction: str) -> None:
        """See `State`."""
        told = self._told(session)
        self._change(session, replace(told, without=told.without | {interaction}))

    def _told(self, session: str) -> Told:
        return self._use(session).told if session else self.everywhere

    def _change(self, session: str, told: Told) -> None:
        if session:
            self._use(session).told = told
        else:
            self.everywhere = told

    async def advance(self, session: str, interaction: str) -> int:
        """See `State`."""
        return self._use(session).advance(interaction)

    def objects(self, session: str) -> SessionObjects:
        """See `State`."""
        found = self._use(session)
        if found.objects is None:
            found.objects = SessionObjects(self._room)
        return found.objects

    def _forget_objects(self, size: int, by: SessionObjects) -> None:
        """Those of sessions used longest ago go first, and the oldest ones of each."""
        for session in self._all(None):
            if size <= 0:
                break
            if session.objects is not None:
                size -= session.objects.make_room(size, spare_latest=session.objects is by)

    async def session(self, session: str) -> Summary | None:
        """See `State`."""
        self._end_the_old(self._clock())
        found = self._sessions.get(session)
        return _summary(session, found) if found is not None else None

    async def sessions(self) -> list[Summary]:
        """See `State`."""
        self._end_the_old(self._clock())
        return [_summary(name, found) for name, found in self._sessions.items()]

    async def end(self, session: str) -> Summary | None:
        """See `State`."""
        summary = await self.session(session)
        self._drop(session)
        return summary

    async def reset(self, session: str | None) -> None:
        """See `State`."""
        for found in self._all(session):
            found.positions.clear()
            if found.objects is not None:
                found.objects.clear()
            found.log = Log(self._max_entries)
            found.told = found.told.as_at_first()
            found.faults = None
        if session is None:
            self.everywhere = UNTOLD
            self._dropped = 0

    def _use(self, session: str) -> _Session:
        if not session:
            return self._unnamed
        now = self._clock()
        found = self._sessions.get(session)
        if found is None or now - found.used > self._max_age:
            found = self._begin(session, now)
        found.used = now
        self._sessions.move_to_end(session)
        return found

    def _begin(self, session: str, now: float) -> _Session:
        self._end_the_old(now)
        if len(self._sessions) >= self._max_sessions:
            self._forget(next(iter(self._sessions)))
        self._sessions[session] = begun = _Session(now, self._max_entries)
        return begun

    def _end_the_old(self, now: float) -> None:
        while self._sessions and now - next(iter(self._sessions.values())).used > self._max_age:
            self._forget(next(iter(self._sessions)))

    def _forget(self, session: str) -> None:
        """End a session whose journal somebody may still miss."""
        self._dropped += self._sessions[session].log.count
        self._drop(session)

    def _drop(self, session: str) -> None:
        found = self._sessions.pop(session, None)
        if found is not None and found.objects is not None:
            found.objects.clear()

    def _all(self, session: str | None) -> Iterator[_Session]:
        """One session, if it is there, or all of them: those used longest ago first."""
        if session is None:
            yield from self._sessions.values()
        if not session:
            yield self._unnamed
        elif (found := self._sessions.get(session)) is not None:
            yield found

    # Faults ----------------------------------------------------------------------------------------------------------

    async def set_fault(self, session: str, fault: "Fault", *, endpoint: str | None, model: str | None) -> "FaultRule":
        """See `State`."""
        from replay_server.replay.fault_rules import FaultRule  # few ever set one

        self._faults_set += 1
        name = f"fault-{self._faults_set}"
        rule = FaultRule(id=name, fault=fault, session=session, endpoint=endpoint, model=model)
        told = self._told(session)
        self._change(session, replace(told, faults=(*told.faults, rule)))
        return rule

    async def faults(self, session: str | None) -> "list[FaultRule]":
        """See `State`."""
        self._end_the_old(self._clock())
        sessions = self._all(session) if session != "" else ()
        return [*(rule for found in sessions for rule in found.told.faults), *self.everywhere.faults]

    async def clear_faults(self, ids: Collection[str]) -> None:
        """See `State`."""
        for session in {rule.session for rule in await self.faults(None) if rule.id in ids}:
            told = self._told(session)
            self._change(session, replace(told, faults=tuple(rule for rule in told.faults if rule.id not in ids)))

    async def count_fault(self, session: str, name: str) -> int:
        """See `State`."""
        return self._fault_counts(session).call(name)

    async def ask_limit(self, session: str, client: tuple[str, ...], limit: "Limit", tokens: int) -> "Verdict":
        """See `State`."""
        return self._fault_counts(session).ask(client, limit, tokens)

    def _fault_counts(self, session: str) -> "FaultCounts":
        found = self._use(session)
        if found.faults is None:
            from replay_server.replay.fault_counts import FaultCounts  # nobody needs it for whom nothing goes wrong

            found.faults = FaultCounts(self._limit_clock)
        return found.faults

    # Journal ---------------------------------------------------------------------------------------------------------

    def note(self, fields: Fields) -> None:
        """See `State`."""
        name = fields[0]
        # A named session has just been asked what it was told, so it is there unless it was ended meanwhile.
        log = (self._sessions.get(name) or self._use(name)).log if name else self._unnamed.log
        self._noted = order = self._noted + 1
        log.count += 1
        log.fields.append(fields)
        log.orders.append(order)
        if not order & _ROOM_IS_LOOKED_AT:
            self._make_room()
        if self._listeners:
            noted = Noted(order, log.count, Entry(*fields))
            for listener in tuple(self._listeners):
                listener(noted)

    def keep(self, body: bytes) -> Kept:
        """See `State`."""
        return self._bodies.keep(body)

    def _make_room(self) -> None:
        """Forget what sessions noted that were used longest ago."""
        too_many = sum(len(session.log) for session in self._all(None)) - self._max_all_entries
        for session in self._all(None):
            if too_many <= 0:
                break
            too_many -= len(session.log)
            session.log.forget()

    async def journal(self, wanted: Filter) -> list[Noted]:
        """See `State`."""
        sessions = self._all(wanted.session)
        return sorted(noted for session in sessions for noted in session.log if wanted.passes(noted.entry))

    async def forgotten(self, session: str | None) -> int:
        """See `State`."""
        dropped = self._dropped if session is None else 0
        return dropped + sum(found.log.forgotten for found in self._all(session))

    def listen(self, listener: Listener) -> Callable[[], None]:
        """See `State`."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def close(self) -> None:
        """See `State`."""
        for listener in tuple(self._listeners):
            listener(None)


def _summary(name: str, session: _Session) -> Summary:
    return Summary(
        id=name,
        told=session.told,
        created=session.created,
        used=session.used,
        requests=session.log.count,
        sources=Counter(noted.entry.source for noted in session.log),
    )
