"""The files to import: found below what a user names, each with the cassette that it becomes."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path, PurePosixPath

from replay_server.cassettes.config import FILE_NAME
from replay_server.cassettes.importers.batch import custom_ids, holds_answers, is_batch
from replay_server.cassettes.importers.formats import AUTO, BATCH, SUFFIXES, unpacked_name
from replay_server.errors import UsageError

_LONGEST_NAME = 250
"""Bytes of a name: file systems take 255, and a cassette's may have an ending more."""
_NO_BATCHES = (".yaml", ".yml", ".json", ".har", ".zhar", ".gz")


@dataclass(frozen=True, slots=True)
class Source:
    """A file, and its name below what the user named. `cassette` is the name of the one that it becomes."""

    path: Path
    name: str
    group: str | None = None
    """The folder where its partners are, for a file of a batch; None for files that were named one by one."""
    cassette: str = ""
    answers: tuple[Path, ...] = ()
    """Of a batch: the files of output and errors."""
    batch: bool = False
    problem: str | None = None
    """Why it cannot be imported, where that is known without reading it."""


@dataclass(slots=True)
class Found:
    """The files to import, and those in folders that have another ending than recordings have."""

    sources: list[Source] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def find_sources(paths: Sequence[Path], form: str, cassettes: Path) -> Found:
    """What there is to import below these paths. Raises UsageError where two would become one cassette."""
    found, target = Found(), cassettes.resolve()
    for path in paths:
        if path.resolve() == target:
            raise UsageError(f"{path}: cassettes cannot be imported into the directory that they come from")
        if path.is_dir():
            _walk(path, target, found)
        else:
            found.sources.append(Source(path, path.name))
    found.sources = _paired(found.sources, form)
    found.sources = _named(found.sources)
    return found


def _walk(directory: Path, target: Path, found: Found) -> None:
    """Folders and files whose name starts with a dot are no recordings, and what was imported is none."""
    for folder, folders, files in os.walk(directory, onerror=_refuse):
        below = (name for name in folders if not name.startswith("."))
        folders[:] = sorted(name for name in below if Path(folder, name).resolve() != target)
        for file in sorted(files):
            path = Path(folder, file)
            name = path.relative_to(directory).as_posix()
            if unpacked_name(file).lower().endswith(SUFFIXES) and not file.startswith("."):
                found.sources.append(Source(path, name, folder))
            else:
                found.others.append(name)


def _refuse(error: OSError) -> None:
    raise UsageError(f"{error.filename}: {error.strerror}")


# Batches -------------------------------------------------------------------------------------------------------------


def _paired(sources: Iterable[Source], form: str) -> list[Source]:
    """The files of a batch as one source, the requests with the answers; other files as they are."""
    plain: list[Source] = []
    batches: dict[str | None, list[Source]] = defaultdict(list)
    for source in sources:
        if form == BATCH or (form == AUTO and _is_batch(source)):
            batches[source.group].append(replace(source, batch=True))
        else:
            plain.append(source)
    return plain + [source for group in batches.values() for source in _pairs(group)]


def _is_batch(source: Source) -> bool:
    return source.path.suffix.lower() not in _NO_BATCHES and is_batch(_read(source.path))


def _read(path: Path) -> bytes:
    """The bytes of a file. One that cannot be read is told of when it is imported."""
    try:
        return path.read_bytes() if path.is_file() else b""
    except OSError:
        return b""


def _pairs(group: Sequence[Source]) -> Iterator[Source]:
    requests: list[Source] = []
    answers: list[Source] = []
    for source in group:
        (answers if holds_answers(_read(source.path)) else requests).append(source)
    asked = {source.path: custom_ids(_read(source.path)) for source in requests}
    belonging: dict[Path, list[Path]] = defaultdict(list)
    for source in answers:
        given = custom_ids(_read(source.path))
        fitting = _fitting(source, requests, {path: len(ids & given) for path, ids in asked.items()})
        if len(fitting) == 1:
            belonging[fitting[0].path].append(source.path)
        else:
            yield replace(source, problem=_unpaired(fitting))
    yield from (replace(source, answers=tuple(belonging[source.path])) for source in requests)


def _fitting(answer: Source, requests: Sequence[Source], shared: dict[Path, int]) -> list[Source]:
    """The files of requests that have most ids in common with one of answers; of several, those named most alike."""
    most = max(shared.values(), default=0)
    fitting = [source for source in requests if most and shared[source.path] == most]
    alike = [_shared_start(source.path.name, answer.path.name) for source in fitting]
    return [source for source, length in zip(fitting, alike, strict=True) if length == max(alike)]


def _shared_start(name: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(name, other, strict=False)))


def _unpaired(fitting: Sequence[Source]) -> str:
    if not fitting:
        return "holds answers of a batch whose file of requests is not here: give that file too"
    names = ", ".join(source.name for source in fitting)
    return f"holds answers to the requests of several files ({names}): import them one by one"


# Names ---------------------------------------------------------------------------------------------------------------


def _named(sources: Iterable[Source]) -> list[Source]:
    """Each source with the name of its cassette. The tree is kept; where two would be one, both keep their endings."""
    by_name: dict[str, list[Source]] = defaultdict(list)
    for source in sources:
        by_name[_cassette(source.name)].append(source)
    named = [_with_name(source, name, alone=len(alike) == 1) for name, alike in by_name.items() for source in alike]
    _check_different(named)
    return sorted(named, key=lambda source: source.cassette)


def _cassette(name: str) -> str:
    path = PurePosixPath(unpacked_name(name))
    bare = path.with_name(path.name.lstrip(".") or path.name)
    return str(bare.with_suffix(".yaml") if bare.suffix.lower() in SUFFIXES else f"{bare}.yaml")


def _with_name(source: Source, name: str, *, alone: bool) -> Source:
    if not name.isprintable() or not _is_utf8(name):
        return replace(source, cassette=ascii(name), problem="has a name that is not UTF-8: rename it")
    if len(PurePosixPath(source.name).name.encode()) > _LONGEST_NAME:
        return replace(source, cassette=name, problem="has a name that is too long for a cassette: rename it")
    taken = not alone and not source.name.endswith(".yaml")
    return replace(source, cassette=f"{source.name}.yaml" if taken or name == FILE_NAME else name)


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_different(sources: Iterable[Source]) -> None:
    seen: dict[str, Source] = {}
    for source in sources:
        first = seen.setdefault(source.cassette, source)
        if first is not source:
            both = f"{first.path} and {source.path} would both become {source.cassette}"
            raise UsageError(f"{both}: give a folder that holds both, whose tree is kept")
