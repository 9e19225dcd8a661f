"""The decision: which answer a request gets, and where it comes from."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

import orjson

from replay_server.cassettes.config import ESTIMATE, Config
from replay_server.cassettes.library import Found, Library
from replay_server.cassettes.matching import EVERYTHING, Disagreement, Keyed, Match
from replay_server.cassettes.reader import dotted
from replay_server.cassettes.response_head import EVENT_STREAM, JSON
from replay_server.cassettes.sameness import neutral_reply
from replay_server.cassettes.sse import json_chunks
from replay_server.endpoints.address import Unrecorded, locate, path_parameters, place, understand
from replay_server.endpoints.apis import OPENAI, Apis
from replay_server.endpoints.base import BadField, Resource
from replay_server.errors import ApiError
from replay_server.fallback import Generator
from replay_server.fallback.tokens import Count, count
from replay_server.interaction import (
    INSTANT,
    ErrorReply,
    Interaction,
    Json,
    Pace,
    RawRequest,
    Recorded,
    RecordedPace,
    Repeat,
    Reply,
    Request,
    Response,
    WireLive,
    WireResponse,
    WireStream,
)
from replay_server.replay.additions import Additions, is_added
from replay_server.replay.meanings import with_meanings
from replay_server.replay.miss_log import MissLog
from replay_server.replay.rendered import RenderedAnswers, rendered_key
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
    from replay_server.replay.spoiling import Spoiling
    from replay_server.replay.timing import Timing


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


class Source(StrEnum):
    """Where an answer comes from: the header `x-replay-source`."""

    CASSETTE = "cassette"
    MATCHER = "matcher"
    GENERATED = "generated"
    UPSTREAM = "upstream"
    STATE = "state"
    FAULT = "fault"
    MISS = "miss"
    ERROR = "error"


class Answer(NamedTuple):
    """What goes out, and the `x-replay-*` headers that say where it comes from.

    `timing`: None where nothing waits. `spoiling`: None where nothing goes wrong.
    """

    wire: WireResponse | WireStream | WireLive
    headers: Mapping[str, str]
    timing: "Timing | None" = None
    explanation: str = ""
    """Of a miss."""
    match: Match | None = None
    """What answered, where that is an interaction."""
    spoiling: "Spoiling | None" = None


class Live(Protocol):
    """A real API behind us."""

    async def ask(
        self, asked: Keyed, raw: RawRequest, session: str, match: Match | None, *, forwards_misses: bool
    ) -> WireLive | None:
        """Its answer; None where what is recorded, or what a miss gets without it, is the answer. Raises ApiError."""


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
        self._rendered = RenderedAnswers()
        self.learn(on_miss, pace, validation)

    def learn(self, on_miss: OnMiss, pace: Pace, validation: Validation = Validation.EXACT) -> None:
        """Do as it is said now, and see which models there are: the library may be another."""
        self.on_miss = on_miss
        self._pace = pace
        self._lenient = validation is Validation.LENIENT
        self._listed = self.library.config.models
        models = self.library.models if self._listed is None else self._listed
        self._generator = Generator(models, _count(self.library.config))

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
        if resource.id_marks and any(mark in raw.body for mark in resource.id_marks):
            request = await with_meanings(request, self.state.objects(session))
        if not session and self.state.everywhere is UNTOLD:  # nearly always, under load
            told, rules = UNTOLD, UNTOLD.faults
            asked, found = self.library.look_up(resource, request, raw, recording=self._live is not None)
        else:
            told = await self.told(session)
            rules = told.faults + self.state.everywhere.faults
            pace = pace or _read_pace(told.pace)
            asked, found = self._look_up(resource, request, raw, session, told)
        try:
            if fault is None and not rules:
                answer = await self._answer(asked, found, session, told, raw, unrecorded, pace)
                return await self._kept(asked, answer, session) if resource.keeps(request) else answer
            return await self._answer_unless(fault, rules, asked, found, session, told, raw, unrecorded, pace)
        except ApiError as error:
            return _refused(asked, error)

    async def _answer_unless(
        self,
        fault: "Fault | None",
        rules: "Iterable[FaultRule]",
        asked: Keyed,
        found: Found,
        session: str,
        told: Told,
        raw: RawRequest,
        unrecorded: Unrecorded | None,
        pace: Pace | None,
    ) -> Answer:
        """The answer, unless the fault of the request or one that was set befalls it."""
        from replay_server.replay.fault_rules import rules_for  # nobody needs it for whom nothing goes wrong
        from replay_server.replay.faults import own_fault

        async def answer() -> Answer:
            try:
                decided = await self._answer(asked, found, session, told, raw, unrecorded, pace)
                return await self._kept(asked, decided, session) if asked.resource.keeps(asked.request) else decided
            except ApiError as error:
                return _refused(asked, error)

        faults = (*own_fault(fault), *rules_for(rules, asked.request))
        return await self._befallen(faults, asked, found, session, raw, answer)

    async def _befallen(
        self,
        faults: "Faults",
        asked: Keyed,
        found: Found,
        session: str,
        raw: RawRequest,
        answer: Callable[[], Awaitable[Answer]],
    ) -> Answer:
        """The answer that a fault makes, or that it lets through."""
        from replay_server.replay.faults import first_due  # nobody needs it for whom nothing goes wrong

        hit = await first_due(self.state, faults, asked, session, raw)
        if (made := hit.answer(asked)) is None:
            return _faulty(await answer(), hit, asked)
        match = None if isinstance(found, list) else found if isinstance(found, Match) else Match(found.interaction, ())
        return _faulty(Answer(made, _headers(Source.FAULT, asked, match), match=match), hit, asked)

    async def _answer(
        self,
        asked: Keyed,
        found: Found,
        session: str,
        told: Told,
        raw: RawRequest,
        unrecorded: Unrecorded | None,
        pace: Pace | None,
    ) -> Answer:
        if isinstance(found, Match):
            if self._live is None:
                if found.interaction.fault is None:  # nearly always, under load
                    return await self._replayed(asked, found, session, pace)
                return await self._known(asked, found, session, raw, pace)
        elif not isinstance(found, list):
            return await self._known(asked, found, session, raw, pace)
        on_miss = OnMiss(told.on_miss) if told.on_miss else self.on_miss
        if self._live is not None:
            match, forwards = found if isinstance(found, Match) else None, on_miss is OnMiss.UPSTREAM
            wire = await self._live.ask(asked, raw, session, match, forwards_misses=forwards)
            if wire is not None:
                return Answer(wire, _headers(Source.UPSTREAM, asked))
        if isinstance(found, Match):
            return await self._known(asked, found, session, raw, pace)
        strict = on_miss is OnMiss.ERROR and (
            self.library.has_endpoint(asked.request.endpoint) or _is_made_up(unrecorded)
        )
        if unrecorded is not None and not strict:
            return await self._unrecorded(asked, unrecorded, session, raw)
        if unrecorded is not None or not asked.resource.known:
            self._missed(asked, found, session, told, on_miss, raw.headers)
        if not self._lenient:
            return self._generated(asked, pace or self._pace)
        try:
            return self._generated(asked, pace or self._pace)
        except ApiError as error:
            return await self._described(asked, error, session, raw)

    async def _unrecorded(self, asked: Keyed, unrecorded: Unrecorded, session: str, raw: RawRequest) -> Answer:
        if isinstance(unrecorded, ApiError):
            raise unrecorded
        try:
            return await self._operated(asked, unrecorded, session, raw)
        except ApiError as error:
            if not self._lenient or unrecorded.operation.made_up:
                raise
            return await self._described(asked, error, session, raw)

    async def _described(self, asked: Keyed, error: ApiError, session: str, raw: RawRequest) -> Answer:
        """What the description has for a request that is refused; raises the refusal where it has nothing."""
        operation = self.apis.operated(locate(raw.path).path, raw.path).get(raw.method)
        if operation is None:
            raise error
        return await self._operated(asked, operation, session, raw)

    async def _operated(self, asked: Keyed, unrecorded: "Operated", session: str, raw: RawRequest) -> Answer:
        from replay_server.endpoints.operation import Call

        call = Call(
            raw=raw,
            parameters=unrecorded.parameters,
            session=session,
            objects=self.state.objects(session),
            stamp=Stamp(asked.key),
            generate=self._generator.generate,
            ask=lambda another: self.ask(another, session),
            lenient=self._lenient,
        )
        return Answer(await unrecorded.operation.answer(call), _headers(Source.STATE, asked))

    async def ask(self, raw: RawRequest, session: str) -> WireResponse | WireStream:
        """The answer to a request that no client has sent: a line of a batch."""
        address, routed = place(raw.path)
        raw = raw._replace(parameters=path_parameters(address, routed, raw.method))
        resource, request, unrecorded = understand(raw, address, routed, self.apis)
        answer = await self.answer(resource, request, session, raw, unrecorded)
        if isinstance(answer.wire, WireResponse | WireStream):
            return answer.wire
        return await _whole(answer.wire)

    async def _kept(self, asked: Keyed, answer: Answer, session: str) -> Answer:
        """Have the session keep the answer."""
        wire = answer.wire
        if not isinstance(wire, WireResponse | WireStream) or wire.status != 200:
            return answer
        if isinstance(wire, WireStream):
            wire = WireStream(wire.status, wire.headers, tuple(wire.frames))  # it is read here, and then sent
        said = self._collected(asked, wire) if isinstance(wire, WireStream) else orjson.loads(wire.body)
        await asked.resource.keep(asked.request, said, asked.key, self.state.objects(session))
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

    def _missed(
        self,
        asked: Keyed,
        disagreements: list[Disagreement],
        session: str,
        told: Told,
        on_miss: OnMiss,
        headers: Mapping[str, str],
    ) -> None:
        if self._misses is not None:
            self._misses.add(asked)
        if on_miss is OnMiss.ERROR:
            from replay_server.replay.miss import miss  # it loads what tells texts apart, which a replay never needs

            view = self.view(session, told)
            raise miss(view, asked, disagreements, self.remedy, headers, self._told)

    def _generated(self, asked: Keyed, pace: Pace) -> Answer:
        if not self._lenient:
            asked.resource.validate(asked.request)
            if self._listed is not None and asked.request.model not in (*self._listed, ""):
                raise asked.resource.unknown_model(asked.request.model)
        reply = self._generator.generate(asked.resource.wanted(asked.request), asked.key)
        source = Source.STATE if asked.resource.known else Source.GENERATED
        wire = _send(asked, reply, Stamp(asked.key))
        return Answer(wire, _headers(source, asked), None if pace is INSTANT else _timing(pace, asked, wire))

    def _known(
        self, asked: Keyed, found: "Match | Matched", session: str, raw: RawRequest, pace: Pace | None
    ) -> Awaitable[Answer]:
        """What a document answers."""
        if found.interaction.fault is not None:
            return self._known_with_fault(asked, found, session, raw, pace)
        if isinstance(found, Match):
            return self._replayed(asked, found, session, pace)
        return self._matched(asked, found, session, pace)

    async def _known_with_fault(
        self, asked: Keyed, found: "Match | Matched", session: str, raw: RawRequest, pace: Pace | None
    ) -> Answer:
        """A sequence keeps its place where the fault answers: the client's next attempt gets what this one was to."""
        from replay_server.replay.faults import document_fault  # few documents have one

        if isinstance(found, Match):
            answer = partial(self._replayed, asked, found, session, pace)
        else:
            answer = partial(self._matched, asked, found, session, pace)
        return await self._befallen(document_fault(found.interaction), asked, found, session, raw, answer)

    async def _replayed(self, asked: Keyed, match: Match, session: str, pace: Pace | None) -> Answer:
        interaction = match.interaction
        place = await self._place(asked, interaction, session) if _answers_in_turn(interaction) else 0
        wire, headers = self._rendered_at(asked, interaction, place), _headers(Source.CASSETTE, asked, match)
        if interaction.cassette in self.library.stale:
            headers["x-replay-stale"] = interaction.cassette
        pace = pace or interaction.pace or self._pace
        if pace is INSTANT:
            return Answer(wire, headers, None, "", match)
        return Answer(wire, headers, _timing(pace, asked, wire, place, interaction.responses[place]), match=match)

    async def _matched(self, asked: Keyed, matched: "Matched", session: str, pace: Pace | None) -> Answer:
        interaction = matched.interaction
        place = await self._place(asked, interaction, session) if _answers_in_turn(interaction) else 0
        template = (interaction.templates or {}).get(place)
        if template is None:
            wire = self._rendered_at(asked, interaction, place)
        else:  # what it says depends on more of the request than a rendered answer is remembered by
            from replay_server.replay.filling import filled_response

            response = filled_response(asked.resource, matched, place, template)
            wire = self._wire(asked, interaction, response, Stamp(asked.key, place))
        match = Match(interaction, ())
        headers = _headers(Source.MATCHER, asked, match)
        if interaction.cassette in self.library.stale:
            headers["x-replay-stale"] = interaction.cassette
        pace = pace or interaction.pace or self._pace
        if pace is INSTANT:
            return Answer(wire, headers, None, "", match)
        return Answer(wire, headers, _timing(pace, asked, wire, place, interaction.responses[place]), match=match)

    def _rendered_at(self, asked: Keyed, interaction: Interaction, place: int) -> WireResponse | WireStream:
        response = interaction.responses[place]
        if isinstance(response, Recorded) and (recorded := _as_it_came(asked, interaction, response)) is not None:
            return recorded
        if is_added(interaction):  # its name may have been another's before
            return self._wire(asked, interaction, response, Stamp(asked.key, place))
        key = rendered_key(asked, interaction, place, self.library.revision)
        wire = self._rendered.get(key)
        return wire or self._rendered.put(key, self._wire(asked, interaction, response, Stamp(asked.key, place)))

    async def _place(self, asked: Keyed, interaction: Interaction, session: str) -> int:
        position, count = await self.state.advance(session, interaction.id), len(interaction.responses)
        if position < count:
            return position
        if interaction.repeat is Repeat.ERROR:
            from replay_server.replay.miss import exhausted

            raise exhausted(asked, interaction)
        return count - 1 if interaction.repeat is Repeat.LAST else position % count

    def _wire(
        self, asked: Keyed, interaction: Interaction, response: Response, stamp: Stamp
    ) -> WireResponse | WireStream:
        if isinstance(response, ErrorReply):
            return _error(asked.resource, response, stamp)
        reply = _understood(asked.resource, interaction, response) if isinstance(response, Recorded) else response
        wanted = asked.resource.wanted(asked.request)
        return _send(asked, self._generator.complete(wanted, reply, asked.key), stamp)


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


