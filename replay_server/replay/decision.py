"""The decision: which answer a request gets, and where it comes from."""

from collections.abc import Awaitable, Callable, Iterable
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

import orjson

from replay_server.cassettes.config import ESTIMATE, Config
from replay_server.cassettes.library import Found, Library
from replay_server.cassettes.matching import EVERYTHING, Disagreement, Keyed, Match
from replay_server.cassettes.sse import json_chunks
from replay_server.endpoints.address import Unrecorded, locate, path_parameters, place, understand
from replay_server.endpoints.apis import OPENAI, Apis
from replay_server.endpoints.base import BadField, Resource
from replay_server.errors import ApiError
from replay_server.fallback import Generator
from replay_server.fallback.tokens import Count, count
from replay_server.interaction import (
    INSTANT,
    Interaction,
    Json,
    Pace,
    RawRequest,
    Repeat,
    Request,
    WireLive,
    WireResponse,
    WireStream,
)
from replay_server.replay.additions import Additions
from replay_server.replay.answer import Answer, Source, refused, replay_headers, timing_of
from replay_server.replay.meanings import with_meanings
from replay_server.replay.miss_log import MissLog
from replay_server.replay.rendering import Renderer, send
from replay_server.replay.session import UNTOLD, Told
from replay_server.replay.state import State
from replay_server.replay.tally import Tally
from replay_server.replay.view import View
from replay_server.stamp import Stamp

if TYPE_CHECKING:
    from replay_server.cassettes.matchers import Matched
    from replay_server.endpoints.operation import Operated
    from replay_server.faults.fault import Fault
    from replay_server.replay.fault_rules import FaultRule
    from replay_server.replay.faults import Faults, Hit


class OnMiss(StrEnum):
    """What answers a request that no interaction matches."""

    GENERATE = "generate"
    ERROR = "error"
    UPSTREAM = "upstream"


class Validation(StrEnum):
    """What becomes of a request for which an answer is made up. A recording is replayed under both.

    exact: what the live API refuses is refused as it does. lenient: whatever can be read is answered, whatever its id.
    """

    EXACT = "exact"
    LENIENT = "lenient"


class Live(Protocol):
    """A real API behind us."""

    async def ask(
        self, asked: Keyed, raw: RawRequest, session: str, match: Match | None, *, forwards_misses: bool
    ) -> WireLive | None:
        """Its answer; None where what is recorded, or what a miss gets without it, is the answer. Raises ApiError."""


class _Case(NamedTuple):
    """A request, with all that decides about its answer."""

    asked: Keyed
    found: Found
    session: str
    told: Told
    raw: RawRequest
    unrecorded: Unrecorded | None
    pace: Pace | None

    @property
    def interaction_found(self) -> Match | None:
        """The interaction or matcher that is to answer."""
        if isinstance(self.found, list):
            return None
        return self.found if isinstance(self.found, Match) else Match(self.found.interaction, ())


