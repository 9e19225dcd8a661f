"""Recording live traffic: which requests go on to an upstream, and which of their answers become recordings."""

import asyncio
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from replay_server.cassettes.matching import Keyed, Match
from replay_server.endpoints.address import Address
from replay_server.endpoints.address import place as place_of
from replay_server.errors import NotFound
from replay_server.interaction import RawRequest, Repeat, WireLive
from replay_server.record.capture import Capture
from replay_server.record.forward import ForwardedAnswer, Forwarder
from replay_server.record.live_cassettes import Episode, LiveCassettes, cassette_folder
from replay_server.record.modes import RecordMode
from replay_server.record.recording import Recording
from replay_server.record.upstream_url import choose, url_for
from replay_server.settings import Upstream

log = logging.getLogger("replay_server")

UNNAMED = "recorded"
"""The cassette of requests that name neither a session nor a cassette."""

_RECORD_TO = "x-replay-record-to"
_STATUSES = range(200, 600)
_EXCLUDED = frozenset({401, 408, 429, *range(500, 600)})
"""They tell of the client's key or of the moment, not of what was asked: played back, they would never end."""
_REMEDIES = {401: ", as it does not take this key: give the client another, or name its variable with --api-key-env"}


class LiveTraffic:
    """Stands between clients and upstreams: implements `Live`.

    `largest`: bytes of an answer that are recorded at most.
    """

    def __init__(
        self,
        directory: Path,
        upstreams: Sequence[Upstream],
        forwarder: Forwarder,
        cassettes: LiveCassettes,
        mode: RecordMode,
        *,
        record_errors: bool,
        largest: int,
    ) -> None:
        self._directory = directory
        self._upstreams = upstreams
        self._forwarder = forwarder
        self._cassettes = cassettes
        self._mode = mode
        self._record_errors = record_errors
        self._largest = largest
        self._reading_on: set[asyncio.Task[None]] = set()

    async def ask(
        self, asked: Keyed, raw: RawRequest, session: str, match: Match | None, *, forwards_misses: bool
    ) -> WireLive | None:
        """See `Live`. `forwards_misses`: what is not recorded goes on as well."""
        episode = await self._episode(asked, raw, session, match)
        if episode is None and (match is not None or not forwards_misses):
            return None
        path, query = _target(raw)
        upstream = choose(self._upstreams, path.sent, asked.request.model)
        if upstream is None:
            if forwards_misses:
                _check_answered(asked, match)
            return None
        url = url_for(upstream, path.sent, path.path) + query
        return await self._forward(url, upstream.api_key, raw, asked, episode)

    async def _episode(self, asked: Keyed, raw: RawRequest, session: str, match: Match | None) -> Episode | None:
        """What is to be recorded of the request; None where the mode says that nothing is."""
        if self._mode is RecordMode.NONE:
            return None
        episode = await self._possible_episode(asked, raw, session, match)
        there = match is not None and _holds(match, episode.place)
        return episode if self._mode.records(there=there, cassette_existed=episode.cassette_existed) else None

    async def _possible_episode(self, asked: Keyed, raw: RawRequest, session: str, match: Match | None) -> Episode:
        named = raw.headers.get(_RECORD_TO) or await self._cassettes.named_by(session) or session
        cassette = named or UNNAMED
        cassette_folder(self._directory, cassette)
        return Episode(
            asked=asked,
            session=session,
            cassette=cassette,
            named=bool(named),
            place=await self._cassettes.place(asked, session),
            cassette_existed=self._cassettes.existed(cassette),
            match=match,
        )

    async def _forward(
        self, url: str, api_key: str | None, raw: RawRequest, asked: Keyed, episode: Episode | None
    ) -> ForwardedAnswer:
        started = time.monotonic()
        response = await self._forwarder.send(url, raw, api_key)
        recording = self._recording(response, asked, episode, started) if episode else None
        answer = ForwardedAnswer(response, recording, self._read_on)
        await answer.begin()
        return answer

    def _recording(
        self, response: aiohttp.ClientResponse, asked: Keyed, episode: Episode, started: float
    ) -> Recording | None:
        if response.status not in _STATUSES:
            return None  # a cassette cannot hold it
        if response.status in _EXCLUDED and not self._record_errors:
            remedy = _REMEDIES.get(response.status, "")
            log.warning("not recorded: %s: the upstream answered %d%s", asked.resource.name, response.status, remedy)
            return None
        headers = {name.lower(): value for name, value in response.headers.items()}
        capture = Capture(response.status, headers, started=started, largest=self._largest)
        return Recording(
            asked,
            capture,
            lambda answered: self._cassettes.save(episode, answered),
            even_broken=self._record_errors,
        )

    def _read_on(self, reading: "asyncio.Task[None]") -> None:
        self._reading_on.add(reading)
        reading.add_done_callback(self._reading_on.discard)

    async def close(self, grace: float) -> None:
        """Let recordings whose clients have left come to their end, for so many seconds; then close."""
        if self._reading_on:
            await asyncio.wait(self._reading_on, timeout=grace)
        for reading in list(self._reading_on):
            reading.cancel()
        await asyncio.gather(*self._reading_on, return_exceptions=True)
        await self._forwarder.close()
        await self._cassettes.close()


def _target(raw: RawRequest) -> tuple[Address, str]:
    """The address as the client has encoded it, and the query with its question mark."""
    target = raw.target or raw.path
    if not target.startswith("/"):  # a client that takes us for a proxy names the host as well
        target = urlsplit(target)._replace(scheme="", netloc="").geturl()
    path, mark, query = target.partition("?")
    return place_of(path)[0], mark + query


def _check_answered(asked: Keyed, match: Match | None) -> None:
    """No upstream takes this: raise NotFound, unless something else answers it."""
    if match is None and not asked.resource.known:
        what = f"{asked.request.endpoint} with the model {asked.request.model!r}"
        raise NotFound(f"no --upstream takes {what}: add one that does", code="no_upstream")


def _holds(match: Match, place: int) -> bool:
    """Whether the answer at this place is there. What is written by hand repeats as its writer says."""
    interaction = match.interaction
    if not interaction.recorded or interaction.repeat is not Repeat.LAST:
        return True
    return place < len(interaction.responses)
