"""An import: files in, cassettes out, and what became of each. What is there already is never lost."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial
from pathlib import Path

from replay_server.cassettes.atomic import write_atomically
from replay_server.cassettes.config import Config
from replay_server.cassettes.exchange import documents_of
from replay_server.cassettes.files import load_config
from replay_server.cassettes.importers.batch import read_batch
from replay_server.cassettes.importers.content_coding import decoded
from replay_server.cassettes.importers.formats import AUTO, BATCH, READERS, detect
from replay_server.cassettes.importers.items import Imported, Item, Refused, Unimportable, shortened
from replay_server.cassettes.importers.sources import Source
from replay_server.endpoints.base import BadField
from replay_server.errors import ApiError, UsageError

_FEW = 32
"""Files that are done sooner than other processes have started."""

_AT_A_TIME = 8
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What an import is told. `only`: patterns of URLs; none: all."""

    cassettes: Path
    form: str = AUTO
    only: tuple[str, ...] = ()
    force: bool = False
    dry_run: bool = False


class State(StrEnum):
    """What became of a file."""

    IMPORTED = "imported"
    UNCHANGED = "unchanged"
    """Its cassette says already what it would be."""
    NOT_REPLACED = "not replaced"
    """Its cassette says something else."""
    NOTHING = "nothing"
    """Nothing in it could be imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A file that is done: its format, its exchanges, the documents that they became, and what is none."""

    source: str
    cassette: str
    state: State
    form: str = ""
    exchanges: int = 0
    documents: int = 0
    refused: tuple[Refused, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether there is something in it that was not imported, and should have been."""
        return self.state is State.NOT_REPLACED or any(not refused.skipped for refused in self.refused)


def run_import(sources: Sequence[Source], config: Config, options: Options, report: Callable[[Outcome], None]) -> None:
    """Import the files, and tell of each in their order. Raises UsageError; what is done by then is written."""
    workers = min(_cores(), len(sources) // _FEW + 1)
    if workers == 1:
        for source in sources:
            report(import_source(source, config, options))
        return
    # Not by fork: the parent may have threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_leave_interrupts) as pool:
        try:
            for outcome in pool.map(partial(_import_there, options=options), sources, chunksize=_AT_A_TIME):
                report(outcome)
        except BrokenProcessPool:
            raise UsageError("a process of the import was killed (no memory?): import fewer files at once") from None
        finally:
            pool.shutdown(cancel_futures=True)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _import_there(source: Source, options: Options) -> Outcome:
    """Import one file in another process, which reads `replay.yaml` by itself: its rules cannot be sent."""
    return import_source(source, _config_of(options.cassettes), options)


@cache
def _config_of(directory: Path) -> Config:
    return load_config(directory) if directory.is_dir() else Config()


def _leave_interrupts() -> None:
    """Ctrl-C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def import_source(source: Source, config: Config, options: Options) -> Outcome:
    """Import one file. Raises UsageError where the cassette cannot be written."""
    try:
        form, items = _items(source, options)
    except Unimportable as error:
        refused = Refused(place="", reason=shortened(str(error)))
        return Outcome(source=source.name, cassette=source.cassette, state=State.NOTHING, refused=(refused,))
    imported = [item for item in items if isinstance(item, Imported)]
    sound, texts, unsound = documents_and_refused(imported, config)
    return Outcome(
        source=source.name,
        cassette=source.cassette,
        state=_write(options.cassettes / source.cassette, texts, options) if texts else State.NOTHING,
        form=form,
        exchanges=len(sound),
        documents=len(texts),
        refused=(*(item for item in items if isinstance(item, Refused)), *unsound),
    )


def _items(source: Source, options: Options) -> tuple[str, list[Item]]:
    """The format of a file, and what is in it. Raises Unimportable."""
    if source.problem:
        raise Unimportable(source.problem)
    data = _read(source.path)
    if source.batch:
        alike = len({path.name for path in source.answers}) < len(source.answers)
        answers = {str(path) if alike else path.name: _read(path) for path in source.answers}
        return BATCH, list(read_batch(data, answers, options.only))
    form = detect(data, source.name) if options.form == AUTO else options.form
    return form, list(READERS[form](data, options.only))


def _read(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise Unimportable("is no regular file")
        data = path.read_bytes()
    except OSError as error:
        raise Unimportable(f"cannot be read: {error.strerror}") from None
    return decoded(data, "gzip") if data.startswith(_GZIP) else data


def documents_and_refused(
    imported: Sequence[Imported], config: Config
) -> tuple[Sequence[Imported], list[str], Sequence[Refused]]:
    """What can be a document, the documents, and what cannot."""
    try:
        return imported, _texts(imported, config), ()
    except (ApiError, BadField):
        unsound = list(_unsound(imported, config))
        places = {refused.place for refused in unsound}
        sound = [item for item in imported if item.place not in places]
        return sound, _texts(sound, config), unsound


def _texts(imported: Sequence[Imported], config: Config) -> list[str]:
    """The documents, with the first day that the file names."""
    at = min((item.at for item in imported if item.at), default=None)
    return documents_of(
        [item.exchange for item in imported], config, at, names=[item.name for item in imported], exact=True
    )


def _unsound(imported: Sequence[Imported], config: Config) -> Iterator[Refused]:
    for item in imported:
        try:
            _texts([item], config)
        except (ApiError, BadField) as error:
            yield Refused(place=item.place, reason=shortened(str(error)))


def _write(path: Path, texts: Sequence[str], options: Options) -> State:
    data = "---\n".join(texts).encode()
    try:
        before = path.read_bytes() if path.exists() else None
        if before == data:
            return State.UNCHANGED
        if before is not None and not options.force:
            return State.NOT_REPLACED
        if not options.dry_run:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
    return State.IMPORTED
