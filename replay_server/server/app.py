"""From an HTTP request to an answer: address, API key, body, the decision, and back."""

import asyncio
import logging
import re
import socket
import struct
import time
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import nullcontext
from functools import lru_cache, partial
from typing import TYPE_CHECKING
from urllib.parse import unquote

from aiohttp import web
from multidict import CIMultiDict

from replay_server.endpoints.address import Address, path_parameters, place, session_id, understand
from replay_server.endpoints.openai import error_response
from replay_server.endpoints.table import Routed
from replay_server.errors import ApiError, BadRequest, BodyTooLarge, MethodNotAllowed
from replay_server.interaction import Pace, RawRequest, WireLive, WireResponse, WireStream
from replay_server.replay.answer import Answer, Source
from replay_server.replay.decision import Replay
from replay_server.replay.journal import SMALL_BODY
from replay_server.replay.measures import Measures
from replay_server.server.access import LOOPBACK_ONLY, Access, is_control
from replay_server.server.api_keys import ApiKeys
from replay_server.server.cors import CORS, preflight
from replay_server.server.headers import SERVER, header_value
from replay_server.server.pages import Pages
from replay_server.server.pauses import Pauses
from replay_server.stamp import Stamp

if TYPE_CHECKING:
    from replay_server.faults.fault import Fault
    from replay_server.replay.spoiling import Spoiling
    from replay_server.replay.timing import Timing

log = logging.getLogger("replay_server")

DEFAULT_SESSION = ""
_RESET = struct.pack("ii", 1, 0)  # linger for no time at all: a reset in place of a good end
_TARGETS_REMEMBERED = 1024
_SPECIAL = re.compile(r"[?%#]")
_SLASHED_SESSION = re.compile(r"/__replay/s/(?P<id>[^/?]*%2[fF][^/?]*)")


