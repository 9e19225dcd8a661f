"""What the name of a property tells of its value: `city` is a place, `summary` a sentence, `age` a number below 100."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeAlias

from replay_server.fallback.draw import Draw
from replay_server.fallback.prose import Prose
from replay_server.fallback.topic import Topic
from replay_server.fallback.words import camel_border, plain_word, stem

Writer: TypeAlias = Callable[[Topic, Draw], str]
Range: TypeAlias = tuple[float, float]

PEOPLE = ("Alice Martin", "Ben Okafor", "Clara Rossi", "David Chen", "Elena Petrova", "Femi Adeyemi", "Grace Kim")
CITIES = ("Lisbon", "Oslo", "Toronto", "Kyoto", "Nairobi", "Vienna", "Lima", "Dublin")
COUNTRIES = ("Portugal", "Norway", "Canada", "Japan", "Kenya", "Austria", "Peru", "Ireland")
COLOURS = ("blue", "green", "red", "yellow", "black", "white", "grey")
LANGUAGES = ("English", "Spanish", "French", "German", "Japanese")
CURRENCIES = ("EUR", "USD", "GBP", "JPY", "CHF")
STREETS = ("Station Road", "Market Street", "Mill Lane", "Park Avenue", "High Street")
COMPANIES = ("Northwind", "Contoso", "Fabrikam", "Acme", "Globex")
UNITS = ("km", "kg", "metre", "litre", "hour")

find_email = re.compile(r"\b[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b").search
find_link = re.compile(r"\bhttps?://[A-Za-z0-9.-]+(?:/[A-Za-z0-9._~/?&=%#-]*[A-Za-z0-9/])?").search


def text_for(name: str, topic: Topic, draw: Draw) -> str:
    """A text for a property of this name; about the topic, where the name tells nothing."""
    return next((WRITERS[part] for part in _parts(name) if part in WRITERS), keywords)(topic, draw)


def number_range(name: str) -> Range | None:
    """The range of a number of this name, where the name tells one."""
    return next((RANGES[part] for part in _parts(name) if part in RANGES), None)


def tells_text(name: str) -> bool:
    """Whether the name tells what kind of text is meant."""
    return any(part in WRITERS for part in _parts(name))


def usual_type(name: str) -> str:
    """The type of a property of this name whose schema allows any."""
    last = _parts(name)[:1]
    if not last or last[0] in WRITERS or last[0] not in RANGES:
        return "string"
    return "integer" if RANGES[last[0]][1] > 1 else "number"


@lru_cache(maxsize=512)
def _parts(name: str) -> tuple[str, ...]:
    """The stems of the words in a property's name, the last one, which says most, first."""
    words = plain_word.findall(camel_border.sub(" ", name))
    return tuple(stem(word) for word in reversed(words) if len(word) > 1 or word == name)


def keywords(topic: Topic, draw: Draw) -> str:
    """One to three words of the prompt that stand together."""
    if not topic.words:
        return draw.choice(("example", "sample", "general", "standard"))
    first = draw.below(len(topic.words))
    return " ".join(topic.words[first : first + draw.between(1, 3)])


def keyword(topic: Topic, draw: Draw) -> str:
    """One word of the prompt."""
    return draw.choice(topic.words or ("general", "example", "standard"))


def sentence(topic: Topic, draw: Draw) -> str:
    """A sentence about the prompt."""
    return Prose(topic, draw).sentence()


def request(topic: Topic, draw: Draw) -> str:
    """What the prompt asks for, in its own words."""
    return topic.request[:200] or keywords(topic, draw)


def heading(topic: Topic, draw: Draw) -> str:
    """A title."""
    phrase = topic.phrase.removeprefix("the ").removeprefix("a ").removeprefix("an ")
    return phrase[:1].upper() + phrase[1:]


def place(topic: Topic, draw: Draw) -> str:
    """A place that the prompt names, or any."""
    return (topic.places or topic.names or (draw.choice(CITIES),))[0]


def person(topic: Topic, draw: Draw) -> str:
    """A name in the prompt that is not that of a place, or any."""
    others = [name for name in topic.names if name not in topic.places]
    return draw.choice(others or PEOPLE)


