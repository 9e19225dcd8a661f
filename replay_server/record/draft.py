"""The cassette to be: a slot for each request of a script, in its order, among what the file holds already."""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator

from replay_server.cassettes.file import CassetteFile, Identity
from replay_server.cassettes.matching import Keyed
from replay_server.record.slots import Slot

_SECONDS_BETWEEN_WRITES = 1.0


class Draft:
    """The documents that a run has made so far. They are written whole, and never over what somebody else wrote."""

    def __init__(self, file: CassetteFile) -> None:
        self._file = file
        self._slots: dict[int, dict[Identity, Slot]] = defaultdict(dict)
        self._by_identity: dict[Identity, Slot] = {}
        self._asked: Counter[Identity] = Counter()
        self._written = time.monotonic()

    def place(self, at: int, asked: Keyed, name: str | None) -> tuple[Slot, int]:
        """The slot of a request of the entry `at`, and its place in the slot's sequence: each call is one more."""
        identity = self._file.identity(asked.resource, asked.request)
        slot = self._by_identity.get(identity)
        if slot is None:
            slot = Slot(asked.resource, asked.request.body, name, self._file.find(identity))
            self._slots[at][identity] = self._by_identity[identity] = slot
        place = self._asked[identity]
        self._asked[identity] += 1
        return slot, place

    def write_now_and_then(self) -> None:
        """Write if the last time is a while ago: a run that is killed loses little, and a long one writes little."""
        if time.monotonic() - self._written > _SECONDS_BETWEEN_WRITES:
            self.write()

    def write(self) -> None:
        """Write what there is. Raises UsageError."""
        if self._slots:
            with self._file.locked():
                self._file.write(self._texts())
        self._written = time.monotonic()

    def _texts(self) -> Iterator[str]:
        """The script's documents in its order; those of the file that it does not have stay where they are."""
        script = deque(self._scripted())
        scripted = {identity for identity, _ in script}
        for identity, stored in self._file.documents:
            if identity not in scripted or stored is not self._file.find(identity):
                yield stored.text
                continue
            while script:
                next_identity, text = script.popleft()
                yield text
                if self._file.find(next_identity):
                    break
        yield from (text for _, text in script)

    def _scripted(self) -> Iterator[tuple[Identity, str]]:
        for at in sorted(self._slots):
            for identity, slot in self._slots[at].items():
                slot.stored = self._file.find(identity)  # somebody may have written since
                if text := slot.text():
                    yield identity, text
