"""A fault as it is written: `status=429, times=2` in a header or a cassette, or the same as a mapping of YAML.

A mapping is brought into the form of the text first, so that there is one grammar: a list or a mapping as a value is
its items with spaces between (`calls=3 5`, `ratelimit=requests:60/1m tokens:10000/1m`), `true` is the bare name.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from replay_server.faults.fault import Fault, Schedule, Spoil
from replay_server.faults.limits import Limit, Rate
from replay_server.interaction import Json, JsonObject
from replay_server.pace import read_time

# Possessive throughout: a header of many spaces takes no longer than another.
_MEMBER = re.compile(
    r'\s*+(?P<name>[^=,"\s]*+)\s*+(?:=\s*+(?:"(?P<quoted>[^"]*+)"\s*+|(?P<plain>[^,"]*+)))?(?:,|\Z)', re.ASCII
)
_PLACE = re.compile(r"after ([0-9]{1,9}) events?")
_MID_CHUNK = "mid-chunk"
_RATE = re.compile(r"([0-9]{1,12})/([0-9]{0,6}(?:\.[0-9]+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_COUNT = re.compile(r"[1-9][0-9]{0,8}")
_SHARE = re.compile(r"0?\.[0-9]*[1-9][0-9]*|1(?:\.0+)?")
_CONTENT_TYPE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_MOST_REMEMBERED = 256


class BadFault(ValueError):
    """What is no fault. The message says what is wrong; `member` is the one that is, if one is."""

    def __init__(self, problem: str, member: str | None = None) -> None:
        super().__init__(problem)
        self.member = member


@lru_cache(_MOST_REMEMBERED)
def parse_fault(text: str) -> Fault:
    """The fault that a text says. Raises BadFault."""
    return _fault(_members(text.strip()))


def _members(text: str) -> dict[str, str]:
    members: dict[str, str] = {}
    at = 0
    while at < len(text):
        found = _MEMBER.match(text, at)
        if found is None or not found["name"]:
            raise BadFault(f"cannot be read from {text[at:].strip()!r} on: it is name=value, name=value, …")
        name = found["name"]
        if name in members:
            raise BadFault(f"{name} is given twice", name)
        members[name] = found["quoted"] or (found["plain"] or "").strip()
        at = found.end()
    return members


def read_fault(fields: JsonObject) -> Fault:
    """The fault that a mapping says. Raises BadFault."""
    return _fault({name: _as_text(name, value) for name, value in fields.items() if value is not None})


def _as_text(name: str, value: Json) -> str:
    if value is True and name != "should_retry":
        return ""
    if isinstance(value, list):
        return " ".join(_as_text(name, item) for item in value)
    if isinstance(value, dict):
        return " ".join(f"{key}:{_as_text(name, item)}" for key, item in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fault(texts: Mapping[str, str]) -> Fault:
    read: dict[str, Any] = {}
    for name, text in texts.items():
        if name not in _MEMBERS:
            raise BadFault(f"{name!r} is none of {', '.join(_MEMBERS)}", name)
        try:
            read[name] = _MEMBERS[name](name, text)
        except ValueError as error:
            raise BadFault(str(error), name) from None
    _check_together(read)
    return _made(texts, read)


def _check_together(names: Iterable[str]) -> None:
    given = frozenset(names)
    if not given & _DOING:
        raise BadFault(_NOTHING)
    for name, others in _NEEDS.items():
        if name in given and not given & others:
            raise BadFault(f"{name} needs {' or '.join(sorted(others))}", name)
    for group, problem in _EXCLUDE:
        if len(both := [name for name in _MEMBERS if name in given & group]) > 1:
            raise BadFault(f"{' and '.join(both)} exclude each other: {problem}", both[1])
    if "ratelimit" in given and (other := sorted(given - {"ratelimit"})):
        raise BadFault(f"ratelimit and {other[0]} exclude each other: a limit decides itself what it refuses", other[0])


def _made(texts: Mapping[str, str], read: Mapping[str, Any]) -> Fault:
    spoil, after = next((read[name] for name in _SPOILING if name in read), (None, 0))
    return Fault(
        text=", ".join(_written(name, text) for name, text in texts.items()),
        **{name: read[name] for name in _FIELDS if name in read},
        limit=read.get("ratelimit"),
        spoil=spoil,
        after=after,
        schedule=Schedule(
            probability=read.get("p", 1.0),
            calls=read.get("calls", ()),
            every=read.get("every", 1),
            times=read.get("times"),
        ),
    )


def _written(name: str, text: str) -> str:
    """A member as a header says it."""
    if not text:
        return name
    return f'{name}="{text}"' if "," in text or '"' in text else f"{name}={text}"


def _read_status(name: str, text: str) -> int:
    if not re.fullmatch("[45][0-9][0-9]", text, re.ASCII):
        raise ValueError(f"{name} must be an HTTP status from 400 to 599, not {text!r}")
    return int(text)


def _read_text(name: str, text: str) -> str:
    if not text:
        raise ValueError(f"{name} must be a text, and is empty")
    return text


def _read_content_type(name: str, text: str) -> str:
    if not _CONTENT_TYPE.fullmatch(text):
        raise ValueError(f"{name} must be a type such as text/html, not {text!r}")
    return text


def _read_retry_after(name: str, text: str) -> float:
    """Seconds, with a unit or without: as the header `Retry-After` says them."""
    try:
        return read_time(name, text if text.endswith("s") else f"{text}s")
    except ValueError:
        raise ValueError(f"{name} must be seconds, or a time such as 500ms, not {text!r}") from None


def _read_wait(name: str, text: str) -> float:
    seconds = read_time(name, text)
    if not seconds:
        raise ValueError(f"{name} must be more than no time: leave it out")
    return seconds


def _read_flag(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{name} must be true or false, not {text!r}")
    return text == "true"


def _read_share(name: str, text: str) -> float:
    if not _SHARE.fullmatch(text):
        raise ValueError(f"{name} must be a probability of more than 0, up to 1, not {text!r}")
    return float(text)


def _read_count(name: str, text: str) -> int:
    if not _COUNT.fullmatch(text):
        raise ValueError(f"{name} must be a whole number from 1, not {text!r}")
    return int(text)


def _read_calls(name: str, text: str) -> tuple[int, ...]:
    if not text:
        raise ValueError(f"{name} must name calls, such as 3 5: none is none at all")
    return tuple(_read_count(name, each) for each in text.split())


def _read_limit(name: str, text: str) -> Limit:
    rates: dict[str, Rate] = {}
    for part in text.split():
        kind, _, rate = part.partition(":")
        if kind not in ("requests", "tokens") or kind in rates:
            raise ValueError(f"{name} has requests, tokens or both, such as requests:60/1m, not {part!r}")
        rates[kind] = _read_rate(f"{name}.{kind}", rate)
    if not rates:
        raise ValueError(f"{name} needs requests or tokens, such as requests:60/1m")
    return Limit(**rates)


def _read_rate(name: str, text: str) -> Rate:
    found = _RATE.fullmatch(text)
    count, seconds = (int(found[1]), float(found[2] or 1) * _UNITS[found[3]]) if found else (0, 0.0)
    if not count or seconds < _UNITS["ms"]:
        raise ValueError(f"{name} must be so many in a time, such as 60/1m or 500/d, not {text!r}")
    return Rate(count, seconds)


def _spoiling(spoil: Spoil, default: int) -> Callable[[str, str], tuple[Spoil, int]]:
    def read(name: str, text: str) -> tuple[Spoil, int]:
        if not text:
            return spoil, default
        place = _PLACE.fullmatch(text)
        if place is None:
            raise ValueError(f"{name} must be a place such as after 3 events, not {text!r}")
        return spoil, int(place[1])

    return read


def _read_cut(name: str, text: str) -> tuple[Spoil, int]:
    word, _, place = text.partition(" ")
    if word == _MID_CHUNK:
        return _spoiling(Spoil.MID_CHUNK, 1)(name, place)
    try:
        return _spoiling(Spoil.CUT, 1)(name, text)
    except ValueError as error:
        raise ValueError(str(error).replace(", not", ", or mid-chunk, not")) from None


def _bare(spoil: Spoil) -> Callable[[str, str], tuple[Spoil, int]]:
    def read(name: str, text: str) -> tuple[Spoil, int]:
        if text:
            raise ValueError(f"{name} stands alone, without {text!r}")
        return spoil, 0

    return read


_SPOILING: Mapping[str, Callable[[str, str], tuple[Spoil, int]]] = {
    "stall": _spoiling(Spoil.STALL, 1),
    "cut": _read_cut,
    "reset": _spoiling(Spoil.RESET, 0),
    "malformed": _spoiling(Spoil.MALFORMED, 1),
    "no_done": _bare(Spoil.NO_DONE),
    "error_event": _spoiling(Spoil.ERROR_EVENT, 1),
    "empty": _bare(Spoil.EMPTY),
}
_FIELDS: Mapping[str, Callable[[str, str], Any]] = {
    "status": _read_status,
    "message": _read_text,
    "type": _read_text,
    "code": _read_text,
    "retry_after": _read_retry_after,
    "should_retry": _read_flag,
    "delay": _read_wait,
    "slow": _read_wait,
    "content_type": _read_content_type,
}
_SCHEDULE: Mapping[str, Callable[[str, str], Any]] = {
    "p": _read_share,
    "calls": _read_calls,
    "every": _read_count,
    "times": _read_count,
}
_MEMBERS: Mapping[str, Callable[[str, str], Any]] = {**_FIELDS, "ratelimit": _read_limit, **_SPOILING, **_SCHEDULE}
MEMBERS = tuple(_MEMBERS)
"""The names of all members."""

_DOING = frozenset({"status", "ratelimit", "delay", "slow", "content_type", *_SPOILING})
_NOTHING = f"says nothing that goes wrong: give one of {', '.join(name for name in _MEMBERS if name in _DOING)}"
_SAYING = frozenset({"status", "error_event"})
_NEEDS = {
    "message": _SAYING,
    "type": _SAYING,
    "code": _SAYING,
    "retry_after": frozenset({"status"}),
    "should_retry": frozenset({"status"}),
}
_EXCLUDE = (
    (frozenset(_SPOILING), "an answer is spoiled in one way"),
    (frozenset({"status", "no_done"}), "an error is no stream"),
    (frozenset({"status", "error_event"}), "the error comes first, or within a stream"),
    (frozenset({"slow", "empty"}), "there is no byte that could be slow"),
    (frozenset({"calls", "every"}), "each says on its own which calls are hit"),
    (frozenset({"calls", "times"}), "each says on its own which calls are hit"),
    (frozenset({"calls", "p"}), "each says on its own which calls are hit"),
    (frozenset({"every", "p"}), "each says on its own which calls are hit"),
    (frozenset({"times", "p"}), "each says on its own which calls are hit"),
)
