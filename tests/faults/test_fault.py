"""Which calls a schedule hits."""

import pytest

from replay_server.faults.fault import Schedule


def hit(schedule: Schedule, *chances: float) -> list[int]:
    drawn = iter(chances)
    return [call for call in range(1, 11) if schedule.hits(call, lambda: next(drawn))]


@pytest.mark.parametrize(
    ("schedule", "calls"),
    [
        (Schedule(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        (Schedule(calls=(7, 3)), [3, 7]),
        (Schedule(every=4), [4, 8]),
        (Schedule(times=2), [1, 2]),
        (Schedule(every=3, times=2), [3, 6]),
    ],
    ids=["always", "exact calls", "every fourth", "two times", "every third, two times"],
)
def test_a_schedule_hits_the_calls_that_it_says(schedule: Schedule, calls: list[int]) -> None:
    assert hit(schedule) == calls


def test_a_probability_hits_what_is_drawn_below_it() -> None:
    drawn = (0.1, 0.2, 0.3, 0.0, 0.9, 0.19, 0.2, 0.21, 0.5, 0.1)

    assert hit(Schedule(probability=0.2), *drawn) == [1, 4, 6, 10]


@pytest.mark.parametrize(
    ("schedule", "first"),
    [(Schedule(), 1), (Schedule(calls=(7, 3)), 3), (Schedule(every=4, times=1), 4)],
    ids=["always", "exact calls", "every fourth"],
)
def test_the_first_call_that_is_hit_is_known(schedule: Schedule, first: int) -> None:
    assert schedule.first == first