class App:
    """Answers every request. Until `ready` is set, requests of the API wait: no answer depends on how far we are."""

    def __init__(
        self,
        api_keys: ApiKeys,
        max_body: int,
        access: Access = LOOPBACK_ONLY,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.ready: asyncio.Future[Replay] = asyncio.get_running_loop().create_future()
        self._api_keys = api_keys
        self._max_body = max_body
        self._access = access
        self._clock = clock
        self._pages = Pages(self.ready)
        self.pauses = Pauses()

    def close(self) -> None:
        """Let go of those who follow the journal: they would stay for ever."""
        if self.ready.done() and not self.ready.cancelled():
            self.ready.result().state.close()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """The handler of the HTTP server. No error gets past it."""
        try:
            response = await self._respond(request)
        except ApiError as error:
            response = _respond_error(error, request)
        except ConnectionError:
            raise  # the client has left: there is nobody to answer
        except Exception:
            log.exception("cannot answer %s %s", request.method, header_value(request.path))
            if request.writer.output_size > 0:
                raise ConnectionError("the answer has begun, so no error can be sent") from None
            response = _respond_error(_failure(), request)
        if not response.prepared:
            complete_headers(response.headers, request)
        return response

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        placed = _placed(request.raw_path)
        if placed is None and (slashed := _SLASHED_SESSION.match(request.raw_path)):
            session_id(unquote(slashed["id"]))  # decoded, its slash would be one of the path
        if placed is None and is_control(request.path):
            return await self._control(request)
        if request.method == "OPTIONS":
            return preflight(request.headers)
        address, routed = placed or place(request.path)
        if routed is None and (page := self._page(request, address)):
            return page
        started = self._clock()
        answer = await self._answer(request, address, routed, started)
        if answer.spoiling and (response := await self._late_or_spoiled(answer, answer.spoiling, request, started)):
            return response
        wire, timing = answer.wire, answer.timing
        if not isinstance(wire, WireResponse | WireStream):
            return await self._pass_on(wire, answer.headers, request, started)
        if timing is not None and request.method != "HEAD":
            return await self._respond_in_time(wire, answer.headers, timing, request, started)
        return _to_response(wire, answer.headers, request)

    async def _late_or_spoiled(
        self, answer: Answer, spoiling: "Spoiling", request: web.BaseRequest, started: float
    ) -> web.StreamResponse | None:
        """Wait as long as a fault says, and send what it leaves of an answer: None for all of it."""
        from replay_server.server.spoiled import respond_spoiled  # nobody needs it for whom nothing goes wrong

        wire, timing = answer.wire, answer.timing
        with self.pauses.answering():
            await self._delay(wire, spoiling.fault.delay, request)
            if isinstance(wire, WireResponse | WireStream) and spoiling.is_seen(request.method):
                timed = None if timing is None else timing.frames(wire, self.pauses.others)
                frames = spoiling.frames(wire, timed)
                headers = spoiling.headers(_headers(wire, answer.headers))
                complete_headers(headers, request)
                return await respond_spoiled(request, wire, headers, frames, spoiling.fault, self.pauses)
        # One with a pace, or of an upstream, has not begun yet.
        if timing is None and isinstance(wire, WireResponse | WireStream):
            self._begun(answer.headers, started, stream=isinstance(wire, WireStream))
        return None

    async def _delay(
        self, wire: WireResponse | WireStream | WireLive, seconds: float, request: web.BaseRequest
    ) -> None:
        """Wait before an answer. An upstream is not kept waiting for a client that has left."""
        try:
            if seconds:
                await self.pauses.sleep(request, seconds)
        except BaseException:
            if not isinstance(wire, WireResponse | WireStream):
                wire.leave()
            raise

    @property
    def _measures(self) -> Measures:
        return self.ready.result().tally.measures

    def _begun(self, replay_headers: Mapping[str, str], started: float, *, stream: bool) -> None:
        self._measures.observe(replay_headers["x-replay-source"], [self._clock() - started], stream=stream)

    async def _pass_on(
        self, wire: WireLive, replay_headers: Mapping[str, str], request: web.BaseRequest, started: float
    ) -> web.StreamResponse:
        stream = any(
            name.lower() == "content-type" and value.startswith("text/event-stream") for name, value in wire.headers
        )
        begun = partial(self._begun, replay_headers, started, stream=stream)
        with self._measures.streaming() if stream else nullcontext():
            return await _pass_on(wire, replay_headers, request, begun)

    async def _respond_in_time(
        self,
        wire: WireResponse | WireStream,
        replay_headers: Mapping[str, str],
        timing: "Timing",
        request: web.BaseRequest,
        started: float,
    ) -> web.StreamResponse:
        from replay_server.server.writer import stream_in_time  # nobody needs it who wants no pace

        with self.pauses.answering():
            frames = timing.frames(wire, self.pauses.others)
            if isinstance(wire, WireStream):
                headers = _headers(wire, replay_headers)
                complete_headers(headers, request)
                begun, measures = partial(self._begun, replay_headers, started, stream=True), self._measures
                late = measures.lateness.observe
                with measures.streaming():
                    return await stream_in_time(request, wire.status, headers, frames, self.pauses, begun, late)
            for frame in frames:
                await self.pauses.sleep(request, frame.after)
        self._begun(replay_headers, started, stream=False)
        return _to_response(wire, replay_headers, request)

    async def _control(self, request: web.BaseRequest) -> web.StreamResponse:
        from replay_server.server.control.table import respond  # most servers are never asked

        return await respond(request, self._access, self._replay, lambda: _body(request, self._max_body))

    def _page(self, request: web.BaseRequest, address: Address) -> web.Response | None:
        page = self._pages.find(address.path)
        if page is None:
            return None
        return page() if request.method in ("GET", "HEAD") else None

    async def _answer(
        self, request: web.BaseRequest, address: Address, routed: Routed | None, started: float
    ) -> Answer:
        method = "GET" if request.method == "HEAD" else request.method
        session = _session(address, request.headers)
        try:
            self._api_keys.check(request.headers)
            raw = RawRequest(
                method=method,
                path=address.sent,
                parameters=path_parameters(address, routed, method),
                query=tuple(request.query.items()) if "?" in request.raw_path else (),
                headers=request.headers,
                body=await _body(request, self._max_body),
                target=request.raw_path,
            )
            replay = self.ready.result() if self.ready.done() else await self._replay()
            resource, understood, unrecorded = understand(raw, address, routed, replay.apis)
            if routed is None and self._pages.find(address.path):  # only a recording answers another method there
                unrecorded = MethodNotAllowed(
                    f"Not allowed to {method} on {request.path}.", code="method_not_supported"
                )
            pace = _pace(request.headers.get("x-replay-pace"))
            fault = _fault(request.headers.get("x-replay-fault"))
        except ApiError as error:
            self._note_refused(session, method, address, error, started)
            raise
        answer = await replay.answer(resource, understood, session, raw, unrecorded, pace, fault)
        body, wire = raw.body, answer.wire
        entry = (
            session,
            method,
            raw.path,
            understood.endpoint,
            understood.model,
            understood.stream,
            wire.status,
            answer.headers,
            started,
            self._clock() - started,
            body if len(body) <= SMALL_BODY else replay.state.keep(body),
            raw.query,
            "" if body.startswith(b"{") else raw.headers.get("content-type", ""),
            answer.explanation,
        )
        replay.tally.note(entry, answer.match, answer.timing is None and answer.spoiling is None)
        if answer.explanation:
            replay.tally.miss(answer.explanation)
        replay.state.note(entry)
        return answer

    def _note_refused(self, session: str, method: str, address: Address, error: ApiError, started: float) -> None:
        """Write a request into the journal that got no further than its head."""
        if not self.ready.done():
            return
        headers, replay = {"x-replay-source": Source.ERROR.value}, self.ready.result()
        seconds = self._clock() - started
        entry = (session, method, address.sent, "", "", False, error.status, headers, started, seconds, b"", (), "", "")
        replay.tally.note(entry, None, True)
        replay.state.note(entry)

    async def _replay(self) -> Replay:
        return await asyncio.shield(self.ready)


@lru_cache(_TARGETS_REMEMBERED)
def _placed(target: str) -> tuple[Address, Routed | None] | None:
    """Where the target of a request leads; None where its URL has to be taken apart, or is the control API's."""
    # Nearly always it is a path of the API and nothing else.
    plain_path = target.startswith("/") and not _SPECIAL.search(target)
    return place(target) if plain_path and not is_control(target) else None


def complete_headers(headers: MutableMapping[str, str], request: web.BaseRequest) -> None:
    """Add the headers that every answer has."""
    headers.setdefault("server", SERVER)
    if "origin" in request.headers and not is_control(request.path):
        headers.update(CORS)


def _session(address: Address, headers: Mapping[str, str]) -> str:
    named = headers.get("x-replay-session")
    return session_id(named) if named is not None else address.session or DEFAULT_SESSION


def _pace(text: str | None) -> Pace | None:
    if text is None:
        return None
    from replay_server.pace import BadPace, parse_pace  # nobody needs it who wants no pace

    try:
        return parse_pace(text)
    except BadPace as error:
        raise BadRequest(f"x-replay-pace: {error}", code="invalid_pace") from None


def _fault(text: str | None) -> "Fault | None":
    if text is None:
        return None
    from replay_server.faults.reading import BadFault, parse_fault  # nobody needs it for whom nothing goes wrong

    try:
        return parse_fault(text)
    except BadFault as error:
        raise BadRequest(f"x-replay-fault: {text!r} is no fault: {error}", code="invalid_fault") from None


def _failure() -> ApiError:
    return ApiError("The server had an error while processing your request.", status=500, type="server_error")


async def _body(request: web.BaseRequest, most: int) -> bytes:
    content = request.content
    if content.is_eof() and content.exception() is None:  # nearly always: the body came with the head
        body = content.read_nowait()
        if len(body) > most:
            raise _too_large(most)
        return body
    await _continue(request)
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise _too_large(most) from None
    except web.RequestPayloadError as error:
        raise BadRequest(f"The body of the request cannot be read: {error}") from None


async def _continue(request: web.BaseRequest) -> None:
    """Tell a client that waits for it to send its body. Source: RFC 9110, section 10.1.1."""
    expected = request.headers.get("expect", "").lower()
    if expected == "100-continue" and request.version >= (1, 1):
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer has not begun
    elif expected:
        raise ApiError(f"The expectation {expected!r} cannot be met.", status=417)


def _too_large(most: int) -> BodyTooLarge:
    return BodyTooLarge(f"Maximum content size limit ({most}) exceeded", type="server_error")


def _respond_error(error: ApiError, request: web.BaseRequest) -> web.Response:
    wire = error_response(error, Stamp(f"{request.method} {request.path} {error.message}"))
    return _to_response(wire, {"x-replay-source": Source.ERROR}, request)


def _headers(wire: WireResponse | WireStream, replay_headers: Mapping[str, str]) -> dict[str, str]:
    said = "".join(replay_headers.values())
    if said.isascii() and said.isprintable():  # nearly always
        return {**wire.headers, **replay_headers}
    return {**wire.headers, **{name: header_value(value) for name, value in replay_headers.items()}}


def _to_response(
    wire: WireResponse | WireStream, replay_headers: Mapping[str, str], request: web.BaseRequest
) -> web.Response:
    headers = _headers(wire, replay_headers)
    if isinstance(wire, WireStream):
        return _streamed(wire, headers, request)
    return web.Response(status=wire.status, headers=headers, body=wire.body)


async def _pass_on(
    wire: WireLive, replay_headers: Mapping[str, str], request: web.BaseRequest, begun: Callable[[], None]
) -> web.StreamResponse:
    """Give a client what an upstream gives, piece by piece. A client that leaves costs nobody the recording."""
    response = web.StreamResponse(status=wire.status, headers=CIMultiDict([*wire.headers, *replay_headers.items()]))
    complete_headers(response.headers, request)
    try:
        await response.prepare(request)
        data = b"" if request.method == "HEAD" else await wire.read()
        begun()
        while data:
            await response.write(data)
            data = await wire.read()
        await response.write_eof()
    except ConnectionError:
        _break_off(request)
        raise
    finally:
        wire.leave()
    return response


def _break_off(request: web.BaseRequest) -> None:
    """End the connection so that what came is no whole answer to anybody."""
    # Without length and chunks, as in HTTP/1.0, the connection's end is the answer's: it must be no good one.
    if request.version < (1, 1) and request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        request.transport.abort()


def _streamed(wire: WireStream, headers: Mapping[str, str], request: web.BaseRequest) -> web.Response:
    """Without a pace there is nothing to wait for between the events, so they go out in one write."""
    response = web.Response(status=wire.status, headers=headers, body=b"".join(wire.frames))
    if request.version >= (1, 1):
        response.enable_chunked_encoding()
    return response
