"""Watching the cassettes: what changes is read in a thread and taken on the loop, so that no request is dropped."""

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import aclosing
from pathlib import Path

from watchfiles import awatch

from replay_server.cassettes.config import FILE_NAME, Config
from replay_server.cassettes.files import is_cassette
from replay_server.cassettes.library import Library
from replay_server.cassettes.reloading import Reloader
from replay_server.errors import UsageError
from replay_server.terminal import printable

log = logging.getLogger("replay_server")

_GLANCE_MS = 1_000
"""How often the directory itself is looked at: nobody tells that it has been put in place of another one."""


class Watch:
    """Keeps a library as its directory is, until it is stopped. `learn` is called after each change."""

    def __init__(self, directory: Path, library: Library, learn: Callable[[], None]) -> None:
        self._directory = directory
        self._library = library
        self._reloader = Reloader(directory, library)
        self._learn = learn
        self._stopped = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Take no more changes."""
        self._stopped.set()
        await self._task

    async def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                await self._watch()
            except (FileNotFoundError, UsageError, OSError) as error:
                log.warning("%s: cannot be watched: %s", printable(str(self._directory)), printable(str(error)))
            await _wait(self._stopped, _GLANCE_MS / 1000)

    async def _watch(self) -> None:
        """Until it is another directory that has this name."""
        watched = _number(self._directory)
        everything = True  # what has changed before we looked
        if watched is None:
            return
        watching = awatch(
            self._directory,
            watch_filter=None,
            stop_event=self._stopped,
            yield_on_timeout=True,
            rust_timeout=_GLANCE_MS,
        )
        async with aclosing(watching):
            async for changes in watching:
                names = {_below(self._directory, path) for _, path in changes}
                if everything or names:
                    await self._reload(None if everything or not all(map(_is_read, names)) else names)
                everything = False
                if _number(self._directory) != watched:
                    return

    async def _reload(self, names: Collection[str] | None) -> None:
        """Read what may have changed: all of it, where a folder or a link did, which the names do not tell."""
        try:
            changes = await asyncio.to_thread(self._reloader.read, names)
        except UsageError as error:
            log.error("%s", printable(str(error)))
            return
        if not changes:
            return
        config = self._reloader.take(changes)
        if config is not None:
            await self._take_rules(config)
        self._learn()

    async def _take_rules(self, config: Config) -> None:
        """Make all keys anew. What is recorded meanwhile counts too, so then it is done again."""
        library = self._library
        while True:
            revision, interactions = library.revision, library.interactions
            made = await asyncio.to_thread(Library, library.directory, interactions, config)
            if library.revision == revision:
                break
        made.stale, made.signatures = library.stale, library.signatures
        library.become(made)
        log.info("%s: taken", FILE_NAME)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


def _number(directory: Path) -> int | None:
    """What tells a directory from another one of the same name; None where there is none."""
    try:
        return directory.stat().st_ino
    except OSError:
        return None


def _below(directory: Path, path: str) -> str:
    try:
        return Path(path).relative_to(directory.absolute()).as_posix()
    except ValueError:
        return ""


def _is_read(name: str) -> bool:
    return name == FILE_NAME or is_cassette(name)
