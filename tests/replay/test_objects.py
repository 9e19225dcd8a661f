"""What sessions keep in memory has bounds, and ends with its session."""

import pytest

from replay_server.endpoints.objects import Kept
from replay_server.replay.objects import Room, SessionObjects
from replay_server.replay.state import MemoryState


def kept(number: int, size: int = 98) -> Kept:
    return Kept(str(number), {}, bytes(size))  # two bytes more are its value


def room(most: int = 10**9) -> Room:
    return Room(most, lambda size, by: None)


async def ids(objects: SessionObjects, kind: str = "file") -> list[str]:
    return [each.id for each in await objects.all(kind)]


async def test_objects_stay_in_the_order_in_which_they_were_made() -> None:
    objects = SessionObjects(room())
    for number in (3, 1, 2):
        await objects.put("file", kept(number))

    await objects.put("file", kept(3, 5))

    assert await ids(objects) == ["3", "1", "2"]
    assert await objects.get("file", "3") == kept(3, 5)
    assert await objects.get("batch", "3") is None


async def test_what_is_removed_is_gone_and_its_number_is_not_given_again() -> None:
    objects = SessionObjects(room())
    await objects.put("file", kept(await objects.number("file")))

    assert await objects.remove("file", "0") == kept(0)
    assert await objects.remove("file", "0") is None
    assert await objects.number("file") == 1


async def test_the_oldest_of_a_kind_make_room_for_more() -> None:
    objects = SessionObjects(room(), most=2)

    for number in range(4):
        await objects.put("file", kept(number))

    assert await ids(objects) == ["2", "3"]


async def test_bytes_are_bounded_over_all_sessions_and_the_present_one_keeps_its_latest() -> None:
    state = MemoryState(max_object_bytes=250)
    await state.objects("old").put("file", kept(1))
    await state.objects("new").put("file", kept(2))

    await state.objects("new").put("file", kept(3))
    assert await ids(state.objects("old")) == []
    assert await ids(state.objects("new")) == ["2", "3"]

    await state.objects("new").put("file", kept(4, 1000))
    assert await ids(state.objects("new")) == ["4"]


@pytest.mark.parametrize("ending", ["end", "reset"])
async def test_objects_go_with_their_session_and_so_does_their_memory(ending: str) -> None:
    state = MemoryState(max_object_bytes=150)
    await state.objects("mine").put("file", kept(1))

    await (state.end("mine") if ending == "end" else state.reset("mine"))

    assert await ids(state.objects("mine")) == []
    await state.objects("other").put("file", kept(2))
    await state.objects("mine").put("file", kept(3, 40))
    assert await ids(state.objects("other")) == ["2"]