def _refused(asked: Keyed, error: ApiError) -> Answer:
    explanation = error.message if error.source == Source.MISS else ""
    wire = asked.resource.error(error, Stamp(asked.key))
    return Answer(wire, _headers(error.source, asked), explanation=explanation)


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


def _timing(
    pace: Pace, asked: Keyed, wire: WireResponse | WireStream, place: int = 0, response: Response | None = None
) -> "Timing | None":
    """How an answer is timed, None where nothing waits: no model speaks in an error, nor in what the server knows."""
    if wire.status >= 400 or asked.resource.known:
        return None
    recorded = response.frames if isinstance(response, Recorded) else ()
    if isinstance(pace, RecordedPace) and not recorded:
        return None
    from replay_server.replay.timing import Timing  # nobody needs it who wants no pace

    return Timing(pace=pace, resource=asked.resource, key=asked.key, place=place, recorded=recorded)


def _as_it_came(asked: Keyed, interaction: Interaction, recorded: Recorded) -> WireResponse | WireStream | None:
    """The recorded bytes; None for an answer that came plain and is wanted as a stream, or the other way round."""
    other_mode = bool(recorded.frames) is not asked.request.stream
    if other_mode and interaction.recorded and (interaction.request.get("stream") is True) is asked.request.stream:
        other_mode = False  # the upstream itself answered in the other mode
    if other_mode and recorded.status == 200 and asked.resource.both_modes:
        return None
    if recorded.frames:
        frames = tuple(frame.data for frame in recorded.frames)
        return WireStream(recorded.status, {"content-type": EVENT_STREAM, **recorded.headers}, frames)
    return WireResponse(recorded.status, {"content-type": JSON, **recorded.headers}, recorded.body)


