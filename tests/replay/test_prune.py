"""Pruning: unused documents go, all else stays byte for byte, and nothing goes by a report of other cassettes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_server.cassettes.file import CassetteFile
from replay_server.cassettes.files import load_config
from replay_server.cassettes.library import Library
from replay_server.errors import UsageError
from replay_server.replay.prune import plan
from replay_server.replay.report import Report
from replay_server.replay.snapshot import held
from replay_server.replay.tally import Tally
from tests.replay.test_tally import entry, hit

Write = Callable[[str, str], Path]


def document(text: str, more: str = "") -> str:
    return (
        f"# About {text}.\nrequest:\n  model: m  # any\n  messages: [{{role: user, content: {text}}}]\n"
        f"response: {{content: 'Yes: it is.'}}\n{more}"
    )


RECORDED = "recorded: {at: 2026-01-01}\n"
MATCHER = "match: {model: m, last_user: {contains: x}}\nresponse: {content: x}\n"


def report_of(directory: Path, *used: str) -> Report:
    """The report of a run that used these interactions."""
    library, tally = Library.load(directory), Tally()
    tally.note(entry(source="error", status=400), None, True)
    for interaction in held(library):
        if interaction.id in used:
            hit(tally, interaction)
    return tally.report(library)


def prune(directory: Path, report: Report, *, recorded_only: bool = False) -> list[str]:
    prunings = plan(directory, report, recorded_only=recorded_only)
    lines = [line.removeprefix(f"{directory}/") for pruning in prunings for line in pruning.lines()]
    for pruning in prunings:
        pruning.carry_out()
    return lines


def test_what_is_used_keeps_its_text_and_its_comments(write: Write) -> None:
    head, two, four = "# All of them.\n\n", document("two"), f"{document('four')}\n# The end.\n"
    directory = write("a.yaml", "---\n".join([head, document("one"), two, document("three"), four]))

    lines = prune(directory, report_of(directory, "a.yaml#2", "a.yaml#4"))

    assert lines == [
        "a.yaml:5: a.yaml#1 was never used (written)",
        "a.yaml:17: a.yaml#3 was never used (written)",
    ]
    assert (directory / "a.yaml").read_text() == "---\n".join([head, two, four])


def test_a_file_of_which_nothing_is_left_goes(write: Write) -> None:
    write("tools/b.yaml", f"# Nothing but a comment.\n---\n{document('one')}---\n{document('two')}")
    directory = write("a.yaml", document("three"))

    lines = prune(directory, report_of(directory, "a.yaml#1"))

    assert lines[-1] == "tools/b.yaml: the file goes too, for nothing else is in it"
    assert [path.name for path in directory.rglob("*.yaml")] == ["a.yaml"]


def test_what_was_written_by_hand_may_stay(write: Write) -> None:
    directory = write("a.yaml", "---\n".join([document("one", RECORDED), document("two"), MATCHER]))
    report = report_of(directory)

    assert prune(directory, report, recorded_only=True) == ["a.yaml:2: a.yaml#1 was never used (recorded)"]
    assert (directory / "a.yaml").read_text() == f"{document('two')}---\n{MATCHER}"


def test_matchers_go_as_well(write: Write) -> None:
    directory = write("a.yaml", f"{document('one')}---\n{MATCHER}")

    assert prune(directory, report_of(directory, "a.yaml#1")) == ["a.yaml:7: a.yaml#2 was never used (matcher)"]


def test_what_was_added_since_stays(write: Write) -> None:
    directory = write("a.yaml", f"{document('one')}---\n{document('two')}")
    report = report_of(directory, "a.yaml#1")
    with (directory / "a.yaml").open("a") as file:
        file.write(f"---\n{document('new')}")
    write("b.yaml", document("new"))

    prune(directory, report)

    assert (directory / "a.yaml").read_text() == f"{document('one')}---\n{document('new')}"
    assert (directory / "b.yaml").exists()


texts = st.lists(st.sampled_from(["one", "two", "three"]), min_size=1, max_size=5)
ends = st.sampled_from(["\n", "\r\n"])


@given(texts=texts, used=st.sets(st.integers(1, 5)), end=ends, marked=st.booleans(), bom=st.booleans())
def test_what_stays_says_the_same_and_a_second_time_nothing_goes(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], used: set[int], end: str, marked: bool, bom: bool
) -> None:
    directory = tmp_path_factory.mktemp("cassettes")
    text = "---\n".join(f"{document(text)}# {at}\n" for at, text in enumerate(texts, 1))
    whole = ("\ufeff" if bom else "") + ("--- # first\n" if marked else "") + text
    (directory / "a.yaml").write_bytes(whole.replace("\n", end).encode())
    names = [f"a.yaml#{place}" for place in used if place <= len(texts)]

    prune(directory, report_of(directory, *names))

    left = list(held(Library.load(directory)))
    wanted = [{"role": "user", "content": text} for at, text in enumerate(texts, 1) if at in used]
    assert [one.request["messages"] for one in sorted(left, key=lambda one: one.place)] == [[each] for each in wanted]
    assert plan(directory, report_of(directory, *(interaction.id for interaction in left))) == []


# Reports that cannot say ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "problem"),
    [
        ({"b.yaml": document("other")}, "b.yaml:2: b.yaml#1 is not what it was"),
        ({"b.yaml": f"{document('other')}---\n{document('two')}"}, "b.yaml:2: b.yaml#1 is not what it was"),
        ({"b.yaml": None}, "b.yaml: there is no b.yaml#1 any more"),
    ],
    ids=["changed", "moved", "removed"],
)
def test_nothing_goes_by_a_report_of_other_cassettes(write: Write, now: dict[str, str | None], problem: str) -> None:
    write("a.yaml", document("one"))
    directory = write("b.yaml", document("two"))
    report = report_of(directory)
    for name, text in now.items():
        (directory / name).unlink() if text is None else write(name, text)

    with pytest.raises(UsageError, match=problem):
        plan(directory, report)

    assert (directory / "a.yaml").read_text() == document("one")


def test_a_comment_more_is_no_change(write: Write) -> None:
    directory = write("a.yaml", f"{document('one')}---\n{document('two')}")
    report = report_of(directory, "a.yaml#1")
    write("a.yaml", f"# New.\n{document('one')}---\n# New.\n{document('two')}")

    prune(directory, report)

    assert (directory / "a.yaml").read_text() == f"# New.\n{document('one')}"


def test_a_file_that_changes_after_the_plan_is_left_alone(write: Write) -> None:
    directory = write("a.yaml", document("one"))
    (pruning,) = plan(directory, report_of(directory))
    write("a.yaml", document("another"))

    with pytest.raises(UsageError, match=r"a\.yaml:2: a\.yaml#1 is not what it was"):
        pruning.carry_out()

    assert (directory / "a.yaml").read_text() == document("another")


def test_what_a_recorder_adds_after_the_plan_stays(write: Write) -> None:
    directory = write("a.yaml", f"{document('one')}---\n{document('two')}")
    (pruning,) = plan(directory, report_of(directory, "a.yaml#1"))
    recorder = CassetteFile(directory, "a.yaml", load_config(directory))
    with recorder.locked():
        recorder.write([*(stored.text for _, stored in recorder.documents), document("three", RECORDED)])

    pruning.carry_out()

    assert (directory / "a.yaml").read_text() == f"{document('one')}---\n{document('three', RECORDED)}"


@pytest.mark.parametrize(
    ("change", "problem"),
    [({"complete": False}, "the report is not complete"), ({"answers": ()}, "the report counts no request")],
    ids=["bounded", "no request"],
)
def test_nothing_goes_by_a_report_that_cannot_say(write: Write, change: dict[str, Any], problem: str) -> None:
    directory = write("a.yaml", document("one"))
    report = replace(report_of(directory), **change)

    with pytest.raises(UsageError, match=problem):
        plan(directory, report)