def country(topic: Topic, draw: Draw) -> str:
    """A country that the prompt names as a place, or any."""
    return next((name for name in topic.places if name in COUNTRIES), draw.choice(COUNTRIES))


def email(topic: Topic, draw: Draw) -> str:
    """An address in the prompt, or one at a domain that is reserved for examples."""
    found = find_email(topic.text)
    return found[0] if found else draw.choice(PEOPLE).split()[0].lower() + "@example.com"


def link(topic: Topic, draw: Draw) -> str:
    """A link in the prompt, or one into a domain that is reserved for examples."""
    if found := find_link(topic.text):
        return found[0]
    words = [word.lower() for word in topic.words if word.isascii() and word.isalpha()]
    return "https://example.com/" + "-".join(words[:3])


def identifier(topic: Topic, draw: Draw) -> str:
    """An id that looks like one."""
    return f"id-{draw.between(1000, 9999)}"


def phone(topic: Topic, draw: Draw) -> str:
    """A number of the range that is reserved for fiction."""
    return f"+1-202-555-01{draw.between(10, 99)}"


def date(topic: Topic, draw: Draw) -> str:
    """A day."""
    return f"2025-{draw.between(1, 12):02}-{draw.between(1, 28):02}"


def time(topic: Topic, draw: Draw) -> str:
    """A time of day."""
    return f"{draw.between(8, 18):02}:{draw.choice(('00', '15', '30', '45'))}"


def one_of(options: tuple[str, ...]) -> Writer:
    """A writer that draws from a list, unless the prompt names one of its members."""

    def write(topic: Topic, draw: Draw) -> str:
        named = [option for option in options if option in topic.names or option in topic.words]
        return (named or [draw.choice(options)])[0]

    return write


def _table(*rows: tuple[str, Writer]) -> Mapping[str, Writer]:
    return {stem(word): writer for words, writer in rows for word in words.split()}


WRITERS = _table(
    ("city location place town destination origin capital venue region area state departure arrival", place),
    ("country nation", country),
    (
        "name username author person user customer recipient sender owner speaker contact assignee employee artist",
        person,
    ),
    ("participant attendee member people guest passenger student teacher player character friend", person),
    ("title headline subject heading topic theme", heading),
    ("summary description explanation reasoning reason rationale analysis answer text content body message", sentence),
    ("response comment note feedback detail thought conclusion output paragraph review abstract bio", sentence),
    ("sentence overview instruction step advice suggestion recommendation evidence justification", sentence),
    ("query question search prompt input request q expression command task term", request),
    ("keyword tag label category type kind word key skill genre", keyword),
    ("email mail", email),
    ("url link website uri homepage href", link),
    ("id uuid identifier code sku reference", identifier),
    ("phone telephone mobile fax", phone),
    ("date day birthday deadline due", date),
    ("time", time),
    ("color colour", one_of(COLOURS)),
    ("language locale", one_of(LANGUAGES)),
    ("currency", one_of(CURRENCIES)),
    ("company organization organisation brand publisher employer manufacturer", one_of(COMPANIES)),
    ("unit", one_of(UNITS)),
    ("address street", lambda topic, draw: f"{draw.between(1, 99)} {draw.choice(STREETS)}"),
    ("zip postcode", lambda topic, draw: str(draw.between(10000, 99999))),
)

RANGES: Mapping[str, Range] = {
    stem(word): limits
    for words, limits in (
        ("age", (18, 80)),
        ("year", (1900, 2030)),
        ("month", (1, 12)),
        ("hour", (0, 23)),
        ("minute second", (0, 59)),
        ("price cost amount total sum salary budget revenue", (1, 1000)),
        ("rating star", (1, 5)),
        ("score confidence probability likelihood similarity relevance ratio", (0, 1)),
        ("percent percentage", (0, 100)),
        ("latitude lat", (-90, 90)),
        ("longitude lon lng", (-180, 180)),
        ("temperature", (-10, 35)),
        ("count quantity limit number size n top", (1, 10)),
        ("id", (1000, 9999)),
    )
    for word in words.split()
}
