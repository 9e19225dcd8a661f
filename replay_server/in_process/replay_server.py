"""`ReplayServer`: a server in the process, on a free port, for as long as a `with` lasts."""

import asyncio
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Self

from replay_server.errors import BadRequest, UsageError
from replay_server.in_process.entry import Entry, entry
from replay_server.in_process.server_thread import ServerThread
from replay_server.in_process.session import ReplaySession
from replay_server.replay.decision import Replay
from replay_server.replay.journal import Noted
from replay_server.server.options import ON_MISS, check_word, read_pace_option, read_settings
from replay_server.settings import DEFAULT_MAX_BODY, DEFAULT_UPSTREAM_TIMEOUT


class ReplayServer(ReplaySession):
    """Answers from cassettes until its `with` ends; the options are those of `replay-server serve`.

    `async with` is the same. The server itself has the requests of all sessions in its journal, and what is added to
    it is there in all of them. `remedy` ends the message of a miss, in place of a command that records it. Raises
    UsageError for options and cassettes that cannot be used.
    """

    def __init__(
        self,
        cassettes: str | PathLike[str] = "cassettes",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        on_miss: str | None = None,
        strict: bool = False,
        api_key: str | Sequence[str] = (),
        save_misses: str | PathLike[str] | None = None,
        max_body: int = DEFAULT_MAX_BODY,
        upstream: str | Sequence[str] = (),
        api_key_env: str | Sequence[str] = (),
        record_mode: str = "none",
        record_errors: bool = False,
        upstream_timeout: float = DEFAULT_UPSTREAM_TIMEOUT,
        pace: str | None = None,
        watch: bool = False,
        validation: str | None = None,
        openapi: str | PathLike[str] | Sequence[str | PathLike[str]] = (),
        remedy: str | None = None,
    ) -> None:
        self._settings = read_settings(
            cassettes=Path(cassettes),
            host=host,
            port=port,
            on_miss=on_miss,
            strict=strict,
            api_keys=_several(api_key),
            save_misses=None if save_misses is None else Path(save_misses),
            max_body=max_body,
            upstreams=_several(upstream),
            api_key_variables=_several(api_key_env),
            record_mode=record_mode,
            record_errors=record_errors,
            upstream_timeout=upstream_timeout,
            pace=pace,
            watch=watch,
            validation=validation,
            openapi=[Path(each) for each in ((openapi,) if isinstance(openapi, str | PathLike) else openapi)],
        )
        self._remedy = remedy
        self._running = False
        super().__init__(ServerThread(self._settings, remedy), None)

    def start(self) -> Self:
        """Start, where a `with` does not fit. Raises UsageError."""
        if self._running:
            raise UsageError("the server runs already")
        self._thread = ServerThread(self._settings, self._remedy)
        self._thread.start()
        self._running = True
        return self

    def stop(self) -> None:
        """Finish the answers under way, and the recordings, and close."""
        if self._running:
            self._running = False
            self._thread.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        starting = asyncio.create_task(asyncio.to_thread(self.start))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            await asyncio.wait([starting])
            await asyncio.to_thread(self.stop)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def session(
        self,
        name: str,
        *,
        cassettes: str | Sequence[str] = (),
        only: bool = False,
        on_miss: str | None = None,
        pace: str | None = None,
    ) -> ReplaySession:
        """A session with a base URL, a journal and sequences of its own. Called again, it changes what it was told.

        `cassettes` answer first, in this order, and with `only` alone; `*` are all files that lie in no folder.
        """
        from replay_server.endpoints.address import session_id

        check_word("--on-miss", on_miss, ON_MISS)
        if pace is not None:
            read_pace_option(pace, "pace")
        if on_miss == "upstream" and not self._settings.upstreams:
            raise UsageError("--on-miss upstream needs an upstream: add --upstream URL")
        try:
            session = ReplaySession(self._thread, session_id(name))
        except BadRequest as error:
            raise UsageError(error.message) from None
        self._thread.call(
            lambda replay: replay.state.tell(
                name, cassettes=tuple(_several(cassettes)), only=only, on_miss=on_miss, pace=pace
            )
        )
        return session

    def listen(self, listener: Callable[[Entry], None]) -> None:
        """Have each entry of the journal told to a listener: at once, in the server's thread, so it must be quick."""

        async def begin(replay: Replay) -> None:
            def hear(noted: Noted | None) -> None:
                if noted is not None:
                    listener(entry(noted, replay.library.config.redactor))

            replay.state.listen(hear)

        self._thread.call(begin)


def _several(value: str | Sequence[str]) -> Sequence[str]:
    return (value,) if isinstance(value, str) else value
