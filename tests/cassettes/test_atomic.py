"""Files that are whole at any moment, with and without files that have no name."""

import os
from pathlib import Path

import pytest

from replay_server.cassettes import atomic
from replay_server.cassettes.atomic import is_temporary, write_atomically
from replay_server.cassettes.file import locked_directory, sweep
from replay_server.errors import UsageError


@pytest.fixture(params=["nameless", "named"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "named":
        monkeypatch.setattr(atomic, "_NAMELESS", None)


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"

    write_atomically(path, b"one")
    write_atomically(path, b"two" * 100_000)

    assert (path.read_bytes(), names(tmp_path)) == (b"two" * 100_000, ["a.yaml"])


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"other")
    path = tmp_path / "a.yaml"
    path.symlink_to(tmp_path / "other")

    write_atomically(path, b"one")

    assert (path.is_symlink(), path.read_bytes(), (tmp_path / "other").read_bytes()) == (False, b"one", b"other")


def test_a_file_gets_the_rights_that_any_new_file_gets(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()

    write_atomically(tmp_path / "a.yaml", b"one")

    assert (tmp_path / "a.yaml").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("moment", ["write", "link", "replace"])
def test_a_writer_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    path = tmp_path / "a.yaml"
    write_atomically(path, b"one")

    def full(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    if moment == "replace":
        monkeypatch.setattr(Path, "replace", full)
    else:
        monkeypatch.setattr(os, "fsync" if moment == "write" or atomic._NAMELESS is None else moment, full)
    with pytest.raises(UsageError, match=r"a\.yaml: cannot be written: No space left on device; what was there is"):
        write_atomically(path, b"two")

    assert (path.read_bytes(), names(tmp_path)) == (b"one", ["a.yaml"])


def test_what_a_killed_writer_left_is_swept_away_and_nothing_else(tmp_path: Path) -> None:
    kept = ["a.yaml", ".hidden", "sub/.b.yaml", "sub/c.tmp"]
    for name in [*kept, ".a.yaml.0123.tmp", "sub/.b.yaml.4567.tmp"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    sweep(tmp_path)

    found = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert (sorted(found), is_temporary(".a.yaml.0123.tmp")) == (sorted(kept), True)


def test_a_directory_that_is_locked_is_made_and_holds_nothing_of_the_lock(tmp_path: Path) -> None:
    with locked_directory(tmp_path / "a" / "b"):
        assert names(tmp_path / "a") == ["b"]

    assert names(tmp_path / "a" / "b") == []
