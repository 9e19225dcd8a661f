"""The objects that sessions keep in memory: stored answers, files, batches. Bounded in number and bytes."""

from collections import Counter
from collections.abc import Callable, Sequence

import orjson

from replay_server.endpoints.objects import Kept

MAX_OF_A_KIND = 10_000
"""Objects of one kind that a session keeps; the oldest ones make room."""
MAX_OBJECT_BYTES = 512 * 1024 * 1024
"""Memory of the objects of all sessions together."""


class Room:
    """The memory that all sessions share. `make` is to free so many bytes for the one who asks."""

    def __init__(self, most: int, make: "Callable[[int, SessionObjects], None]") -> None:
        self._most = most
        self._make = make
        self.taken = 0

    def take(self, size: int, by: "SessionObjects") -> None:
        """Take so many bytes more; others are forgotten where that is too much."""
        self.taken += size
        if self.taken > self._most:
            self._make(self.taken - self._most, by)

    def give(self, size: int) -> None:
        """Give so many bytes back."""
        self.taken -= size


class SessionObjects:
    """The objects of one session: implements `Objects`."""

    def __init__(self, room: Room, most: int = MAX_OF_A_KIND) -> None:
        self._room = room
        self._most = most
        self._made: Counter[str] = Counter()
        self._kept: dict[str, dict[str, tuple[Kept, int]]] = {}
        self._latest: Kept | None = None

    async def number(self, kind: str) -> int:
        """See `Objects`."""
        self._made[kind] += 1
        return self._made[kind] - 1

    async def put(self, kind: str, kept: Kept) -> None:
        """See `Objects`."""
        of_kind = self._kept.setdefault(kind, {})
        before, size = of_kind.get(kept.id), _size(kept)
        of_kind[kept.id] = (kept, size)
        if before is not None:
            self._room.give(before[1])
        elif len(of_kind) > self._most:
            self._forget_first(of_kind)
        self._latest = kept
        self._room.take(size, self)

    async def get(self, kind: str, id: str) -> Kept | None:
        """See `Objects`."""
        found = self._kept.get(kind, {}).get(id)
        return found[0] if found else None

    async def remove(self, kind: str, id: str) -> Kept | None:
        """See `Objects`."""
        found = self._kept.get(kind, {}).pop(id, None)
        if found is None:
            return None
        self._room.give(found[1])
        return found[0]

    async def all(self, kind: str) -> Sequence[Kept]:
        """See `Objects`."""
        return [kept for kept, _ in self._kept.get(kind, {}).values()]

    def make_room(self, size: int, *, spare_latest: bool) -> int:
        """Forget the oldest of each kind until so many bytes are free; how many are."""
        freed = 0
        for of_kind in self._kept.values():
            while freed < size and of_kind:
                if spare_latest and next(iter(of_kind.values()))[0] is self._latest:
                    break
                freed += self._forget_first(of_kind)
        return freed

    def clear(self) -> None:
        """Forget all of them, and that they were made."""
        for of_kind in self._kept.values():
            while of_kind:
                self._forget_first(of_kind)
        self._kept.clear()
        self._made.clear()

    def _forget_first(self, of_kind: dict[str, tuple[Kept, int]]) -> int:
        _, size = of_kind.pop(next(iter(of_kind)))
        self._room.give(size)
        return size


def _size(kept: Kept) -> int:
    return len(kept.content) + len(orjson.dumps(kept.value))
