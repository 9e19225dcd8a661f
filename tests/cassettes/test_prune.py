"""Interactions are taken out of cassettes: whole documents, and nothing else changes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from replay_server.cassettes.file import CassetteFile
from replay_server.cassettes.prune import prune
from replay_server.errors import UsageError

FIRST = "# the first\nrequest: {model: m, messages: [{role: user, content: a}]}\nresponse: {content: A}\n"
SECOND = "request: {model: m, messages: [{role: user, content: b}]}\nresponse: {content: B}  # the second\n"
MATCHER = "match: {model: m*}\nresponse: {content: M}\n"


def test_a_document_is_taken_out_and_the_others_stay_as_they_are(write: Callable[[str, str], Path]) -> None:
    directory = write("a.yaml", f"{FIRST}---\n{MATCHER}---\n{SECOND}")

    prune(directory, ["a.yaml#2"])

    assert (directory / "a.yaml").read_text() == f"{FIRST}---\n{SECOND}"


def test_a_file_without_documents_goes_and_so_do_its_empty_folders(write: Callable[[str, str], Path]) -> None:
    write("b.yaml", FIRST)
    write("t/test_a/x.yaml", FIRST)
    directory = write("t/test_b/y.yaml", f"{FIRST}---\n{SECOND}")

    prune(directory, ["t/test_a/x.yaml#1", "t/test_b/y.yaml#2", "t/test_b/y.yaml#1"])

    assert [path.name for path in directory.iterdir()] == ["b.yaml"]


def test_comments_and_separators_stay_as_they_are(write: Callable[[str, str], Path]) -> None:
    directory = write("a.yaml", f"# All.\n--- # one\n{FIRST}# Between.\n---\n{SECOND}--- # three\n{MATCHER}")

    prune(directory, ["a.yaml#2"])

    assert (directory / "a.yaml").read_text() == f"# All.\n--- # one\n{FIRST}# Between.\n--- # three\n{MATCHER}"


def test_a_file_that_is_not_the_one_that_was_meant_stays(write: Callable[[str, str], Path]) -> None:
    directory = write("a.yaml", FIRST)

    def refuse(file: CassetteFile) -> None:
        raise UsageError(f"{file.name} is another")

    with pytest.raises(UsageError, match=r"a\.yaml is another"):
        prune(directory, ["a.yaml#1"], refuse)

    assert (directory / "a.yaml").read_text() == FIRST
