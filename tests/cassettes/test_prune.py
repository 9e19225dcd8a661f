"""Interactions are taken out of cassettes: whole documents, and nothing else changes."""

from collections.abc import Callable
from pathlib import Path

from replay_server.cassettes.prune import prune

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
