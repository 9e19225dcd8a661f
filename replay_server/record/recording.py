"""A recording in progress: one answer of an upstream, saved when its end has arrived."""

import logging
from collections.abc import Awaitable, Callable

from replay_server.cassettes.matching import Keyed
from replay_server.endpoints.base import Resource
from replay_server.interaction import Answered
from replay_server.record.capture import Capture, NotWhole
from replay_server.terminal import printable

log = logging.getLogger("replay_server")

Save = Callable[[Answered], Awaitable[None]]


class Recording:
    """Takes what passes, and hands the whole answer to `save`. `even_broken`: also one that did not come whole."""

    def __init__(self, asked: Keyed, capture: Capture, save: Save, *, even_broken: bool) -> None:
        self._asked = asked
        self._resource = asked.resource
        self._capture = capture
        self._save = save
        self._even_broken = even_broken
        self._saved: int | None = None

    def take(self, data: bytes, now: float) -> None:
        """More of the body."""
        self._capture.take(data, now)

    @property
    def has_ended(self) -> bool:
        """Whether a stream's last event is the last that came: whatever becomes of the connection, it is whole."""
        return self._capture.has_ended(self._resource)

    @property
    def is_saved(self) -> bool:
        """Whether the answer is in its cassette, whatever may yet follow its last event."""
        return self._saved is not None

    async def save_so_far(self) -> None:
        """Save a stream whose last event has come. Something may follow it, a comment: `finish` adds that."""
        await self._save_answer(self._capture.so_far)

    async def finish(self, failure: str | None, now: float) -> None:
        """Save the answer, or say why it is not saved. `failure`: what cut it short."""
        if failure is not None and self.is_saved:
            return  # its last event had come
        await self._save_answer(lambda resource: self._answered(resource, failure, now))

    async def _save_answer(self, answer: Callable[[Resource], Answered]) -> None:
        try:
            answered = answer(self._resource)
        except NotWhole as error:
            # The upstream's own words may tell of a secret.
            reason = self._asked.redaction.text(str(error))
            log.warning("not recorded: %s: %s", self._resource.name, printable(reason))
            return
        if self._saved != len(answered.body):
            self._saved = len(answered.body)
            await self._save(answered)

    def _answered(self, resource: Resource, failure: str | None, now: float) -> Answered:
        if failure is not None and not self._even_broken:
            raise NotWhole(f"the upstream {failure}")
        return self._capture.answered(resource, now, even_broken=self._even_broken)
