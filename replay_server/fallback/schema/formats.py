"""Strings of the formats that JSON Schema names."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from replay_server.fallback.draw import Draw
from replay_server.fallback.schema.named import date, email, link
from replay_server.fallback.topic import Topic

Writer: TypeAlias = Callable[[Topic, Draw], str]


def formatted(name: str, topic: Topic, draw: Draw) -> str | None:
    """A string of the format, or None if it is not known: formats are open, an unknown one demands nothing."""
    writer = WRITERS.get(name)
    return None if writer is None else writer(topic, draw)


def _time(topic: Topic, draw: Draw) -> str:
    return f"{draw.between(0, 23):02}:{draw.between(0, 59):02}:00Z"


def _date_time(topic: Topic, draw: Draw) -> str:
    return f"{date(topic, draw)}T{_time(topic, draw)}"


def _duration(topic: Topic, draw: Draw) -> str:
    return f"P{draw.between(1, 30)}D"


def _hostname(topic: Topic, draw: Draw) -> str:
    return f"host{draw.between(1, 99)}.example.com"


def _ipv4(topic: Topic, draw: Draw) -> str:
    return f"192.0.2.{draw.between(1, 254)}"


def _ipv6(topic: Topic, draw: Draw) -> str:
    return f"2001:db8::{draw.between(1, 0xFFFF):x}"


def _uuid(topic: Topic, draw: Draw) -> str:
    digits = "".join(f"{draw.below(65536):04x}" for _ in range(8))
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _path(topic: Topic, draw: Draw) -> str:
    return f"/items/{draw.between(1, 99)}"


def _base64(topic: Topic, draw: Draw) -> str:
    return draw.choice(("ZXhhbXBsZQ==", "c2FtcGxl", "Y29udGVudA=="))


WRITERS: Mapping[str, Writer] = {
    "date-time": _date_time,
    "date": date,
    "time": _time,
    "duration": _duration,
    "email": email,
    "idn-email": email,
    "hostname": _hostname,
    "idn-hostname": _hostname,
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "uuid": _uuid,
    "uri": link,
    "url": link,
    "iri": link,
    "uri-reference": link,
    "iri-reference": link,
    "uri-template": link,
    "json-pointer": _path,
    "relative-json-pointer": lambda topic, draw: f"{draw.between(0, 2)}{_path(topic, draw)}",
    "regex": lambda topic, draw: "^[a-z]+$",
    "byte": _base64,
}