class Replay:
    """Answers requests: from the library, else as `on_miss` says. `remedy` ends the message of a miss.

    `pace` is that of an answer for which neither its request nor its interaction names one.
    """

    def __init__(
        self,
        library: Library,
        state: State,
        on_miss: OnMiss,
        remedy: str,
        misses: MissLog | None = None,
        live: Live | None = None,
        pace: Pace = INSTANT,
        tally: Tally | None = None,
        validation: Validation = Validation.EXACT,
        apis: Apis = OPENAI,
    ) -> None:
        self.library = library
        self.apis = apis
        self.state = state
        self.tally = tally or Tally()
        self._additions = Additions(library)
        self.remedy = remedy
        self._misses = misses
        self._live = live
        self._told: set[str] = set()  # keys of misses that the log has been told of
        self.learn(on_miss, pace, validation)

    def learn(self, on_miss: OnMiss, pace: Pace, validation: Validation = Validation.EXACT) -> None:
        """Do as it is said now, and see which models there are: the library may be another."""
        self.on_miss = on_miss
        self._pace = pace
        self._lenient = validation is Validation.LENIENT
        self._listed = self.library.config.models
        models = self.library.models if self._listed is None else self._listed
        self._generator = Generator(models, _count(self.library.config))
        self._renderer = Renderer(self._generator)

    @property
    def forwards(self) -> bool:
        """Whether there is an upstream that a miss could go to."""
        return self._live is not None

    @property
    def saves_misses(self) -> bool:
        """Whether misses are written down, to be recorded."""
        return self._misses is not None

    async def answer(
        self,
        resource: Resource,
        request: Request,
        session: str,
        raw: RawRequest,
        unrecorded: Unrecorded | None = None,
        pace: Pace | None = None,
        fault: "Fault | None" = None,
    ) -> Answer:
        """The answer to a request. Errors of the API are answers too.

        `unrecorded` is what answers a request that no resource does, unless another answer was recorded.
        `pace` and `fault` are what the request itself asks for.
        """
        for mark in resource.id_marks:
            if mark in raw.body:
                request = await with_meanings(request, self.state.objects(session))
                break
        if not session and self.state.everywhere is UNTOLD:  # nearly always, under load
            told, rules = UNTOLD, UNTOLD.faults
            asked, found = self.library.look_up(resource, request, raw, recording=self._live is not None)
        else:
            told = await self.told(session)
            rules = told.faults + self.state.everywhere.faults
            pace = pace or _read_pace(told.pace)
            asked, found = self._look_up(resource, request, raw, session, told)
        case = _Case(asked, found, session, told, raw, unrecorded, pace)
        try:
            if fault is None and not rules:
                answer = await self._answer(case)
                return await self._kept(case, answer) if resource.keeps(request) else answer
            return await self._answer_unless(fault, rules, case)
        except ApiError as error:
            return refused(asked, error)

    async def _answer_unless(self, fault: "Fault | None", rules: "Iterable[FaultRule]", case: _Case) -> Answer:
        """The answer, unless the fault of the request or one that was set befalls it."""
        from replay_server.replay.fault_rules import rules_for  # nobody needs it for whom nothing goes wrong
        from replay_server.replay.faults import own_fault

        async def answer() -> Answer:
            try:
                decided = await self._answer(case)
                return await self._kept(case, decided) if case.asked.resource.keeps(case.asked.request) else decided
            except ApiError as error:
                return refused(case.asked, error)

        faults = (*own_fault(fault), *rules_for(rules, case.asked.request))
        return await self._befallen(faults, case, answer)

    async def _befallen(self, faults: "Faults", case: _Case, answer: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer that a fault makes, or that it lets through."""
        from replay_server.replay.faults import first_due  # nobody needs it for whom nothing goes wrong

        asked, match = case.asked, case.interaction_found
        hit = await first_due(self.state, faults, asked, case.session, case.raw)
        if (made := hit.answer(asked)) is None:
            return _faulty(await answer(), hit, asked)
        return _faulty(Answer(made, replay_headers(Source.FAULT, asked, match), match=match), hit, asked)

    async def _answer(self, case: _Case) -> Answer:
        found = case.found
        if isinstance(found, Match):
            if self._live is None:
                if found.interaction.fault is None:  # nearly always, under load
                    return await self._replayed(case, found)
                return await self._known(case, found)
        elif not isinstance(found, list):
            return await self._known(case, found)
        on_miss = OnMiss(case.told.on_miss) if case.told.on_miss else self.on_miss
        if self._live is not None and (live := await self._forwarded(self._live, case, on_miss)):
            return live
        return await (self._known(case, found) if isinstance(found, Match) else self._missed(case, found, on_miss))

    async def _forwarded(self, live: Live, case: _Case, on_miss: OnMiss) -> Answer | None:
        match = case.found if isinstance(case.found, Match) else None
        forwards = on_miss is OnMiss.UPSTREAM
        wire = await live.ask(case.asked, case.raw, case.session, match, forwards_misses=forwards)
        return None if wire is None else Answer(wire, replay_headers(Source.UPSTREAM, case.asked))

    # What nobody has recorded ----------------------------------------------------------------------------------------

    async def _missed(self, case: _Case, disagreements: list[Disagreement], on_miss: OnMiss) -> Answer:
        asked, unrecorded = case.asked, case.unrecorded
        strict = on_miss is OnMiss.ERROR and (
            self.library.has_endpoint(asked.request.endpoint) or _is_made_up(unrecorded)
        )
        if unrecorded is not None and not strict:
            return await self._unrecorded(case, unrecorded)
        if unrecorded is not None or not asked.resource.known:
            self._tell_of_miss(case, disagreements, on_miss)
        try:
            return self._generated(asked, case.pace or self._pace)
        except ApiError as error:
            if not self._lenient:
                raise
            return await self._described(case, error)

    def _tell_of_miss(self, case: _Case, disagreements: list[Disagreement], on_miss: OnMiss) -> None:
        if self._misses is not None:
            self._misses.add(case.asked)
        if on_miss is OnMiss.ERROR:
            from replay_server.replay.miss import miss  # it loads what tells texts apart, which a replay never needs

            view = self.view(case.session, case.told)
            raise miss(view, case.asked, disagreements, self.remedy, case.raw.headers, self._told)

    def _generated(self, asked: Keyed, pace: Pace) -> Answer:
        if not self._lenient:
            asked.resource.validate(asked.request)
            if self._listed is not None and asked.request.model not in (*self._listed, ""):
                raise asked.resource.unknown_model(asked.request.model)
        reply = self._generator.generate(asked.resource.wanted(asked.request), asked.key)
        source = Source.STATE if asked.resource.known else Source.GENERATED
        wire = send(asked, reply, Stamp(asked.key))
        return Answer(wire, replay_headers(source, asked), None if pace is INSTANT else timing_of(pace, asked, wire))

    async def _unrecorded(self, case: _Case, unrecorded: Unrecorded) -> Answer:
        if isinstance(unrecorded, ApiError):
            raise unrecorded
        try:
            return await self._operated(case, unrecorded)
        except ApiError as error:
            if not self._lenient or unrecorded.operation.made_up:
                raise
            return await self._described(case, error)

    async def _described(self, case: _Case, error: ApiError) -> Answer:
        """What the description has for a request that is refused; raises the refusal where it has nothing."""
        raw = case.raw
        operation = self.apis.operated(locate(raw.path).path, raw.path).get(raw.method)
        if operation is None:
            raise error
        return await self._operated(case, operation)

    async def _operated(self, case: _Case, operated: "Operated") -> Answer:
        from replay_server.endpoints.operation import Call

        call = Call(
            raw=case.raw,
            parameters=operated.parameters,
            session=case.session,
            objects=self.state.objects(case.session),
            stamp=Stamp(case.asked.key),
            generate=self._generator.generate,
            ask=lambda another: self.ask(another, case.session),
            lenient=self._lenient,
        )
        return Answer(await operated.operation.answer(call), replay_headers(Source.STATE, case.asked))

    async def ask(self, raw: RawRequest, session: str) -> WireResponse | WireStream:
        """The answer to a request that no client has sent: a line of a batch."""
        address, routed = place(raw.path)
        raw = raw._replace(parameters=path_parameters(address, routed, raw.method))
        resource, request, unrecorded = understand(raw, address, routed, self.apis)
        answer = await self.answer(resource, request, session, raw, unrecorded)
        if isinstance(answer.wire, WireResponse | WireStream):
            return answer.wire
        return await _whole(answer.wire)

    async def _kept(self, case: _Case, answer: Answer) -> Answer:
        """Have the session keep the answer."""
        asked, wire = case.asked, answer.wire
        if not isinstance(wire, WireResponse | WireStream) or wire.status != 200:
            return answer
        if isinstance(wire, WireStream):
            wire = WireStream(wire.status, wire.headers, tuple(wire.frames))  # it is read here, and then sent
        said = self._collected(asked, wire) if isinstance(wire, WireStream) else orjson.loads(wire.body)
        await asked.resource.keep(asked.request, said, asked.key, self.state.objects(case.session))
        return answer._replace(wire=wire)

    def _collected(self, asked: Keyed, stream: WireStream) -> Json:
        """What the stream would have said plainly; null for one that cannot be read."""
        resource, plain = asked.resource, asked.request._replace(stream=False)
        try:
            reply = resource.read_stream(list(json_chunks(b"".join(stream.frames))))
        except BadField:
            return None
        whole = self._generator.complete(resource.wanted(plain), reply, asked.key)
        said: Json = orjson.loads(resource.render(plain, whole, Stamp(asked.key)).body)
        return said

    def _look_up(
        self, resource: Resource, request: Request, raw: RawRequest, session: str, told: Told
    ) -> tuple[Keyed, Found]:
        everywhere = self.state.everywhere
        if told.added or everywhere.added:
            config = self.library.config
            asked = Keyed(resource, request, config, clean=config.redactor.came_clean(raw))
            return asked, self.view(session, told).find(asked, raw.headers)
        scope = told.scope(session, everywhere)
        return self.library.look_up(resource, request, raw, scope, recording=self._live is not None)

    def view(self, session: str, told: Told) -> View:
        """What a session sees that was told this: what was added at run time comes before the cassettes."""
        everywhere = self.state.everywhere
        added = [(library, EVERYTHING) for library in self._additions.of(session, told, everywhere)]
        return View([*added, (self.library, told.scope(session, everywhere))])

    async def view_of(self, session: str) -> View:
        """What a session sees."""
        return self.view(session, await self.told(session))

    async def told(self, session: str) -> Told:
        """What a session was told; the one without a name is told nothing."""
        return await self.state.told(session) if session else UNTOLD

    # What a document answers -----------------------------------------------------------------------------------------

    def _known(self, case: _Case, found: "Match | Matched") -> Awaitable[Answer]:
        if found.interaction.fault is not None:
            return self._known_with_fault(case, found)
        return self._replayed(case, found) if isinstance(found, Match) else self._matched(case, found)

    async def _known_with_fault(self, case: _Case, found: "Match | Matched") -> Answer:
        """A sequence keeps its place where the fault answers: the client's next attempt gets what this one was to."""
        from replay_server.replay.faults import document_fault  # few documents have one

        if isinstance(found, Match):
            answer = partial(self._replayed, case, found)
        else:
            answer = partial(self._matched, case, found)
        return await self._befallen(document_fault(found.interaction), case, answer)

    async def _replayed(self, case: _Case, match: Match) -> Answer:
        asked, interaction = case.asked, match.interaction
        place = await self._place(asked, interaction, case.session) if _answers_in_turn(interaction) else 0
        wire = self._renderer.at(asked, interaction, place, self.library.revision)
        return self._told_of(case, Source.CASSETTE, match, wire, place)

    async def _matched(self, case: _Case, matched: "Matched") -> Answer:
        asked, interaction = case.asked, matched.interaction
        place = await self._place(asked, interaction, case.session) if _answers_in_turn(interaction) else 0
        template = (interaction.templates or {}).get(place)
        if template is None:
            wire = self._renderer.at(asked, interaction, place, self.library.revision)
        else:  # what it says depends on more of the request than a rendered answer is remembered by
            from replay_server.replay.filling import filled_response

            response = filled_response(asked.resource, matched, place, template)
            wire = self._renderer.wire(asked, interaction, response, place)
        return self._told_of(case, Source.MATCHER, Match(interaction, ()), wire, place)

    def _told_of(
        self, case: _Case, source: Source, match: Match, wire: WireResponse | WireStream, place: int
    ) -> Answer:
        """The answer of an interaction, with where it is from and when it comes."""
        asked, interaction = case.asked, match.interaction
        headers = replay_headers(source, asked, match)
        if interaction.cassette in self.library.stale:
            headers["x-replay-stale"] = interaction.cassette
        pace = case.pace or interaction.pace or self._pace
        if pace is INSTANT:
            return Answer(wire, headers, None, "", match)
        return Answer(wire, headers, timing_of(pace, asked, wire, place, interaction.responses[place]), match=match)

    async def _place(self, asked: Keyed, interaction: Interaction, session: str) -> int:
        position, count = await self.state.advance(session, interaction.id), len(interaction.responses)
        if position < count:
            return position
        if interaction.repeat is Repeat.ERROR:
            from replay_server.replay.miss import exhausted

            raise exhausted(asked, interaction)
        return count - 1 if interaction.repeat is Repeat.LAST else position % count


async def _whole(live: WireLive) -> WireResponse:
    """What an upstream answers, when all of it is there."""
    pieces = []
    try:
        while piece := await live.read():
            pieces.append(piece)
    finally:
        live.leave()
    return WireResponse(live.status, dict(live.headers), b"".join(pieces))


def _is_made_up(unrecorded: Unrecorded | None) -> bool:
    return unrecorded is not None and not isinstance(unrecorded, ApiError) and unrecorded.operation.made_up


def _count(config: Config) -> Count:
    """What counts tokens."""
    if config.tokens == ESTIMATE:
        return count
    from replay_server.vocabularies import counter  # whoever reads the configuration has loaded it

    return counter(config.tokens)


def _answers_in_turn(interaction: Interaction) -> bool:
    return len(interaction.responses) > 1 or interaction.repeat is not Repeat.LAST


def _faulty(answer: Answer, hit: "Hit", asked: Keyed) -> Answer:
    """An answer with what befalls it. A miss is told as it is; what an upstream is saying comes late at most."""
    fault, wire = hit.fault, answer.wire
    is_live = not isinstance(wire, WireResponse | WireStream)
    if answer.headers["x-replay-source"] == Source.MISS or (is_live and not (fault and fault.delay)):
        return answer
    headers = {**answer.headers, **hit.limits}
    if fault is None:
        return answer._replace(headers=headers)
    headers["x-replay-fault"] = fault.text
    if fault.spoils and not is_live:
        headers["x-replay-source"] = Source.FAULT
    from replay_server.replay.spoiling import Spoiling

    return answer._replace(headers=headers, spoiling=Spoiling(fault, asked.resource, asked.request.model))


def _read_pace(text: str | None) -> Pace | None:
    if text is None:
        return None
    from replay_server.pace import parse_pace  # nobody needs it who wants no pace

    return parse_pace(text)
