"""What a library takes of a directory that changed."""

import logging
import os
from pathlib import Path

import pytest

from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import Match
from replay_server.cassettes.reloading import Reloader, sign
from replay_server.endpoints.table import resource_named

DOCUMENT = """\
request:
  model: m
  messages: [{{role: user, content: {}}}]
response:
  content: {}
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(DOCUMENT.format(name, name))
    return tmp_path


def load(directory: Path) -> tuple[Library, Reloader]:
    signatures = sign(directory)
    library = Library.load(directory)
    library.signatures = signatures
    return library, Reloader(directory, library)


def answering(library: Library, text: str) -> str | None:
    resource = resource_named("chat/completions")
    request = resource.from_cassette({"model": "m", "messages": [{"role": "user", "content": text}]})
    found = library.find(library.key(resource, request))
    return found.interaction.id if isinstance(found, Match) else None


def write(path: Path, text: str) -> None:
    """Write a file that does not look as it did, however soon that is."""
    path.parent.mkdir(exist_ok=True)
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text)
    os.utime(path, ns=(before + 10**9, before + 10**9))


def test_nothing_changed_is_nothing_to_do(directory: Path) -> None:
    library, reloader = load(directory)

    assert reloader.read() == []
    assert library.revision == 0


@pytest.mark.parametrize("names", [None, {"a.yaml", "new/c.yaml", "notes.txt", "gone.yaml"}], ids=["all", "named"])
def test_changed_added_and_deleted_cassettes_are_taken(directory: Path, names: set[str] | None) -> None:
    library, reloader = load(directory)
    write(directory / "a.yaml", DOCUMENT.format("other", "x") + "---\n" + DOCUMENT.format("more", "x"))
    write(directory / "new" / "c.yaml", DOCUMENT.format("c", "c"))

    reloader.take(reloader.read(names))

    assert {text: answering(library, text) for text in ("a", "other", "more", "b", "c")} == {
        "a": None,
        "other": "a.yaml#1",
        "more": "a.yaml#2",
        "b": "b.yaml#1",
        "c": "new/c.yaml#1",
    }
    assert (library.cassettes, reloader.read(names)) == (3, [])


def test_a_deleted_cassette_answers_no_more(directory: Path) -> None:
    library, reloader = load(directory)
    (directory / "a.yaml").unlink()

    reloader.take(reloader.read({"a.yaml"}))

    assert (answering(library, "a"), library.cassettes, reloader.read()) == (None, 1, [])


def test_a_broken_cassette_keeps_its_last_good_version_until_it_is_mended(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    library, reloader = load(directory)
    write(directory / "a.yaml", "request: {messages: []}\n")

    reloader.take(reloader.read())
    again = reloader.read()

    problem = f"{directory}/a.yaml:1: interaction 1 has no response"
    assert (answering(library, "a"), library.stale, again) == ("a.yaml#1", {"a.yaml": problem}, [])
    assert caplog.messages == [f"{problem}; its last good version goes on answering"]

    write(directory / "a.yaml", DOCUMENT.format("a2", "a"))
    reloader.take(reloader.read())

    assert (answering(library, "a2"), library.stale) == ("a.yaml#1", {})


@pytest.mark.parametrize("text", ["", "---\n"], ids=["no bytes", "no document"])
def test_a_cassette_that_is_being_written_keeps_its_last_good_version(directory: Path, text: str) -> None:
    library, reloader = load(directory)
    write(directory / "a.yaml", text)

    reloader.take(reloader.read())

    assert (answering(library, "a"), list(library.stale)) == ("a.yaml#1", ["a.yaml"])


def test_a_broken_cassette_that_is_mended_as_it_was_is_mended(directory: Path) -> None:
    library, reloader = load(directory)
    for text in (": :", DOCUMENT.format("a", "a")):
        write(directory / "a.yaml", text)
        reloader.take(reloader.read())

    assert (answering(library, "a"), library.stale) == ("a.yaml#1", {})


def test_a_broken_cassette_that_is_deleted_is_no_longer_told_of(directory: Path) -> None:
    library, reloader = load(directory)
    write(directory / "new.yaml", "}")
    reloader.take(reloader.read())
    (directory / "new.yaml").unlink()

    reloader.take(reloader.read())

    assert (library.stale, reloader.read()) == ({}, [])


def test_what_was_written_by_ourselves_changes_nothing(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    library, reloader = load(directory)
    write(directory / "a.yaml", DOCUMENT.format("a", "a"))

    reloader.take(reloader.read())

    assert (library.revision, caplog.messages, reloader.read()) == (0, [], [])


def test_new_rules_are_given_back(directory: Path) -> None:
    _, reloader = load(directory)
    write(directory / "replay.yaml", "models: [x]\n")

    rules = reloader.take(reloader.read())

    assert rules is not None
    assert rules.models == ("x",)


def test_broken_rules_are_not_taken(directory: Path) -> None:
    library, reloader = load(directory)
    write(directory / "replay.yaml", "modles: [x]\n")

    assert reloader.take(reloader.read()) is None
    assert list(library.stale) == ["replay.yaml"]


def test_matchers_are_taken_too(directory: Path) -> None:
    library, reloader = load(directory)
    write(directory / "m.yaml", "match: {last_user: {contains: c}}\nresponse: {content: c}\n")

    reloader.take(reloader.read())
    revision = library.revision
    write(directory / "m.yaml", "match: {last_user: {contains: c}}\nresponse: {content: c}\n")
    reloader.take(reloader.read())

    assert [matcher.interaction.id for matcher in library.matchers or ()] == ["m.yaml#1"]
    assert (library.cassettes, len(library), library.revision) == (3, 3, revision)
