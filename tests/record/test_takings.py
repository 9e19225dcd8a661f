"""New answers on their way into cassettes."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from replay_server.cassettes import file as module
from replay_server.cassettes.config import Config
from replay_server.record.due import Due, Selection, find_due
from replay_server.record.takings import Takings

Write = Callable[[str, str], Path]


def document(prompt: str, answer: str) -> str:
    return f"request: {{model: m, prompt: {prompt}}}\nresponse: {{body: {answer}}}\nrecorded: {{}}\n"


def read(directory: Path) -> list[Due]:
    return find_due(directory, Config(), Selection(), ())


def answers(directory: Path) -> list[object]:
    return [due.stored.fields["response"]["body"] for due in read(directory)]


async def test_what_comes_while_a_cassette_is_written_is_written_together(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = write("a.yaml", "---\n".join(document(f"p{number}", "old") for number in range(20)))
    writes: list[Path] = []
    atomically = module.write_atomically
    monkeypatch.setattr(module, "write_atomically", lambda path, data: (writes.append(path), atomically(path, data)))
    takings = Takings(directory, Config())

    taken = await asyncio.gather(*(takings.take(due, {0: {"body": "new"}}) for due in read(directory)))

    assert taken == [True] * 20
    assert answers(directory) == ["new"] * 20
    assert len(writes) == 2


async def test_two_documents_that_are_alike_are_two(write: Write) -> None:
    directory = write("a.yaml", f"{document('x', 'old')}---\n{document('x', 'old')}")
    takings = Takings(directory, Config())

    for due, answer in zip(read(directory), ("one", "two"), strict=True):
        assert await takings.take(due, {0: {"body": answer}})

    assert answers(directory) == ["one", "two"]


async def test_comments_in_front_of_a_document_and_behind_it_stay(write: Write) -> None:
    front, behind = "# Why it is here.\n\n  # And how.\n", "\n# Ask Ann.\n\n#no space"
    inside = document("x", "old").replace("response", "# is lost\nresponse")
    directory = write("a.yaml", f"{front}{inside}{behind}")
    (due,) = read(directory)

    assert await Takings(directory, Config()).take(due, {0: {"body": "new"}})

    text = (directory / "a.yaml").read_text()
    assert re.fullmatch(f"{front}request:\n  model: m\n.*recorded:\n  at: '[-0-9]+'\n{behind}", text, re.DOTALL)
    assert "lost" not in text


async def test_the_end_of_a_text_is_no_comment(write: Write) -> None:
    directory = write(
        "a.yaml", "request: {model: m, prompt: x}\nrecorded: {}\nresponse:\n  body: |\n    # Old\n    #\n"
    )
    (due,) = read(directory)

    assert await Takings(directory, Config()).take(due, {0: {"body": "new"}})

    assert "#" not in (directory / "a.yaml").read_text()


async def test_a_document_that_was_changed_since_is_not_taken(write: Write) -> None:
    directory = write("a.yaml", document("x", "old"))
    (due,) = read(directory)
    write("a.yaml", document("x", "other"))

    assert not await Takings(directory, Config()).take(due, {0: {"body": "new"}})
    assert answers(directory) == ["other"]
