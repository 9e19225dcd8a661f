"""Running one entry of a script: its request, as often as it is repeated, or its conversation."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from replay_server.cassettes.config import Config
from replay_server.cassettes.matching import Keyed
from replay_server.cassettes.reader import dotted
from replay_server.cassettes.sameness import neutral_reply, same_answer
from replay_server.endpoints.base import BadField, Conversational
from replay_server.fallback import Generator
from replay_server.interaction import ErrorReply, JsonObject, Response, TextReply
from replay_server.record.answers import Answer, Answerer, Question, from_script
from replay_server.record.draft import Draft
from replay_server.record.modes import RecordMode
from replay_server.record.script import Entry, Turn
from replay_server.record.slots import Slot
from replay_server.record.steps import Status, Step
from replay_server.record.tool_results import ToolResults
from replay_server.record.upstream import AnswerFailed
from replay_server.terminal import counted

_MOST_TOOL_ROUNDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What all entries of a run share. `cassette` is the name of the file; `existed`: it was there before."""

    draft: Draft
    config: Config
    cassette: str
    existed: bool
    mode: RecordMode
    answerer: Answerer
    report: Callable[[Step], None]


class _Stop(Exception):
    """The entry cannot go on without the answer that is missing."""


class EntryRun:
    """Runs one entry, the one at place `at` of its script."""

    def __init__(self, recording: Recording, at: int, entry: Entry) -> None:
        self._recording = recording
        self._at = at
        self._entry = entry
        self._steps: list[Step] = []

    async def run(self) -> list[Step]:
        """The steps, up to the first that has no answer."""
        with suppress(_Stop):  # the step that stopped it has told why
            await (self._converse() if self._entry.turns else self._ask())
        return self._steps

    async def _ask(self) -> None:
        entry = self._entry
        for place in range(entry.repeat):
            await self._step(entry.body, entry.name, entry.responses[place] if entry.responses else None)

    async def _converse(self) -> None:
        """Each reply goes into the next request."""
        body, results = self._entry.body, ToolResults(self._entry.tool_results)
        for number, turn in enumerate(self._entry.turns, 1):
            body = await self._take_turn(body, turn, self._turn_name(number), results)

    def _turn_name(self, number: int) -> str | None:
        name, turns = self._entry.name, len(self._entry.turns)
        return f"{name}, turn {number}" if name and turns > 1 else name

    async def _take_turn(self, body: JsonObject, turn: Turn, name: str | None, results: ToolResults) -> JsonObject:
        """The request after a turn: tools that the model calls get the script's results, and it is asked again."""
        resource = self._entry.resource
        if not isinstance(resource, Conversational):  # the reader has refused such a script
            raise TypeError(resource.name)
        body = resource.say(body, turn.text)
        for round_ in range(_MOST_TOOL_ROUNDS):
            given = turn.responses[round_] if round_ < len(turn.responses) else None
            answer = await self._step(body, _round_name(name, round_), given)
            try:
                body, again = resource.hear(body, neutral_reply(resource, answer), results.next)
            except BadField as error:
                raise self._failed(self._label(name), f"{dotted(error.path)} {error.problem}".strip()) from None
            if not again:
                self._check_all_given(turn, round_ + 1, name)
                return body
        raise self._failed(self._label(name), f"the model called tools {_MOST_TOOL_ROUNDS} times in one turn")

    def _check_all_given(self, turn: Turn, asked: int, name: str | None) -> None:
        if len(turn.responses) > asked:
            had = counted(len(turn.responses), "response")
            raise self._failed(self._label(name), f"the turn {turn.text!r} has {had}, and {asked} were asked for")

    async def _step(self, body: JsonObject, name: str | None, given: JsonObject | None) -> Response:
        """Keep or record one request. `given` is the script's own response."""
        resource = self._entry.resource
        question = Question.of(resource, body, self._recording.config)
        asked = question.asked
        slot, place = self._recording.draft.place(self._at, asked, name)
        started = time.monotonic()
        try:
            answer = await self._answer(question, given, slot.there(place), place)
        except AnswerFailed as error:
            raise self._failed(self._label(name), str(error)) from None
        return self._settle(asked, slot, place, answer, self._label(name), time.monotonic() - started)

    async def _answer(
        self, question: Question, given: JsonObject | None, there: Response | None, place: int
    ) -> Answer | None:
        """A new answer, or None where there is none to be had in this mode."""
        mode = self._recording.mode
        records = mode.records(there=there is not None, cassette_existed=self._recording.existed)
        if given is not None and (records or mode is RecordMode.NEW_EPISODES):
            return from_script(given, question)  # it costs nothing, and the script's author may have changed it
        return await self._recording.answerer.answer(question, place) if records else None

    def _settle(
        self, asked: Keyed, slot: Slot, place: int, answer: Answer | None, label: str, seconds: float
    ) -> Response:
        """Keep what is there where the answer is none or the same, else take the answer."""
        there = slot.there(place)
        if there is not None and (answer is None or same_answer(slot.resource, there, answer.response)):
            self._tell(label, Status.KEPT)
            return there
        if answer is None:
            self._tell(label, Status.MISSING, reason=self._why_missing())
            raise _Stop
        slot.take(place, answer.fields, recorded=answer.recorded)
        self._tell(label, Status.RECORDED, tokens=_tokens(asked, answer.response), seconds=seconds)
        return answer.response

    def _why_missing(self) -> str:
        exists = ", which exists" if self._recording.mode is RecordMode.ONCE else ""
        return f"not in {self._recording.cassette}{exists} (mode {self._recording.mode})"

    def _label(self, name: str | None) -> str:
        return f"{self._entry.where} {name}" if name else self._entry.where

    def _failed(self, label: str, reason: str) -> _Stop:
        self._tell(label, Status.FAILED, reason=self._recording.config.redactor.text(reason))
        return _Stop()

    def _tell(self, label: str, status: Status, *, reason: str = "", tokens: int = 0, seconds: float = 0.0) -> None:
        step = Step(entry=self._entry, label=label, status=status, reason=reason, tokens=tokens, seconds=seconds)
        self._steps.append(step)
        self._recording.report(step)


def _round_name(name: str | None, round_: int) -> str | None:
    return f"{name}, after its tools" + (f" ({round_})" if round_ > 1 else "") if name and round_ else name


def _tokens(asked: Keyed, response: Response) -> int:
    """The tokens of prompt and answer."""
    if isinstance(response, ErrorReply):
        return 0
    reply = neutral_reply(asked.resource, response)
    complete = Generator().complete(asked.resource.wanted(asked.request), reply, asked.key)
    return complete.usage.total_tokens if isinstance(complete, TextReply) and complete.usage else 0
