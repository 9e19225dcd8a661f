"""Taking interactions out of cassettes: whole documents, and files and folders that hold nothing any more."""

from collections import defaultdict
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from replay_server.cassettes.file import CassetteFile
from replay_server.cassettes.files import load_config


def _any(_: CassetteFile) -> None:
    """Any file will do."""


def prune(directory: Path, interactions: Collection[str], check: Callable[[CassetteFile], None] = _any) -> None:
    """Take out the interactions with these ids; all else stays byte for byte.

    `check` is given each file while nobody else writes it, and raises where it is not the one that was meant. Raises
    UsageError; the file that it is about is then untouched.
    """
    config = load_config(directory)
    places: dict[str, set[int]] = defaultdict(set)
    for interaction in interactions:
        name, _, place = interaction.rpartition("#")
        places[name].add(int(place))
    for name in sorted(places):
        file = CassetteFile(directory, name, config)
        with file.locked():
            check(file)
            file.remove(places[name])
        if not file.path.exists():
            _remove_empty(file.path.parent, directory)


def _remove_empty(folder: Path, directory: Path) -> None:
    """Remove a folder that holds nothing, and those above it; not the directory of the cassettes."""
    with suppress(OSError):  # something is in it, or it is not ours to remove: it does no harm
        while folder != directory:
            folder.rmdir()
            folder = folder.parent
