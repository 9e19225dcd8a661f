"""Rate limits on a clock of the test's own."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_server.faults.limits import Limit, Limits, Rate, Verdict, duration

ME = ("session", "me")


@dataclass
class Clock:
    """Stands still until it is told to go on."""

    now: float = 1_000_000.125

    def __call__(self) -> float:
        return self.now


def shown(verdict: Verdict, kind: str) -> tuple[str, str, str]:
    limit, remaining, reset = (
        verdict.headers[f"x-ratelimit-{name}-{kind}"] for name in ("limit", "remaining", "reset")
    )
    return limit, remaining, reset


def test_requests_count_down_and_come_back() -> None:
    clock, limit = Clock(), Limit(requests=Rate(3, 60.0))
    limits = Limits(clock)

    seen = [shown(limits.ask(ME, limit, 0), "requests") for _ in range(3)]
    refused = limits.ask(ME, limit, 0)
    clock.now += 20
    again = limits.ask(ME, limit, 0)
    clock.now += 60
    rested = limits.ask(ME, limit, 0)

    assert seen == [("3", "2", "20s"), ("3", "1", "40s"), ("3", "0", "1m0s")]
    assert shown(refused, "requests") == ("3", "0", "1m0s")
    assert refused.refusal is not None
    assert refused.refusal.wait == 20_000_000_000
    assert again.refusal is None
    assert shown(rested, "requests") == ("3", "2", "20s")


def test_a_refusal_takes_nothing_and_says_what_the_api_says() -> None:
    limit = Limit(requests=Rate(10, 60.0), tokens=Rate(100, 60.0))
    limits = Limits(Clock())

    limits.ask(ME, limit, 80)
    verdict = limits.ask(ME, limit, 40)

    assert verdict.refusal is not None
    assert verdict.refusal.message("m") == (
        "Rate limit reached for m on tokens per min (TPM): Limit 100, Used 80, Requested 40. Please try again in 12s."
    )
    assert shown(verdict, "requests")[1] == "9"
    assert shown(verdict, "tokens") == ("100", "20", "48s")


def test_what_is_more_than_the_limit_never_passes() -> None:
    refusal = Limits(Clock()).ask(ME, Limit(tokens=Rate(100, 10.0)), 101).refusal

    assert refusal is not None
    assert refusal.wait is None
    assert refusal.message("m") == "Request too large for m on tokens per 10s: Limit 100, Requested 101."


def test_each_client_has_a_bucket_of_its_own() -> None:
    limits, limit = Limits(Clock()), Limit(requests=Rate(1, 60.0))

    refused = [limits.ask(client, limit, 0).refusal is not None for client in (ME, ("session", "you"), ME)]

    assert refused == [False, False, True]


def test_the_bucket_used_longest_ago_makes_room() -> None:
    limits, limit = Limits(Clock(), max_buckets=2), Limit(requests=Rate(1, 60.0))
    for name in ("a", "b", "a", "c"):
        limits.ask(("session", name), limit, 0)

    assert limits.ask(("session", "a"), limit, 0).refusal is not None
    assert limits.ask(("session", "b"), limit, 0).refusal is None


RATES = st.builds(Rate, st.integers(1, 10**6), st.sampled_from([0.001, 0.7, 1.0, 7.0, 60.0, 86400.0]))


@given(
    rate=RATES,
    start=st.floats(0, 10**7),
    steps=st.lists(st.tuples(st.floats(0, 100), st.integers(0, 1000)), max_size=20),
)
def test_what_is_left_is_never_negative_and_comes_back_in_full(
    rate: Rate, start: float, steps: list[tuple[float, int]]
) -> None:
    clock, limit = Clock(start), Limit(tokens=rate)
    limits = Limits(clock)

    for pause, tokens in steps:
        clock.now += pause
        verdict = limits.ask(ME, limit, tokens)
        assert 0 <= int(verdict.headers["x-ratelimit-remaining-tokens"]) <= rate.count
        assert verdict.refusal is None or tokens > rate.count - verdict.refusal.used
    clock.now += rate.seconds + 0.000_001

    assert shown(limits.ask(ME, limit, 0), "tokens") == (str(rate.count), str(rate.count), "0s")


@given(rate=RATES, amounts=st.lists(st.integers(1, 1000), min_size=1, max_size=20))
def test_who_waits_as_long_as_told_passes(rate: Rate, amounts: list[int]) -> None:
    clock, limit = Clock(), Limit(tokens=rate)
    limits = Limits(clock)

    for amount in amounts:
        refusal = limits.ask(ME, limit, amount).refusal
        if refusal is not None and refusal.wait is not None:
            clock.now += refusal.wait / 1e9 + 0.000_001
            assert limits.ask(ME, limit, amount).refusal is None


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (1, "1ms"),
        (6_000_000, "6ms"),
        (999_000_001, "1s"),
        (8_640_000_000, "8.64s"),
        (62_000_000_000, "1m2s"),
        (360_000_000_000, "6m0s"),
        (3_661_500_000_000, "1h1m1.5s"),
    ],
)
def test_a_time_is_written_as_the_api_writes_it(nanoseconds: int, text: str) -> None:
    assert duration(nanoseconds) == text
