"""What a test sees of a server: an address, a journal, interactions to add, and assertions."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import orjson

from replay_server.cassettes.matching import TOP, Scope
from replay_server.cassettes.redaction.redactor import Redactor
from replay_server.endpoints.base import Resource
from replay_server.endpoints.table import ENDPOINTS, implied_endpoint, resource_named
from replay_server.errors import UsageError
from replay_server.in_process.entry import Entry, entry
from replay_server.in_process.server_thread import ServerThread
from replay_server.interaction import Interaction, Request
from replay_server.replay.additions import interactions, is_added
from replay_server.replay.decision import Replay
from replay_server.replay.explanation import explain
from replay_server.replay.journal import Filter, Noted
from replay_server.replay.session import Addition
from replay_server.replay.verification import Count, Expected, called

T = TypeVar("T")


class ReplaySession:
    """One session of a server. `name` is None for the server itself: then all sessions are meant."""

    def __init__(self, thread: ServerThread, name: str | None) -> None:
        self._thread = thread
        self.name = name

    @property
    def url(self) -> str:
        """What stands before `/v1`, and before Azure's `/openai`."""
        return self._thread.url if self.name is None else f"{self._thread.url}/__replay/s/{self.name}"

    @property
    def base_url(self) -> str:
        """The `base_url` of an OpenAI client."""
        return f"{self.url}/v1"

    # The journal -----------------------------------------------------------------------------------------------------

    @property
    def journal(self) -> list[Entry]:
        """What was asked and answered, the latest last."""
        return [entry(noted, self._redactor) for noted in self._noted()]

    def assert_called(
        self,
        *,
        times: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
        endpoint: str | None = None,
        model: str | None = None,
        interaction: str | None = None,
        source: str | None = None,
        status: int | None = None,
        contains: str | None = None,
    ) -> list[Entry]:
        """Raise AssertionError unless there were such requests, at least one or as often as is said; return them.

        `contains` is a text that some text of the request's body holds.
        """
        __tracebackhide__ = True
        expected = Expected(
            endpoint=endpoint, model=model, interaction=interaction, source=source, status=status, contains=contains
        )
        journal = self._noted()
        forgotten = self._call(lambda replay: replay.state.forgotten(self.name))
        verdict = called(journal, forgotten, expected, Count(exactly=times, at_least=at_least, at_most=at_most))
        if verdict.problem:
            raise AssertionError(self._redactor.text(verdict.problem))
        return [entry(noted, self._redactor) for noted in journal if noted.id in verdict.requests]

    def assert_all_used(self) -> None:
        """Raise AssertionError if an interaction has answered nothing: of the session's own cassettes, or added."""
        __tracebackhide__ = True
        used = {noted.entry.replay.get("x-replay-interaction") for noted in self._noted()}
        unused = [name for name in self.interactions() if name not in used]
        if unused:
            raise AssertionError("\n  ".join(["these interactions have answered nothing:", *unused]))

    def _noted(self) -> list[Noted]:
        return self._call(lambda replay: replay.state.journal(Filter(session=self.name)))

    @property
    def _redactor(self) -> Redactor:
        return self._call(_redactor)

    # Interactions ----------------------------------------------------------------------------------------------------

    def interactions(self) -> list[str]:
        """The ids of the interactions that were added, and of those in the cassettes that the session names.

        For the server itself, and for a session that names no cassettes: all that can answer.
        """
        return self._call(self._own_interactions)

    async def _own_interactions(self, replay: Replay) -> list[str]:
        told = await replay.told(self.name or "")
        named = Scope(tuple(name for name in told.cassettes if name != TOP), only=bool(told.cassettes))
        return sorted(each.id for each in await self._all(replay) if is_added(each) or named.admits(each))

    async def _all(self, replay: Replay) -> list[Interaction]:
        """All that may answer, by key or as matchers."""
        view = await replay.view_of(self.name or "")
        return [*(each.interaction for each in view.candidates), *(each.interaction for each in view.matchers)]

    def add(
        self,
        yaml: str = "",
        *,
        request: Mapping[str, Any] | None = None,
        match: Mapping[str, Any] | None = None,
        response: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        **fields: Any,
    ) -> list[str]:
        """Add interactions, which answer before all cassettes: their ids.

        Either the text of a cassette, or the fields of one document: `request` or `match`, `response`, and others such
        as `repeat`. Raises UsageError.
        """
        named = {"request": request, "match": match, "response": response, **fields}
        given = {name: value for name, value in named.items() if value is not None}
        if bool(yaml) is bool(given):
            raise UsageError("add either the text of a cassette, or request (or match) and response")
        text, session = yaml or f"--- {orjson.dumps(given).decode()}\n", self.name or ""
        if not list(interactions(Addition(1, text), session)):
            raise UsageError("the text that is to be added holds no interaction")
        addition = self._call(lambda replay: replay.state.add(session, text))
        return [each.id for each in interactions(addition, session)]

    def remove(self, interaction: str) -> None:
        """Have an interaction answer no more. Its file stays as it is. Raises UsageError where there is none."""
        self._call(lambda replay: self._remove(replay, interaction))

    async def _remove(self, replay: Replay, interaction: str) -> None:
        if interaction not in [each.id for each in await self._all(replay)]:
            raise UsageError(f"there is no interaction {interaction!r} that could answer here")
        await replay.state.take_out(self.name or "", interaction)

    def reset(self) -> None:
        """Forget the journal, the places of sequences, and what was added and removed."""
        self._call(lambda replay: replay.state.reset(self.name))

    def end(self) -> None:
        """End the session: what it was told is forgotten too. The server itself is reset."""
        name = self.name
        self.reset() if name is None else self._call(lambda replay: replay.state.end(name))

    # Why -------------------------------------------------------------------------------------------------------------

    def explain(self, request: Mapping[str, Any] | Entry, endpoint: str | None = None) -> str:
        """What a request matches here and why, or the nearest interactions: of its body, or an entry of the journal."""
        resource, understood = self._understood(request, endpoint)
        return self._call(lambda replay: self._explained(replay, resource, understood))

    async def _explained(self, replay: Replay, resource: Resource, request: Request) -> str:
        explanation = explain(await replay.view_of(self.name or ""), replay.library.key(resource, request))
        return "\n".join(explanation.lines())

    def _understood(self, request: Mapping[str, Any] | Entry, endpoint: str | None) -> tuple[Resource, Request]:
        if isinstance(request, Entry):
            return self._again(request)
        name = endpoint or implied_endpoint(dict(request))
        if name not in ENDPOINTS:
            raise UsageError(f"name the endpoint of the request: one of {', '.join(ENDPOINTS)}")
        resource = resource_named(name)
        return resource, resource.from_cassette(request)

    def _again(self, wanted: Entry) -> tuple[Resource, Request]:
        for noted in self._noted():
            if noted.id == wanted.id and noted.entry.body is not None:
                return noted.entry.request()
        raise UsageError(f"the journal has no entry {wanted.id}, or no longer")

    def _call(self, act: Callable[[Replay], Coroutine[Any, Any, T]]) -> T:
        return self._thread.call(act)


async def _redactor(replay: Replay) -> Redactor:
    return replay.library.config.redactor
