from pathlib import Path

import pytest

from replay_server.replay.explanation import explain_miss
from replay_server.replay.github import (
    MOST_SUMMARY,
    add_to_summary,
    annotation,
    disarmed,
    explanation_annotation,
    runs_there,
)
from replay_server.replay.view import whole
from tests.libraries import asked, chat, library


def test_an_annotation_names_file_line_and_title() -> None:
    text = annotation("error", "50% off\r\nnow: a, b", title="a, b: 100%", file="c:/a,b.yaml", line=3)

    assert text == ("::error file=c%3A/a%2Cb.yaml,line=3,title=a%2C b%3A 100%25::50%25 off%0D%0Anow: a, b")


def test_an_annotation_may_have_a_message_alone() -> None:
    assert annotation("warning", "x", line=3) == "::warning::x"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::set-env name=A::b", ": :set-env name=A::b"),
        ("  ::stop-commands::x", "  : :stop-commands::x"),
        ("fine\n::error::x\nfine", "fine\n: :error::x\nfine"),
        ("a ##[set-env]b", "a # #[set-env]b"),
        ("a::b, # x, ## y [z]", "a::b, # x, ## y [z]"),
    ],
    ids=["command", "indented", "on a line of its own", "the older form", "no command"],
)
def test_commands_that_come_from_elsewhere_are_disarmed(text: str, shown: str) -> None:
    assert disarmed(text) == shown


@pytest.mark.parametrize(("value", "there"), [("true", True), ("false", False), ("", False)])
def test_a_run_there_is_told_by_its_variable(value: str, there: bool) -> None:
    assert runs_there({"GITHUB_ACTIONS": value}) is there


def test_a_miss_is_shown_at_the_nearest_interaction() -> None:
    there = library(chat("y"), chat("Say hello."))
    explanation = explain_miss(whole(there), asked(there, chat("Say hullo.")), [])

    shown = explanation_annotation(explanation)

    assert shown.startswith("::error file=cassettes/a.yaml,line=2,title=no interaction for chat/completions (key ")
    assert "%0Anearest: a.yaml#2, recorded != asked at messages[0].content: 'Say hello.' != 'Say hullo.'" in shown
    assert "\n" not in shown


def test_a_miss_of_an_empty_library_is_shown_nowhere_in_particular() -> None:
    there = library()

    shown = explanation_annotation(explain_miss(whole(there), asked(there, chat("x")), []), "warning")

    assert shown.startswith("::warning title=no interaction for chat/completions (key ")


def test_sections_are_added_to_the_summary(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    environment = {"GITHUB_STEP_SUMMARY": str(summary)}

    add_to_summary("# é", environment)
    add_to_summary("two", environment)

    assert summary.read_text(encoding="utf-8") == "# é\ntwo\n"


def test_without_a_summary_nothing_is_written() -> None:
    add_to_summary("x", {})


def test_a_full_summary_says_so_once(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    environment = {"GITHUB_STEP_SUMMARY": str(summary)}
    for _ in range(4):
        add_to_summary("x" * (MOST_SUMMARY // 2 - 100), environment)

    text = summary.read_text(encoding="utf-8")

    assert text.count("More is left out") == 1
    assert len(text) <= MOST_SUMMARY