def _send(asked: Keyed, reply: object, stamp: Stamp) -> WireResponse | WireStream:
    send = asked.resource.stream if asked.request.stream else asked.resource.render
    return send(asked.request, reply, stamp)


def _error(resource: Resource, reply: ErrorReply, stamp: Stamp) -> WireResponse:
    error = ApiError(reply.message, status=reply.status, type=reply.type, param=reply.param, code=reply.code)
    wire = resource.error(error, stamp)
    return WireResponse(wire.status, {**wire.headers, **reply.headers}, wire.body)


def _understood(resource: Resource, interaction: Interaction, recorded: Recorded) -> Reply:
    try:
        return neutral_reply(resource, recorded)
    except BadField as error:
        kept, wanted, ask = _STREAM_WORDS if recorded.frames else _PLAIN_WORDS
        problem = " ".join(filter(None, (dotted(error.path), error.problem)))
        raise ApiError(
            f"{interaction.id}: response.{kept} {problem}, so it cannot be {wanted}: ask {ask} stream",
            status=422,  # client libraries do not retry it
            code=f"recording_cannot_be_{wanted}",
        ) from None


_STREAM_WORDS = ("stream", "collected", "with")
_PLAIN_WORDS = ("body", "streamed", "without")


# Bare texts: the garbage collector need not look at an answer's headers, of which the journal keeps many.
_WORDS: Mapping[str, str] = {source: source.value for source in Source}


def _headers(source: str, asked: Keyed, match: Match | None = None) -> dict[str, str]:
    headers = {"x-replay-source": _WORDS[source], "x-replay-key": asked.key[:16]}
    if match is not None:
        headers["x-replay-interaction"] = match.interaction.id
        if match.drift:
            headers["x-replay-drift"] = ", ".join(match.drift)
    return headers
