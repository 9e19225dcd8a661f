import logging

import pytest

from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import Match
from replay_server.errors import CassetteMiss
from replay_server.replay import miss as module
from replay_server.replay.miss import miss
from replay_server.replay.view import whole
from tests.libraries import asked, chat, library


def ask(there: Library, text: str, told: set[str]) -> CassetteMiss:
    wanted = asked(there, chat(text))
    found = there.find(wanted)
    assert not isinstance(found, Match)
    return miss(whole(there), wanted, found, "record it: …", {}, told)


def test_the_log_gets_a_line_for_each_distinct_miss(caplog: pytest.LogCaptureFixture) -> None:
    there, told = library(chat("Say hello.")), set[str]()

    for text in ("Say hullo.", "Say hullo.", "\x1b[2JSay\nit"):
        ask(there, text, told)

    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert r"messages[0].content: 'Say hello.' != '\x1b[2JSay\nit'" in caplog.messages[1]
    assert all(message.isprintable() for message in caplog.messages)


def test_the_log_is_not_flooded(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TOLD", 2)
    there, told = library(chat("x")), set[str]()

    for text in "abcd":
        ask(there, text, told)

    assert len(caplog.messages) == 3
    assert caplog.messages[2] == "2 requests have been missed: further ones are not logged"


def test_the_error_has_the_short_form() -> None:
    error = ask(library(chat("Say hello.")), "say hello.", set())

    assert (error.status, error.code) == (404, "cassette_miss")
    assert error.message.splitlines()[1:] == [
        "nearest: a.yaml#1, recorded != asked at messages[0].content: 'Say hello.' != 'say hello.'",
        "only upper and lower case differs, at messages[0].content: ask as it was recorded",
        "record it: …",
    ]


def test_a_secret_is_neither_in_the_error_nor_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    secret = "sk-proj-" + "a1B2c3D4" * 6

    error = ask(library(chat("Say hello.")), f"Say {secret}", set())

    assert secret not in error.message + caplog.text
    assert "<redacted:openai-key" in error.message
