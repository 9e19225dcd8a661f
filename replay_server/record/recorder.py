"""The recorder: runs a script, asks for what is not there, and writes the cassette in the script's order."""

import asyncio
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from replay_server.cassettes.file import CassetteFile, Identity, make_directory
from replay_server.cassettes.matching import Keyed
from replay_server.cassettes.sameness import neutral_reply, same_answer
from replay_server.endpoints.base import BadField, Conversational, Resource
from replay_server.fallback import Generator
from replay_server.interaction import ErrorReply, JsonObject, Reply, Response, TextReply
from replay_server.record.answers import Answer, Answerer, from_script
from replay_server.record.modes import RecordMode
from replay_server.record.script import Entry, Script, Turn
from replay_server.record.slots import Slot
from replay_server.record.tool_results import ToolResults
from replay_server.record.upstream import AnswerFailed
from replay_server.terminal import counted

_MOST_TOOL_ROUNDS = 20
_SECONDS_BETWEEN_WRITES = 1.0


class Status(StrEnum):
    """What became of a request."""

    RECORDED = "recorded"
    KEPT = "kept"
    MISSING = "missing"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request of an entry and what became of it. `seconds` is how long the answer took."""

    entry: Entry
    label: str
    status: Status
    reason: str = ""
    tokens: int = 0
    seconds: float = 0.0


class _Stop(Exception):
    """A conversation cannot go on without the answer that is missing."""


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
        self._mode = mode
        self._answerer = answerer
        self._permits = asyncio.Semaphore(concurrency)
        self._report = report
        self._slots: dict[int, dict[Identity, Slot]] = defaultdict(dict)
        self._occurrences: Counter[Identity] = Counter()
        self._written = time.monotonic()

    async def run(self, script: Script) -> list[Step]:
        """Record what is to be recorded, and write. What is done is written even when the run is cut short."""
        groups: dict[Identity, list[tuple[int, Entry]]] = defaultdict(list)
        for at, entry in enumerate(script.entries):
            groups[self._identity(entry.resource, first_body(entry))].append((at, entry))
        if self._mode is not RecordMode.NONE:
            make_directory(self._file.path.parent)  # found out now, not when all has been asked and paid for
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(self._run_group(group)) for group in groups.values()]
        finally:
            self._write()
        return [step for task in running for step in task.result()]

    async def _run_group(self, group: list[tuple[int, Entry]]) -> list[Step]:
        """Entries that begin alike go one after the other, so that a sequence has the script's order."""
        steps: list[Step] = []
        async with self._permits:
            for at, entry in group:
                steps += await self._run_entry(at, entry)
                self._write_now_and_then()
        return steps

    async def _run_entry(self, at: int, entry: Entry) -> list[Step]:
        steps: list[Step] = []
        try:
            if entry.turns:
                await self._converse(at, entry, steps)
            else:
                for place in range(entry.repeat):
                    given = entry.responses[place] if entry.responses else None
                    await self._step(at, entry, entry.body, entry.name, given, steps)
        except _Stop:
            return steps
        return steps

    async def _converse(self, at: int, entry: Entry, steps: list[Step]) -> None:
        """Each reply goes into the next request; tools that the model calls get the script's results."""
        resource = entry.resource
        if not isinstance(resource, Conversational):  # the reader has refused such a script
            raise TypeError(resource.name)
        results = ToolResults(entry.tool_results)
        body = entry.body
        for number, turn in enumerate(entry.turns, 1):
            body = resource.say(body, turn.text)
            name = f"{entry.name}, turn {number}" if entry.name and len(entry.turns) > 1 else entry.name
            for round_ in range(_MOST_TOOL_ROUNDS):
                given = turn.responses[round_] if round_ < len(turn.responses) else None
                answer = await self._step(at, entry, body, _round_name(name, round_), given, steps)
                try:
                    body, again = resource.hear(body, neutral_reply(resource, answer), results.next)
                except BadField as error:
                    self._fail(entry, entry.label, f"{'.'.join(map(str, error.path))} {error.problem}", steps)
                    raise _Stop from None
                if not again:
                    self._check_all_given(turn, round_ + 1, entry, steps)
                    break
            else:
                self._fail(entry, entry.label, f"the model called tools {_MOST_TOOL_ROUNDS} times in one turn", steps)
                raise _Stop

    def _check_all_given(self, turn: Turn, asked: int, entry: Entry, steps: list[Step]) -> None:
        if len(turn.responses) > asked:
            had = counted(len(turn.responses), "response")
            self._fail(entry, entry.label, f"the turn {turn.text!r} has {had}, and {asked} were asked for", steps)
            raise _Stop

    async def _step(
        self, at: int, entry: Entry, body: JsonObject, name: str | None, given: JsonObject | None, steps: list[Step]
    ) -> Response:
        """Keep or record one request. Raises _Stop where it has no answer in the end."""
        asked = self._keyed(entry.resource, body)
        identity = self._file.identity(entry.resource, asked.request)
        place = self._occurrences[identity]
        self._occurrences[identity] += 1
        slot = self._slot(at, identity, asked, name)
        label = f"{entry.where} {name}" if name else entry.where
        there = slot.there(place)
        started = time.monotonic()
        try:
            answer = await self._answer(asked, given, there, place)
        except AnswerFailed as error:
            self._fail(entry, label, str(error), steps)
            raise _Stop from None
        if answer is None and there is None:
            self._tell(Step(entry=entry, label=label, status=Status.MISSING, reason=self._why_missing()), steps)
            raise _Stop
        return self._settle(slot, place, answer, there, _Told(entry, label, time.monotonic() - started, steps, asked))

    async def _answer(
        self, asked: Keyed, given: JsonObject | None, there: Response | None, place: int
    ) -> Answer | None:
        """A new answer, or None where what is there is kept."""
        records = self._mode.records(there=there is not None, cassette_existed=self._file.existed)
        if given is not None and (records or self._mode is RecordMode.NEW_EPISODES):
            return from_script(given, asked)  # it costs nothing, and the script's author may have changed it
        return await self._answerer.answer(asked, place) if records else None

    def _settle(self, slot: Slot, place: int, answer: Answer | None, there: Response | None, told: "_Told") -> Response:
        if there is not None and (answer is None or same_answer(slot.resource, there, answer.response)):
            slot.keep(place)
            self._tell(told.step(Status.KEPT), told.steps)
            return there
        if answer is None:
            raise _Stop
        slot.take(answer.fields, recorded=answer.recorded)
        self._tell(told.step(Status.RECORDED, _tokens(told.asked, answer.response)), told.steps)
        return answer.response

    def _why_missing(self) -> str:
        if self._mode is RecordMode.ONCE:
            return f"not in {self._file.name}, which exists (mode once)"
        return f"not in {self._file.name} (mode {self._mode})"

    def _fail(self, entry: Entry, label: str, reason: str, steps: list[Step]) -> None:
        self._tell(Step(entry=entry, label=label, status=Status.FAILED, reason=reason), steps)

    def _tell(self, step: Step, steps: list[Step]) -> None:
        steps.append(step)
        self._report(step)

    def _slot(self, at: int, identity: Identity, asked: Keyed, name: str | None) -> Slot:
        """The document for a request: where an earlier entry has it already, its sequence goes on there."""
        for slots in self._slots.values():
            if identity in slots:
                return slots[identity]
        slot = Slot(asked.resource, asked.request.body, name, self._file.find(identity))
        self._slots[at][identity] = slot
        return slot

    def _keyed(self, resource: Resource, body: JsonObject) -> Keyed:
        return Keyed(resource, resource.from_cassette(body), self._file.config)

    def _identity(self, resource: Resource, body: JsonObject) -> Identity:
        return self._file.identity(resource, resource.from_cassette(body))

    # Writing ---------------------------------------------------------------------------------------------------------

    def _write_now_and_then(self) -> None:
        """A run that is killed loses little, and a long one does not spend its time on writing."""
        if time.monotonic() - self._written > _SECONDS_BETWEEN_WRITES:
            self._write()

    def _write(self) -> None:
        if self._mode is not RecordMode.NONE and self._slots:
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


@dataclass(frozen=True, slots=True)
class _Told:
    entry: Entry
    label: str
    seconds: float
    steps: list[Step]
    asked: Keyed

    def step(self, status: Status, tokens: int = 0) -> Step:
        return Step(entry=self.entry, label=self.label, status=status, tokens=tokens, seconds=self.seconds)


def first_body(entry: Entry) -> JsonObject:
    """The body of an entry's first request."""
    if entry.turns and isinstance(entry.resource, Conversational):
        return entry.resource.say(entry.body, entry.turns[0].text)
    return entry.body


def _round_name(name: str | None, round_: int) -> str | None:
    return f"{name}, after its tools" + (f" ({round_})" if round_ > 1 else "") if name and round_ else name


def _tokens(asked: Keyed, response: Response) -> int:
    if isinstance(response, ErrorReply):
        return 0
    try:
        reply: Reply = neutral_reply(asked.resource, response)
        complete = Generator().complete(asked.resource.wanted(asked.request), reply, asked.key)
    except BadField:
        return 0
    return complete.usage.total_tokens if isinstance(complete, TextReply) and complete.usage else 0
