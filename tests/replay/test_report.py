"""Reports: put together in any order, written and read again, and refused where they are none."""

from itertools import permutations
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_server.errors import UsageError
from replay_server.replay.report import Answers, FailOn, Kind, Report, Row, failures, merge, parse_fail_on
from replay_server.replay.report_file import as_json, parse_report, read_report, report_files, report_text

counts = st.integers(min_value=1, max_value=5)
rows = st.builds(
    Row,
    interaction=st.sampled_from(["a.yaml#1", "a.yaml#2", "a.yaml#10", "b.yaml#1"]),
    digest=st.sampled_from(["d1", "d2"]),
    kind=st.sampled_from(Kind),
    line=counts,
    hits=st.integers(min_value=0, max_value=5),
    recorded=st.integers(min_value=0, max_value=1),
    drift=st.dictionaries(st.sampled_from(["temperature", "top_p"]), counts),
)
answers = st.builds(
    Answers,
    endpoint=st.sampled_from(["chat/completions", "other"]),
    source=st.sampled_from(["cassette", "miss"]),
    status=st.sampled_from([200, 404]),
    count=counts,
)
sources = st.dictionaries(st.sampled_from(["cassette", "miss"]), counts)
reports = st.builds(
    lambda **fields: merge([Report(**fields)]),
    interactions=st.lists(rows, max_size=4).map(tuple),
    answers=st.lists(answers, max_size=4).map(tuple),
    sessions=st.dictionaries(st.sampled_from(["", "one", "two"]), sources),
    misses=st.dictionaries(st.text(max_size=5), counts, max_size=3),
    complete=st.booleans(),
)


@given(st.lists(reports, min_size=2, max_size=3))
def test_the_order_of_reports_makes_no_difference(several: list[Report]) -> None:
    merged = {orjson.dumps(as_json(merge(order))) for order in permutations(several)}

    assert len(merged) == 1


@given(reports, reports, reports)
def test_reports_can_be_put_together_in_steps(one: Report, two: Report, three: Report) -> None:
    assert merge([merge([one, two]), three]) == merge([one, merge([two, three])]) == merge([one, two, three])


@given(reports)
def test_an_empty_report_adds_nothing(report: Report) -> None:
    assert merge([report, Report()]) == report


@given(reports)
def test_a_report_that_is_written_is_read_again(report: Report) -> None:
    assert parse_report(report_text(report), "r.json") == report


def row(place: int, **fields: Any) -> Row:
    return Row(**{"interaction": f"a.yaml#{place}", "digest": f"d{place}", "kind": Kind.WRITTEN, **fields})


def test_what_one_run_used_is_used() -> None:
    one = Report(interactions=(row(1, hits=2), row(2)), answers=(Answers("chat/completions", "cassette", 200, 2),))
    two = Report(
        interactions=(row(1), row(2), row(3, drift={"n": 1}, hits=1)),
        answers=(Answers("chat/completions", "cassette", 200, 1),),
    )

    merged = merge([one, two])

    assert merged.interactions == (row(1, hits=2), row(2), row(3, drift={"n": 1}, hits=1))
    assert (merged.unused, merged.adrift) == ((row(2),), (row(3, drift={"n": 1}, hits=1),))
    assert (merged.requests, merged.sources) == (3, {"cassette": 3})


def test_what_was_recorded_is_used_and_what_is_in_no_file_is_never_unused() -> None:
    report = Report(interactions=(row(1, recorded=1), row(2, kind=Kind.ADDED), row(3, kind=Kind.GONE)))

    assert report.unused == ()


# What a run fails on -------------------------------------------------------------------------------------------------


FAILING = Report(
    interactions=(row(1), row(2, hits=1, drift={"n": 1})),
    answers=(Answers("other", "generated", 200, 1), Answers("other", "miss", 404, 2)),
)


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("miss", "--fail-on miss: 2 missed requests"),
        ("generated", "--fail-on generated: 1 generated answer"),
        ("unused", "--fail-on unused: 1 unused interaction"),
        ("drift", "--fail-on drift: 1 drifting interaction"),
    ],
)
def test_a_run_fails_on_what_is_named_alone(word: str, problem: str) -> None:
    assert failures(FAILING, parse_fail_on(word)) == [problem]
    assert failures(Report(), list(FailOn)) == []


def test_several_words_are_each_looked_for_once() -> None:
    assert parse_fail_on("drift, miss,drift") == (FailOn.DRIFT, FailOn.MISS)


def test_a_word_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"'unsed' is none of miss, generated, unused, drift"):
        parse_fail_on("miss,unsed")


# Files ---------------------------------------------------------------------------------------------------------------


def broken(**changes: Any) -> bytes:
    return orjson.dumps({**as_json(Report(interactions=(row(1),))), **changes})


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"request: {}", "r.json: is no report: it is no JSON: "),
        (b"[]", "r.json: is no report: name a file that serve --report has written"),
        (b'{"interactions": []}', "r.json: is no report: name a file that serve --report has written"),
        (
            broken(replay_server_report=2),
            "r.json: is a report of version 2, and this replay-server reads version 1: make it anew",
        ),
        (broken(misses=[{"count": "1"}]), "r.json: is a broken report: "),
        (broken(misses=None), "r.json: is a broken report: "),
        (broken(interactions=[{"interaction": "a.yaml"}]), "r.json: is a broken report: "),
    ],
    ids=["yaml", "a list", "other JSON", "another version", "a text for a count", "null", "no place"],
)
def test_what_is_no_report_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_report(data, "r.json")

    assert str(refused.value).startswith(problem)
    assert "\n" not in str(refused.value)


def test_a_folder_stands_for_the_reports_in_it(tmp_path: Path) -> None:
    (tmp_path / "shard-1").mkdir()
    for name in ("shard-1/b.json", "a.json", "notes.txt"):
        (tmp_path / name).write_bytes(report_text(Report()))

    assert report_files([tmp_path]) == [tmp_path / "a.json", tmp_path / "shard-1" / "b.json"]


def test_a_folder_without_reports_and_a_file_that_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no reports"):
        report_files([tmp_path])
    with pytest.raises(UsageError, match=r"none\.json: cannot be read: No such file"):
        read_report(tmp_path / "none.json")
