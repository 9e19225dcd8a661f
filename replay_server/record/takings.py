"""New answers on their way into cassettes: one write takes all that came while the one before it was under way.

So a cassette of a thousand interactions is not read and written a thousand times, and a run that is killed loses
little.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from replay_server.cassettes.config import Config
from replay_server.cassettes.file import CassetteFile, Stored
from replay_server.interaction import JsonObject
from replay_server.record.due import Due
from replay_server.record.recorded_document import recorded_document, stored_responses


@dataclass(slots=True, eq=False)
class _Taking:
    """The new answers of one interaction, by their place in its sequence."""

    due: Due
    fresh: Mapping[int, JsonObject]
    written: bool = False


class Takings:
    """Puts answers into the cassettes of a directory."""

    def __init__(self, directory: Path, config: Config) -> None:
        self._directory = directory
        self._config = config
        self._waiting: dict[str, list[_Taking]] = defaultdict(list)
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def take(self, due: Due, fresh: Mapping[int, JsonObject]) -> bool:
        """Take new answers. False: somebody has changed the interaction since it was read. Raises UsageError."""
        taking, cassette = _Taking(due, fresh), due.interaction.cassette
        self._waiting[cassette].append(taking)
        async with self._turns[cassette]:
            if batch := self._waiting.pop(cassette, []):
                await asyncio.to_thread(self._write, cassette, batch)
        return taking.written

    def _write(self, cassette: str, batch: Sequence[_Taking]) -> None:
        file = CassetteFile(self._directory, cassette, self._config)
        with file.locked():
            file.replace(dict(_replacements(file, batch)))


def _replacements(file: CassetteFile, batch: Sequence[_Taking]) -> Iterator[tuple[int, str]]:
    """The documents that are still as they were read, by their place, each with its new text."""
    there: dict[str, list[int]] = defaultdict(list)
    for place, (_, stored) in enumerate(file.documents):
        there[stored.text].append(place)
    for taking in batch:
        if places := there[taking.due.stored.text]:
            place = places.pop(0)
            taking.written = True
            yield place, _text(file.documents[place][1], taking)


def _text(stored: Stored, taking: _Taking) -> str:
    responses = [taking.fresh.get(at, old) for at, old in enumerate(stored_responses(stored))]
    return recorded_document(stored, taking.due.asked, responses)
