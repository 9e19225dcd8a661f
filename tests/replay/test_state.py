"""Sessions end by call, by age and where there are too many; what they remember is bounded."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_server.replay.journal import SMALL_BODY, Bodies, Fields, Filter, Noted
from replay_server.replay.state import MemoryState


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def fields(session: str = "", *, source: str = "cassette", body: Any = b"{}", path: str = "/v1/x") -> Fields:
    headers = {"x-replay-source": source}
    return (session, "POST", path, "chat/completions", "m", False, 200, headers, 0.0, 0.0, body, (), "", "")


async def ids(state: MemoryState, session: str | None = None) -> list[str]:
    return [noted.id for noted in await state.journal(Filter(session=session))]


async def test_a_session_ends_when_nobody_has_used_it_for_so_long() -> None:
    clock = Clock()
    state = MemoryState(max_age=10, clock=clock)
    await state.advance("one", "a#1")
    await state.advance("", "a#1")

    clock.now = 11

    assert await state.session("one") is None
    assert [await state.advance("one", "a#1"), await state.advance("", "a#1")] == [0, 1]


async def test_a_session_that_is_used_does_not_age() -> None:
    clock = Clock()
    state = MemoryState(max_age=10, clock=clock)
    for clock.now in (0, 9, 18, 27):
        await state.told("one")

    summary = await state.session("one")

    assert summary is not None
    assert (summary.created, summary.used) == (0, 27)


async def test_the_session_used_longest_ago_makes_room() -> None:
    state = MemoryState(max_sessions=2)
    for session in ("one", "two", "one", "three"):
        await state.told(session)

    assert [summary.id for summary in await state.sessions()] == ["one", "three"]


async def test_a_session_that_has_ended_begins_anew() -> None:
    state = MemoryState()
    await state.tell("one", cassettes=("a",), only=True, on_miss="error")
    await state.advance("one", "a#1")
    state.note(fields("one"))

    ended = await state.end("one")

    assert ended is not None
    assert (ended.told.cassettes, ended.requests, ended.sources) == (("a",), 1, {"cassette": 1})
    assert await state.end("one") is None
    assert (await state.told("one")).cassettes == ()
    assert await state.advance("one", "a#1") == 0
    assert await ids(state, "one") == []


@pytest.mark.parametrize("session", ["one", None], ids=["one session", "all sessions"])
async def test_a_reset_keeps_what_a_session_was_told(session: str | None) -> None:
    state = MemoryState()
    await state.tell("one", cassettes=("a",), only=False, on_miss=None)
    await state.add("one", "text")
    await state.take_out("one", "b.yaml#1")
    await state.advance("one", "a#1")
    state.note(fields("one"))

    await state.reset(session)

    told = await state.told("one")
    assert (told.cassettes, told.added, told.without) == (("a",), (), frozenset())
    assert (await state.advance("one", "a#1"), await ids(state)) == (0, [])


async def test_a_reset_of_one_session_leaves_the_others_alone() -> None:
    state = MemoryState()
    for session in ("", "one", "two"):
        state.note(fields(session))
        await state.add(session, "text")

    await state.reset("one")

    assert await ids(state) == ["#1", "two#1"]
    assert len(state.everywhere.added) == len((await state.told("two")).added) == 1


async def test_additions_are_numbered_by_session() -> None:
    state = MemoryState()

    added = [(await state.add(session, "text")).number for session in ("one", "two", "one", "")]

    assert added == [1, 1, 2, 1]


async def test_the_oldest_entries_of_a_session_make_room_and_the_others_keep_their_ids() -> None:
    state = MemoryState(max_entries=2)
    for _ in range(3):
        state.note(fields("one"))
    state.note(fields("two"))

    assert await ids(state) == ["one#2", "one#3", "two#1"]
    assert [await state.forgotten(session) for session in ("one", "two", None)] == [1, 0, 1]


async def test_all_journals_together_are_bounded() -> None:
    state = MemoryState(max_all_entries=1000)
    for number in range(4096):
        state.note(fields(f"s{number % 4}"))
        await state.told(f"s{number % 4}")

    kept = len(await ids(state))

    assert kept <= 1000 + 1024
    assert kept + await state.forgotten(None) == 4096


async def test_what_a_session_that_made_room_had_noted_counts_as_forgotten() -> None:
    state = MemoryState(max_sessions=1)
    state.note(fields("one"))
    state.note(fields("two"))

    assert (await ids(state), await state.forgotten(None)) == (["two#1"], 1)


@given(st.lists(st.binary(max_size=40), max_size=30))
def test_long_bodies_are_kept_up_to_so_many_bytes(bodies: list[bytes]) -> None:
    kept = Bodies(most=100)

    held = [kept.keep(body) for body in bodies]

    left = [each.data for each in held if each.data is not None]
    assert sum(map(len, left)) <= 100
    assert left == bodies[len(bodies) - len(left) :]


async def test_a_body_that_made_room_costs_its_entry_nothing_else() -> None:
    state = MemoryState(max_body_bytes=SMALL_BODY * 2)
    for _ in range(2):
        state.note(fields(body=state.keep(b"x" * (SMALL_BODY + 1))))

    first, second = await state.journal(Filter())

    assert (first.entry.body, first.id) == (None, "#1")
    assert second.entry.body == b"x" * (SMALL_BODY + 1)


async def test_a_listener_hears_each_entry_until_it_stops() -> None:
    state, heard = MemoryState(), list[Noted | None]()
    state.note(fields("one"))
    stop = state.listen(heard.append)

    state.note(fields("one"))
    state.close()
    stop()
    state.note(fields("one"))

    assert [noted and noted.id for noted in heard] == ["one#2", None]


@given(st.lists(st.sampled_from(["", "a", "b"]), max_size=60), st.integers(1, 10))
async def test_entries_are_in_order_and_numbered_by_session(sessions: list[str], most: int) -> None:
    state = MemoryState(max_entries=most)
    expected: dict[str, list[int]] = {}
    for session in sessions:
        state.note(fields(session))
        numbers = expected.setdefault(session, [])
        numbers.append(len(numbers) + 1)

    noted = await state.journal(Filter())

    assert [each.order for each in noted] == sorted(each.order for each in noted)
    for session, numbers in expected.items():
        assert [each.number for each in noted if each.entry.session == session] == numbers[-most:]
