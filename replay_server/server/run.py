"""Running a server: bind, index, serve, stop."""

import asyncio
import errno
import gc
import os
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from aiohttp import web

from replay_server.cassettes.library import Library
from replay_server.endpoints.apis import OPENAI, Apis
from replay_server.errors import UsageError
from replay_server.interaction import INSTANT, Pace
from replay_server.replay.decision import OnMiss, Replay, Validation
from replay_server.replay.miss_log import MissLog, how_to_record
from replay_server.replay.state import MemoryState, State
from replay_server.replay.tally import Tally
from replay_server.server.access import Access
from replay_server.server.api_keys import ApiKeys
from replay_server.server.app import App
from replay_server.server.protocol import HttpServer
from replay_server.settings import Settings

if TYPE_CHECKING:
    from replay_server.record.live import LiveTraffic
    from replay_server.server.watch import Watch

# Together less than the ten after which containers are killed.
_GRACE_SECONDS = 5.0
_RECORDING_GRACE_SECONDS = 3.0

T = TypeVar("T")


class RunningServer:
    """A server that listens. `url` has the port it got; `index` makes it answer. `clock` ends sessions by age.

    `remedy` ends the message of a miss, where the command line is not what records here.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time, remedy: str | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._remedy = remedy
        access = Access(settings.host, settings.admin_keys)
        self._app = App(ApiKeys(settings.api_keys), settings.max_body, access, clock)
        self._runner = web.ServerRunner(
            HttpServer(self._app.handle, max_body=settings.max_body), shutdown_timeout=_GRACE_SECONDS
        )
        self._live: LiveTraffic | None = None
        self._watch: Watch | None = None
        self.url = ""

    async def bind(self) -> None:
        """Listen. Raises UsageError where the address cannot be had."""
        settings = self._settings
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, settings.host, settings.port).start()
        except OSError as error:
            await self.stop()
            # asyncio words it around the system's own message; what getaddrinfo says has a negative number.
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
            option = "--port" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "--host"
            raise UsageError(
                f"cannot listen on {settings.host}:{settings.port}: {reason}; choose another with {option}"
            ) from None
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def index(self) -> Replay:
        """Read the cassettes; from then on requests of the API are answered. Raises CassetteError."""
        # In a thread, so that health checks are answered meanwhile.
        try:
            library = await asyncio.to_thread(_load, self._settings)
            apis = await asyncio.to_thread(_apis, self._settings)
        except UsageError:
            self._app.ready.cancel()  # nobody need wait any more
            raise
        settings = self._settings
        misses = MissLog(settings.save_misses) if settings.save_misses else None
        state = MemoryState(max_age=settings.session_age, clock=self._clock)
        tally = Tally()
        self._live = _live(settings, library, state, tally)
        remedy = self._remedy or how_to_record(settings.cassettes, settings.save_misses)
        replay = Replay(
            library,
            state,
            on_miss(settings, library),
            remedy,
            misses,
            self._live,
            _pace(settings, library),
            tally,
            _validation(settings, library),
            apis,
        )
        if settings.watch:
            self._watch = _watch(settings, replay)
        self._app.ready.set_result(replay)
        return replay

    async def stop(self) -> None:
        """Finish the answers under way, those with a pace at once, and the recordings, and close."""
        self._app.pauses.hurry()
        self._app.close()
        if self._watch is not None:
            await self._watch.stop()
        await self._runner.cleanup()
        if self._live is not None:
            await self._live.close(_RECORDING_GRACE_SECONDS)


def _load(settings: Settings) -> Library:
    """The library; where files are watched, it knows what they looked like. Raises CassetteError."""
    if not settings.watch:
        return Library.load(settings.cassettes)
    from replay_server.cassettes.reloading import sign  # a library that is not watched never needs it

    signatures = sign(settings.cassettes)  # before they are read: what changes meanwhile is read again
    library = Library.load(settings.cassettes)
    library.signatures = signatures
    return library


def _watch(settings: Settings, replay: Replay) -> "Watch":
    from replay_server.server.watch import Watch  # its library comes with an extra

    library = replay.library

    def learn() -> None:
        replay.learn(on_miss(settings, library), _pace(settings, library), _validation(settings, library))

    return Watch(settings.cassettes, library, learn)


def _pace(settings: Settings, library: Library) -> Pace:
    return settings.pace or library.config.pace or INSTANT


def _validation(settings: Settings, library: Library) -> Validation:
    return Validation(settings.validation or library.config.validation or Validation.EXACT)


def _apis(settings: Settings) -> Apis:
    if not settings.openapi:
        return OPENAI
    from replay_server.cassettes.description_file import read_description  # few servers mount other APIs
    from replay_server.endpoints.described.answering import DescribedApi

    return Apis([DescribedApi(read_description(path)) for path in settings.openapi])


def on_miss(settings: Settings, library: Library) -> OnMiss:
    """What answers a miss: as the settings say, else `replay.yaml`, else an upstream if there is one."""
    default = OnMiss.UPSTREAM if settings.upstreams else OnMiss.GENERATE
    return OnMiss(settings.on_miss or library.config.on_miss or default)


def _live(settings: Settings, library: Library, state: State, tally: Tally) -> "LiveTraffic | None":
    if not settings.upstreams:
        return None
    # Imported when there is an upstream: a server that only replays starts without an HTTP client.
    from replay_server.record.forward import Forwarder
    from replay_server.record.live import LiveTraffic
    from replay_server.record.live_cassettes import LiveCassettes
    from replay_server.record.modes import RecordMode

    mode = RecordMode(settings.record_mode)
    return LiveTraffic(
        settings.cassettes,
        settings.upstreams,
        Forwarder(settings.upstream_timeout),
        LiveCassettes(settings.cassettes, library, state, mode, tally),
        mode,
        record_errors=settings.record_errors,
        largest=settings.max_body,
    )


async def serve(
    settings: Settings,
    started: Callable[[RunningServer, Replay], None],
    ended: Callable[[Replay], T],
) -> T:
    """Serve until SIGINT or SIGTERM; a second one waits for nothing any more.

    `started` is called once the cassettes are indexed, `ended` when all has been answered; gives what that gives.
    """
    stop, hurry = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, _signalled, stop, hurry)
    server = RunningServer(settings)
    await server.bind()
    try:
        replay = await server.index()
        gc.freeze()  # what the library holds lives as long as the server: no collection need look at it again
        gc.enable()
        started(server, replay)
        await stop.wait()
    finally:
        await _stop(server, hurry)
    return ended(replay)  # here, where a signal does not end the process


def _signalled(stop: asyncio.Event, hurry: asyncio.Event) -> None:
    (hurry if stop.is_set() else stop).set()


async def _stop(server: RunningServer, hurry: asyncio.Event) -> None:
    stopping, hurried = asyncio.create_task(server.stop()), asyncio.create_task(hurry.wait())
    await asyncio.wait((stopping, hurried), return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    if stopping.done():
        await stopping
    else:
        stopping.cancel()
        await asyncio.wait((stopping,))
