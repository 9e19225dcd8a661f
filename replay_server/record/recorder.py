"""The recorder: runs a script, asks for what is not there, and writes the cassette in the script's order."""

import asyncio
from collections import defaultdict
from collections.abc import Callable

from replay_server.cassettes.file import CassetteFile, Identity, make_directory
from replay_server.endpoints.base import Conversational
from replay_server.interaction import JsonObject
from replay_server.record.answers import Answerer
from replay_server.record.draft import Draft
from replay_server.record.entry_run import EntryRun, Recording
from replay_server.record.modes import RecordMode
from replay_server.record.script import Entry, Script
from replay_server.record.steps import Step


class Recorder:
    """Records one script into one cassette. `report` is told of each step."""

    def __init__(
        self,
        file: CassetteFile,
        mode: RecordMode,
        answerer: Answerer,
        *,
        concurrency: int,
        report: Callable[[Step], None],
    ) -> None:
        self._file = file
        self._draft = Draft(file)
        self._writes = mode is not RecordMode.NONE
        self._permits = asyncio.Semaphore(concurrency)
        self._recording = Recording(
            draft=self._draft,
            config=file.config,
            cassette=file.name,
            existed=file.existed,
            mode=mode,
            answerer=answerer,
            report=report,
        )

    async def run(self, script: Script) -> list[Step]:
        """Record what is to be recorded, and write. What is done is written even when the run is cut short."""
        if self._writes:
            make_directory(self._file.path.parent)  # found out now, not when all has been asked and paid for
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(self._run_group(group)) for group in self._groups(script)]
        finally:
            if self._writes:
                self._draft.write()
        return [step for task in running for step in task.result()]

    def _groups(self, script: Script) -> list[list[tuple[int, Entry]]]:
        """Entries that begin with the same request: their answers may be a sequence, which has the script's order."""
        groups: dict[Identity, list[tuple[int, Entry]]] = defaultdict(list)
        for at, entry in enumerate(script.entries):
            first = entry.resource.from_cassette(first_body(entry))
            groups[self._file.identity(entry.resource, first)].append((at, entry))
        return list(groups.values())

    async def _run_group(self, group: list[tuple[int, Entry]]) -> list[Step]:
        """Run entries one after the other."""
        steps: list[Step] = []
        async with self._permits:
            for at, entry in group:
                steps += await EntryRun(self._recording, at, entry).run()
                if self._writes:
                    self._draft.write_now_and_then()
        return steps


def first_body(entry: Entry) -> JsonObject:
    """The body of an entry's first request."""
    if entry.turns and isinstance(entry.resource, Conversational):
        return entry.resource.say(entry.body, entry.turns[0].text)
    return entry.body
