"""Markers of a test, of its class and of its module become one value."""

from typing import Any

import pytest

from replay_server.errors import UsageError
from replay_server.testing.marks import Marks, read_marks


def test_the_marker_nearest_to_the_test_wins() -> None:
    of_test, of_class = ((), {"pace": "ttft=1ms"}), (("weather.yaml", "tools/"), {"pace": "instant", "only": True})

    marks = read_marks([of_test, of_class])

    assert marks == Marks(names=("weather", "tools"), pace="ttft=1ms", only=True)


@pytest.mark.parametrize(
    ("marks", "cassettes"),
    [
        (Marks(), ("test_a/test_x", "*")),
        (Marks(names=("weather",)), ("weather", "*")),
        (Marks(names=("weather",), only=True), ("weather",)),
    ],
    ids=["own", "named", "only"],
)
def test_the_files_that_all_tests_share_answer_last(marks: Marks, cassettes: tuple[str, ...]) -> None:
    assert marks.cassettes(("test_a/test_x",)) == cassettes


@pytest.mark.parametrize(
    ("arguments", "options", "problem"),
    [
        ((1,), {}, "1 is not the name of a cassette"),
        (("/",), {}, "'/' is not the name of a cassette"),
        ((), {"pase": 1}, "there is no pase=: the options are on_miss, pace, only, allow_misses"),
        ((), {"on_miss": "explode"}, "on_miss 'explode' is not one of generate, error, upstream"),
        ((), {"pace": "slow"}, "pace: 'slow' is no pace"),
    ],
    ids=["number", "slash", "option", "on_miss", "pace"],
)
def test_a_marker_that_says_nonsense_is_refused(
    arguments: tuple[Any, ...], options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(UsageError) as raised:
        read_marks([(arguments, options)])

    assert problem in str(raised.value)
