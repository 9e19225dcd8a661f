"""A server in a thread and on a loop of its own.

Whoever waits for an answer, on a loop or not, does not keep the server from giving it: an asynchronous test may use a
client that blocks, and a test whose loop has stopped may still look at the journal.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, TypeVar

from replay_server.errors import UsageError
from replay_server.replay.decision import Replay
from replay_server.server.run import RunningServer
from replay_server.settings import Settings

THREADS = "replay-server"
"""What the names of the server's threads start with."""

T = TypeVar("T")


class ServerThread:
    """Runs a server from `start` to `stop`. Both may be called from any thread of the process that made it."""

    def __init__(self, settings: Settings, remedy: str | None) -> None:
        self._server = (settings, remedy)
        self._process = os.getpid()
        self._started: Future[tuple[asyncio.AbstractEventLoop, str, Replay]] = Future()
        self._stopping: Future[None] = Future()
        # Whoever forgets to stop the server can leave all the same.
        self._thread = threading.Thread(target=self._run, name=THREADS, daemon=True)

    def start(self) -> None:
        """Return when the server answers. Raises UsageError."""
        self._thread.start()
        with ExitStack() as undo:
            undo.callback(self.stop)  # also where somebody presses Ctrl-C meanwhile
            self._started.result()
            undo.pop_all()

    def stop(self) -> None:
        """Return when all is closed. A process that was forked has no such thread: there it does nothing."""
        if os.getpid() != self._process:
            return
        if not self._stopping.done():
            self._stopping.set_result(None)
        self._thread.join()

    @property
    def url(self) -> str:
        """Where the server is."""
        return self._running()[1]

    def call(self, act: Callable[[Replay], Coroutine[Any, Any, T]]) -> T:
        """Do something on the server's loop, and wait for it."""
        loop, _, replay = self._running()
        return asyncio.run_coroutine_threadsafe(act(replay), loop).result()

    def _running(self) -> tuple[asyncio.AbstractEventLoop, str, Replay]:
        if self._stopping.done() or not self._started.done():
            raise UsageError("the server does not run: use it within `with ReplayServer(...) as server:`")
        return self._started.result()

    # In the server's thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # whatever it is: somebody waits for the start
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix=THREADS))
        settings, remedy = self._server
        server = RunningServer(settings, remedy=remedy)
        await server.bind()
        try:
            self._started.set_result((loop, server.url, await server.index()))
            await asyncio.wrap_future(self._stopping)
        finally:
            await server.stop()
