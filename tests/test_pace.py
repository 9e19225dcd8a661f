"""A pace is read from its text, and what is none says why."""

import pytest

from replay_server.interaction import INSTANT, Pace, Profile, RecordedPace
from replay_server.pace import FORMS, BadPace, parse_pace


@pytest.mark.parametrize(
    ("text", "pace"),
    [
        ("instant", INSTANT),
        ("recorded", RecordedPace()),
        ("recorded*2", RecordedPace(2.0)),
        (" recorded * .5 ", RecordedPace(0.5)),
        ("ttft=300ms,itl=20ms,jitter=0.2", Profile(ttft=0.3, itl=0.02, jitter=0.2)),
        ("itl=0.02s, ttft=1.5s", Profile(ttft=1.5, itl=0.02)),
        ("ttft=0,itl=20ms,load=0.01", Profile(itl=0.02, load=0.01)),
    ],
    ids=str,
)
def test_a_pace_is_read(text: str, pace: Pace) -> None:
    assert parse_pace(text) == pace


@pytest.mark.parametrize("text", ["instant", "recorded*0", "ttft=0", "ttft=0s,itl=0ms,jitter=1"])
def test_what_never_waits_is_the_one_instant(text: str) -> None:
    assert parse_pace(text) is INSTANT


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "there is no such word"),
        ("fast", "there is no such word"),
        ("Recorded", "there is no such word"),
        ("fast*2", "there is no such word"),
        ("recorded*", "the factor must be a number such as 2 or 0.5, not ''"),
        ("recorded*-1", "the factor must be a number such as 2 or 0.5, not '-1'"),
        ("recorded*nan", "the factor must be a number such as 2 or 0.5, not 'nan'"),
        ("recorded*" + "9" * 400, "the factor must be a number such as 2 or 0.5, not '999"),
        ("ttft=300", "ttft must be a time with its unit, such as 300ms or 0.3s, not '300'"),
        ("ttft=٣s", "ttft must be a time with its unit, such as 300ms or 0.3s, not '٣s'"),
        ("itl=-1ms", "itl must be a time with its unit, such as 300ms or 0.3s, not '-1ms'"),
        ("ttft=1000000s", "ttft must be a time with its unit, such as 300ms or 0.3s, not '1000000s'"),
        ("ttft=1s,ttft=2s", "ttft is given twice"),
        ("ttft=1s,tps=50", "'tps' is none of ttft, itl, jitter, load"),
        ("ttft=1s,", "'' is none of ttft, itl, jitter, load"),
        ("ttft=1s,jitter=1.1", "jitter must be a number from 0 to 1, not '1.1'"),
        ("jitter=0.2", "jitter alone waits for nothing: give ttft or itl too"),
    ],
    ids=repr,
)
def test_what_is_no_pace_says_why_and_which_forms_there_are(text: str, problem: str) -> None:
    with pytest.raises(BadPace) as caught:
        parse_pace(text)

    message = str(caught.value)
    assert message.startswith(f"{text!r} is no pace: {problem}")
    assert message.endswith(f"; a pace is {FORMS}")
