"""A fault is read from its text and from a mapping, and what is none says why."""

from typing import Any

import pytest

from replay_server.faults.fault import Fault, Schedule, Spoil
from replay_server.faults.limits import Limit, Rate
from replay_server.faults.reading import MEMBERS, BadFault, parse_fault, read_fault


@pytest.mark.parametrize(
    ("text", "fields", "fault"),
    [
        ("status=429", {"status": 429}, {"status": 429}),
        ("status=503, retry_after=2", {"status": 503, "retry_after": 2}, {"status": 503, "retry_after": 2.0}),
        ("retry_after=500ms,status=429", {"status": 429, "retry_after": "0.5s"}, {"status": 429, "retry_after": 0.5}),
        (
            'status=500, message="Slow, down", type=t, code=c, should_retry=false',
            {"status": 500, "message": "Slow, down", "type": "t", "code": "c", "should_retry": False},
            {"status": 500, "message": "Slow, down", "type": "t", "code": "c", "should_retry": False},
        ),
        (" delay = 2s ,slow=.5ms", {"delay": "2s", "slow": "0.5ms"}, {"delay": 2.0, "slow": 0.0005}),
        ("content_type=text/html", {"content_type": "text/html"}, {"content_type": "text/html"}),
        ("stall=after 3 events", {"stall": "after 3 events"}, {"spoil": Spoil.STALL, "after": 3}),
        ("stall", {"stall": True}, {"spoil": Spoil.STALL, "after": 1}),
        ("cut=after 1 event", {"cut": "after 1 event"}, {"spoil": Spoil.CUT, "after": 1}),
        ("cut=mid-chunk", {"cut": "mid-chunk"}, {"spoil": Spoil.MID_CHUNK, "after": 1}),
        ("cut=mid-chunk after 4 events", {"cut": "mid-chunk after 4 events"}, {"spoil": Spoil.MID_CHUNK, "after": 4}),
        ("reset", {"reset": True}, {"spoil": Spoil.RESET, "after": 0}),
        ("malformed", {"malformed": True}, {"spoil": Spoil.MALFORMED, "after": 1}),
        ("no_done,", {"no_done": True}, {"spoil": Spoil.NO_DONE}),
        (
            "error_event, code=x",
            {"error_event": True, "code": "x"},
            {"spoil": Spoil.ERROR_EVENT, "after": 1, "code": "x"},
        ),
        ("empty", {"empty": True, "p": None}, {"spoil": Spoil.EMPTY}),
        (
            "ratelimit=requests:60/1m tokens:10000/.5h",
            {"ratelimit": {"requests": "60/m", "tokens": "10000/30m"}},
            {"limit": Limit(requests=Rate(60, 60.0), tokens=Rate(10000, 1800.0))},
        ),
        ("reset, p=0.25", {"reset": True, "p": 0.25}, {"spoil": Spoil.RESET, "schedule": Schedule(probability=0.25)}),
        (
            "empty,calls=3  5",
            {"empty": True, "calls": [3, 5]},
            {"spoil": Spoil.EMPTY, "schedule": Schedule(calls=(3, 5))},
        ),
        (
            "empty, every=10, times=2",
            {"empty": True, "every": 10, "times": "2"},
            {"spoil": Spoil.EMPTY, "schedule": Schedule(every=10, times=2)},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_text_and_a_mapping_say_the_same_fault(text: str, fields: dict[str, Any], fault: dict[str, Any]) -> None:
    expected = Fault(text="", **fault)

    assert parse_fault(text) == expected
    assert read_fault(fields) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"status": 500, "message": "Slow, down", "calls": [3, 5]},
        {"ratelimit": {"requests": "60/m", "tokens": "1/s"}},
        {"cut": "mid-chunk", "delay": "2s", "p": 0.2},
        {"malformed": True},
    ],
    ids=str,
)
def test_what_a_mapping_says_is_named_as_a_text_that_says_it_too(fields: dict[str, Any]) -> None:
    fault = read_fault(fields)

    assert parse_fault(fault.text) == fault


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "says nothing that goes wrong: give one of status, delay, "),
        (",", "cannot be read from ',' on: it is name=value, name=value, …"),
        ("status=429,,times=2", "cannot be read from ',times=2' on"),
        ('status=500, message="a', "cannot be read from 'message=\"a' on"),
        ("explode", f"'explode' is none of {', '.join(MEMBERS)}"),
        ("status=429, status=500", "status is given twice"),
        ("status=200", "status must be an HTTP status from 400 to 599, not '200'"),
        ("status=٤٢٩", "status must be an HTTP status from 400 to 599, not '٤٢٩'"),
        ("status", "status must be an HTTP status from 400 to 599, not ''"),
        ("status=500, message", "message must be a text, and is empty"),
        ("status=500, retry_after=soon", "retry_after must be seconds, or a time such as 500ms, not 'soon'"),
        ("status=500, should_retry=maybe", "should_retry must be true or false, not 'maybe'"),
        ("delay=2", "delay must be a time with its unit, such as 300ms or 0.3s, not '2'"),
        ("slow=0ms", "slow must be more than no time: leave it out"),
        ("content_type=", "content_type must be a type such as text/html, not ''"),
        ("content_type=a\nb", "content_type must be a type such as text/html, not 'a\\nb'"),
        ("stall=after three", "stall must be a place such as after 3 events, not 'after three'"),
        ("cut=half", "cut must be a place such as after 3 events, or mid-chunk, not 'half'"),
        ("cut=mid-chunk 2", "cut must be a place such as after 3 events, not '2'"),
        ("empty=yes", "empty stands alone, without 'yes'"),
        ("ratelimit", "ratelimit needs requests or tokens, such as requests:60/1m"),
        ("ratelimit=60/1m", "ratelimit has requests, tokens or both, such as requests:60/1m, not '60/1m'"),
        ("ratelimit=requests:60", "ratelimit.requests must be so many in a time, such as 60/1m or 500/d, not '60'"),
        ("ratelimit=tokens:0/1m", "ratelimit.tokens must be so many in a time, such as 60/1m or 500/d, not '0/1m'"),
        ("ratelimit=tokens:1/0s", "ratelimit.tokens must be so many in a time, such as 60/1m or 500/d, not '1/0s'"),
        ("empty, p=0", "p must be a probability of more than 0, up to 1, not '0'"),
        ("empty, p=0.0", "p must be a probability of more than 0, up to 1, not '0.0'"),
        ("empty, p=1.5", "p must be a probability of more than 0, up to 1, not '1.5'"),
        ("empty, calls", "calls must name calls, such as 3 5: none is none at all"),
        ("empty, calls=0 1", "calls must be a whole number from 1, not '0'"),
        ("empty, every=-1", "every must be a whole number from 1, not '-1'"),
        ("empty, times=0", "times must be a whole number from 1, not '0'"),
        ("times=2, message=a", "says nothing that goes wrong: give one of"),
        ("cut, retry_after=2", "retry_after needs status"),
        ("cut, code=a", "code needs error_event or status"),
        ("cut, stall", "stall and cut exclude each other: an answer is spoiled in one way"),
        ("status=500, no_done", "status and no_done exclude each other: an error is no stream"),
        ("status=500, error_event", "status and error_event exclude each other: the error comes first"),
        ("empty, slow=1ms", "slow and empty exclude each other: there is no byte that could be slow"),
        ("empty, calls=1, every=2", "calls and every exclude each other: each says on its own which calls are hit"),
        ("empty, p=.5, times=2", "p and times exclude each other: each says on its own which calls are hit"),
        ("ratelimit=tokens:1/s, p=.5", "ratelimit and p exclude each other: a limit decides itself what it refuses"),
    ],
    ids=repr,
)
def test_what_is_no_fault_says_why(text: str, problem: str) -> None:
    with pytest.raises(BadFault) as caught:
        parse_fault(text)

    assert str(caught.value).startswith(problem)


def test_a_long_text_that_is_no_fault_is_refused_at_once() -> None:
    with pytest.raises(BadFault):
        parse_fault("status" + " " * 100_000 + "=" + " " * 100_000 + '"')
