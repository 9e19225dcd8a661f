"""Keeping recordings true: asking again what is recorded, and telling what is answered otherwise by now."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from replay_server.cassettes.config import Config
from replay_server.cassettes.file import make_directory
from replay_server.cassettes.matching import Keyed
from replay_server.cassettes.recorded_form import read_recorded
from replay_server.interaction import JsonObject
from replay_server.keys import ABSENT, Difference
from replay_server.record.due import Due
from replay_server.record.recorded_document import faithful_form
from replay_server.record.semantic_diff import semantic_diff
from replay_server.record.takings import Takings
from replay_server.record.upstream import AnswerFailed, Upstream, open_upstream
from replay_server.record.worse import check_as_good, may_follow
from replay_server.settings import Upstream as Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run is told. `write`: answers that differ are taken."""

    directory: Path
    config: Config
    upstreams: tuple[Address, ...]
    write: bool = False
    concurrency: int = 4
    timeout: float = 120.0
    attempts: int = 5


class Status(StrEnum):
    """What became of an interaction. `SKIPPED`: it cannot be asked."""

    SAME = "same"
    DIFFERS = "differs"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an interaction; `changes` are the places where the new answer differs. `written`: it was taken."""

    due: Due
    status: Status
    reason: str = ""
    changes: tuple[Difference, ...] = ()
    written: bool = False

    @property
    def settled(self) -> bool:
        """Whether the cassette says by now what the upstream says."""
        return self.status is Status.SAME or self.written


async def refresh(
    due: Sequence[Due],
    options: Options,
    report: Callable[[Outcome], None],
    *,
    note: Callable[[str], None] = lambda text: None,
    tick: Callable[[], None] = lambda: None,
) -> None:
    """Ask again, several at a time. `report` is told of each in the order of `due`, `tick` as soon as one is done.

    A run that is stopped tells of all that are done by then. Raises UsageError.
    """
    if options.write:
        make_directory(options.directory)  # found out now, not when all has been asked and paid for
    permits = asyncio.Semaphore(options.concurrency)
    takings = Takings(options.directory, options.config) if options.write else None

    async def run(each: Due, upstream: Upstream) -> Outcome:
        async with permits:
            outcome, fresh = await _asked(each, upstream, options.config)
        if takings and fresh:  # others are asked meanwhile
            outcome = await _taken(outcome, fresh, takings)
        tick()
        return outcome

    async with _opened(options, note) as upstream, asyncio.TaskGroup() as tasks:
        await _told_in_order([tasks.create_task(run(each, upstream)) for each in due], report)


async def _told_in_order(running: Sequence[asyncio.Task[Outcome]], report: Callable[[Outcome], None]) -> None:
    left = deque(running)
    try:
        while left:
            report(await left[0])
            left.popleft()
    except asyncio.CancelledError:  # what is done may be written, so it must be told
        for each in left:
            if each.done() and not each.cancelled() and not each.exception():
                report(each.result())
        raise


def _opened(options: Options, note: Callable[[str], None]) -> AbstractAsyncContextManager[Upstream]:
    return open_upstream(
        options.upstreams,
        silence=options.timeout,
        attempts=options.attempts,
        note=lambda text: note(options.config.redactor.text(text)),
    )


async def _asked(due: Due, upstream: Upstream, config: Config) -> tuple[Outcome, dict[int, JsonObject]]:
    """What became of an interaction, and those of its answers that differ, by their place. A failure leaves none."""
    if due.obstacle:
        return Outcome(due=due, status=Status.SKIPPED, reason=due.obstacle), {}
    changes: list[Difference] = []
    fresh: dict[int, JsonObject] = {}
    try:
        for at in range(len(due.interaction.responses)):
            form, found = await _asked_again(due, at, upstream, config)
            changes += found
            if found:
                fresh[at] = form
    except AnswerFailed as error:
        reason = config.redactor.text(str(error))
        return Outcome(due=due, status=Status.FAILED, reason=reason, changes=tuple(changes)), {}
    return Outcome(due=due, status=Status.DIFFERS if changes else Status.SAME, changes=tuple(changes)), fresh


async def _taken(outcome: Outcome, fresh: dict[int, JsonObject], takings: Takings) -> Outcome:
    if await takings.take(outcome.due, fresh):
        return replace(outcome, written=True)
    reason = "the interaction was changed while it was asked again: refresh it once more"
    return replace(outcome, status=Status.FAILED, reason=reason)


async def _asked_again(due: Due, at: int, upstream: Upstream, config: Config) -> tuple[JsonObject, list[Difference]]:
    """The new answer at a place of the sequence as a cassette has it, and where it differs. Raises AnswerFailed."""
    resource, fields, responses = due.resource, due.interaction.request, due.interaction.responses
    where = f"response[{at}]" if len(responses) > 1 else ""
    asked = Keyed(resource, resource.from_cassette(fields), config)  # anew, as each answer numbers its own secrets
    try:
        answered = await upstream.ask(resource, fields, partial(may_follow, responses[at]))
        form = faithful_form(asked.redaction.answered(answered), asked)
        new = read_recorded(form)
        check_as_good(resource, responses[at], new)
    except AnswerFailed as error:
        raise AnswerFailed(f"{where}: {error}" if where else str(error)) from None
    changes = _without_secrets(semantic_diff(resource, responses[at], new), config)
    return form, [replace(change, path=f"{where}.{change.path}") if where else change for change in changes]


def _without_secrets(changes: Sequence[Difference], config: Config) -> Iterator[Difference]:
    """As they may be shown: what was recorded before there was a rule may hold a secret, which is no difference."""
    for change in changes:
        left, right = (_redacted(value, config) for value in (change.left, change.right))
        if left != right:
            yield Difference(change.path, left, right)


def _redacted(value: Any, config: Config) -> Any:
    return value if value is ABSENT else config.redactor.exchange().json(value)
