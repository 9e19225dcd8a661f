"""What a session remembers of its faults is bounded, and ends with it."""

import pytest

from replay_server.faults.fault import Fault
from replay_server.faults.limits import Limit, Rate
from replay_server.replay.fault_counts import FaultCounts
from replay_server.replay.state import MemoryState

FAULT = Fault(text="reset")
ONE_A_DAY = Limit(requests=Rate(1, 86400.0))


class Clock:
    """Goes on when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_calls_are_counted_by_name() -> None:
    counts = FaultCounts(Clock())

    assert [counts.call(name) for name in ("a", "b", "a", "a", "b", "\udcff")] == [1, 1, 2, 3, 2, 1]


def test_what_was_counted_longest_ago_begins_again() -> None:
    counts = FaultCounts(Clock(), most=2)

    assert [counts.call(name) for name in ("a", "b", "a", "c", "a", "b")] == [1, 1, 2, 1, 3, 1]


async def seen(state: MemoryState, session: str = "one") -> tuple[int, bool]:
    """Which call comes next, and whether the limit of the only client refuses it."""
    verdict = await state.ask_limit(session, ("me",), ONE_A_DAY, 0)
    return await state.count_fault(session, "status=429"), verdict.refusal is not None


async def test_a_session_that_ends_by_age_takes_faults_and_counts_with_it() -> None:
    clock = Clock()
    state = MemoryState(max_age=10, clock=clock, limit_clock=Clock())
    await state.set_fault("one", FAULT, endpoint=None, model=None)
    before = [await seen(state), await seen(state)]

    clock.now = 11.0

    assert await state.faults(None) == []
    assert before == [(1, False), (2, True)]
    assert await seen(state) == (1, False)


async def test_a_session_that_makes_room_for_another_takes_faults_and_counts_with_it() -> None:
    state = MemoryState(max_sessions=1, limit_clock=Clock())
    await state.set_fault("one", FAULT, endpoint=None, model=None)
    await seen(state)

    assert await seen(state, "two") == (1, False)
    assert await state.faults(None) == []
    assert await seen(state) == (1, False)


@pytest.mark.parametrize("session", [None, "one"])
async def test_a_reset_forgets_counts_and_keeps_what_holds_in_other_sessions(session: str | None) -> None:
    state = MemoryState(limit_clock=Clock())
    for each in ("", "one", "two"):
        await state.set_fault(each, FAULT, endpoint=None, model=None)
        await seen(state, each)

    await state.reset(session)

    left = ["two", ""] if session else []
    assert [rule.session for rule in await state.faults(None)] == left
    assert await seen(state) == (1, False)
    assert await seen(state, "two") == ((2, True) if session else (1, False))


async def test_faults_are_listed_as_they_hit_a_session() -> None:
    state = MemoryState()
    for each in ("", "one", "two", "one"):
        await state.set_fault(each, FAULT, endpoint=None, model=None)

    assert [rule.id for rule in await state.faults("one")] == ["fault-2", "fault-4", "fault-1"]
    assert [rule.id for rule in await state.faults("")] == ["fault-1"]
    assert [rule.id for rule in await state.faults(None)] == ["fault-3", "fault-2", "fault-4", "fault-1"]
