"""Taking interactions out of cassettes: whole documents, and files and folders that hold nothing any more."""

from collections.abc import Collection
from pathlib import Path

from replay_server.cassettes.file import CassetteFile
from replay_server.cassettes.files import load_config
from replay_server.errors import UsageError


def prune(directory: Path, interactions: Collection[str]) -> None:
    """Remove the interactions with these ids. Raises UsageError; what was there is then untouched."""
    config = load_config(directory)
    for name in sorted({interaction.rpartition("#")[0] for interaction in interactions}):
        file = CassetteFile(directory, name, config)
        with file.locked():
            left = [stored.text for _, stored in file.documents if stored.interaction.id not in interactions]
            if left:
                file.write(left)
            else:
                _remove(file.path, directory)


def _remove(path: Path, directory: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise UsageError(f"{path}: cannot be removed: {error.strerror}") from None
    for folder in path.parents:
        if folder == directory or any(folder.iterdir()):
            return
        folder.rmdir()
