"""What a run used is added up over its tests, of whichever worker they were."""

from dataclasses import replace

import pytest

from replay_server.testing.usage import TestUse, Usage

RAN = TestUse(
    test="t.py::test_a",
    directory="cassettes",
    own=True,
    held=["t/test_a/x.yaml#1", "t/test_a/y.yaml#1"],
    sources={"cassette": 2},
    used=["t/test_a/x.yaml#1"],
    drift={},
    generated={},
    problems=[],
    passed=True,
)
UNUSED = [("cassettes", "t/test_a/y.yaml#1")]


@pytest.mark.parametrize(
    ("tests", "partial", "unused"),
    [
        ([RAN], False, UNUSED),
        ([RAN], True, UNUSED),
        ([RAN, replace(RAN, test="b", held=[], used=["t/test_a/y.yaml#1"])], False, []),
        ([RAN, replace(RAN, test="b", directory="other", held=[], used=["t/test_a/y.yaml#1"])], False, UNUSED),
        ([replace(RAN, passed=False)], False, []),
        ([replace(RAN, sources={"upstream": 1})], False, []),
        ([replace(RAN, own=False)], False, UNUSED),
        ([replace(RAN, own=False)], True, []),
    ],
    ids=["whole", "partial", "by another", "elsewhere", "failed", "recorded", "shared", "shared, partial"],
)
def test_what_is_unused_is_what_no_test_used(tests: list[TestUse], partial: bool, unused: list[str]) -> None:
    assert Usage(tests, partial).unused() == unused


def test_the_lines_name_tests_and_interactions() -> None:
    drifting = replace(RAN, drift={"x.yaml#1": "temperature"}, generated={"chat/completions m": 2}, held=[])

    usage = Usage([drifting, replace(RAN, test="b", sources={"miss": 1})])

    assert list(usage.lines()) == [
        "generated  t.py::test_a: chat/completions m (2 times)",
        "drift      t.py::test_a: x.yaml#1: temperature",
        "unused     cassettes/t/test_a/y.yaml#1",
    ]
    assert usage.total() == "3 requests: 2 cassette, 1 miss"


def test_a_use_goes_from_worker_to_controller() -> None:
    assert TestUse(**RAN.as_json()) == RAN
