"""A recording in progress: one answer of an upstream, saved when its end has arrived."""

import logging
from collections.abc import Awaitable, Callable

from replay_server.endpoints.base import Resource
from replay_server.interaction import Answered
from replay_server.record.capture import Capture, NotWhole
from replay_server.terminal import printable

log = logging.getLogger("replay_server")

Save = Callable[[Answered], Awaitable[None]]


class Recording:
    """Takes what passes, and hands the whole answer to `save`. `even_broken`: also one that did not come whole."""

    def __init__(self, resource: Resource, capture: Capture, save: Save, *, even_broken: bool) -> None:
        self._resource = resource
        self._capture = capture
        self._save = save
        self._even_broken = even_broken

    def take(self, data: bytes, now: float) -> None:
        """More of the body."""
        self._capture.take(data, now)

    @property
    def has_ended(self) -> bool:
        """Whether a stream's last event is there: whatever becomes of the connection, the answer is whole."""
        return self._capture.has_ended(self._resource)

    async def finish(self, failure: str | None, now: float) -> None:
        """Save the answer, or say why it is not saved. `failure`: what cut it short."""
        try:
            answered = self._answered(failure, now)
        except NotWhole as error:
            log.warning("not recorded: %s: %s", self._resource.name, printable(str(error)))
            return
        await self._save(answered)

    def _answered(self, failure: str | None, now: float) -> Answered:
        if failure is not None and not self._even_broken:
            raise NotWhole(f"the upstream {failure}")
        return self._capture.answered(self._resource, now, even_broken=self._even_broken)
