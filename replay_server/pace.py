"""A pace as it is written: in an option, a header, a cassette or `replay.yaml`."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from replay_server.interaction import INSTANT, Pace, Profile, RecordedPace

FORMS = (
    "instant, recorded, recorded*FACTOR (recorded*2: every gap twice as long),"
    " or a profile such as ttft=300ms,itl=20ms,jitter=0.2"
)

_NUMBER = r"(?:[0-9]{1,6}(?:\.[0-9]+)?|\.[0-9]+)"
_FACTOR = re.compile(_NUMBER)
_SHARE = re.compile(r"[01](?:\.0+)?|0?\.[0-9]+")
_TIME = re.compile(rf"({_NUMBER})(ms|s)|0")
_MOST_REMEMBERED = 256


class BadPace(ValueError):
    """A text that is no pace. The message says what is wrong, and which forms there are."""

    def __init__(self, text: str, problem: str) -> None:
        super().__init__(f"{text!r} is no pace: {problem}; a pace is {FORMS}")


@lru_cache(_MOST_REMEMBERED)
def parse_pace(text: str) -> Pace:
    """The pace that a text names; one that never waits is `INSTANT` itself. Raises BadPace."""
    try:
        pace = _parse(text.strip())
    except ValueError as error:
        raise BadPace(text, str(error)) from None
    return INSTANT if pace in (INSTANT, RecordedPace(0.0)) else pace


def _parse(text: str) -> Pace:
    if text == "instant":
        return INSTANT
    word, times, factor = text.partition("*")
    if word.strip() == "recorded":
        return RecordedPace(_read_factor("the factor", factor.strip()) if times else 1.0)
    if "=" not in text:
        raise ValueError("there is no such word")
    return _profile(dict(_members(text)))


def _profile(members: Mapping[str, float]) -> Profile:
    if not members.keys() & {"ttft", "itl"}:
        raise ValueError(f"{' and '.join(members)} alone waits for nothing: give ttft or itl too")
    return Profile(**members) if members.get("ttft") or members.get("itl") else INSTANT


def _members(text: str) -> Iterator[tuple[str, float]]:
    seen = set()
    for member in text.split(","):
        name, _, value = (part.strip() for part in member.partition("="))
        if name not in _MEMBERS:
            raise ValueError(f"{name!r} is none of {', '.join(_MEMBERS)}")
        if name in seen:
            raise ValueError(f"{name} is given twice")
        seen.add(name)
        yield name, _MEMBERS[name](name, value)


def read_time(name: str, text: str) -> float:
    """The seconds that a member with a time says. Raises ValueError."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{name} must be a time with its unit, such as 300ms or 0.3s, not {text!r}")
    return float(found[1] or 0) / (1000 if found[2] == "ms" else 1)


def _read_share(name: str, text: str) -> float:
    if not _SHARE.fullmatch(text):
        raise ValueError(f"{name} must be a number from 0 to 1, not {text!r}")
    return float(text)


def _read_factor(name: str, text: str) -> float:
    if not _FACTOR.fullmatch(text):
        raise ValueError(f"{name} must be a number such as 2 or 0.5, not {text!r}")
    return float(text)


_MEMBERS = {"ttft": read_time, "itl": read_time, "jitter": _read_share, "load": _read_factor}
