"""The nouns of matchers: what was said in a request, what it must be, what answers it. Frozen values, no I/O.

They stand apart from those of `interaction.py`, as a start that reads no matcher need not make them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from replay_server.interaction import Json, JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What was said in a request: the texts that people mean when they speak of it."""

    last_user: str | None = None
    """The last that the user said. None: nothing."""
    system: str | None = None
    """What the system (or developer) said, all of it."""
    messages: tuple[str, ...] = ()
    """The text of each message, the user's and the system's too."""
    turn: int = 0
    """How often the assistant has answered."""
    has_tool_result: bool = False
    """Whether a tool has given a result since the user spoke last."""
    arguments: Json = None
    """The arguments of the last tool call, as the JSON that they hold."""
    tool_result: str | None = None
    """The text of the last result of a tool."""


@dataclass(frozen=True, slots=True)
class TextTest:
    """What a text must be. `kind` is `equals`, `contains` or `regex`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class JsonTest:
    """An expression in JMESPath: what it finds in the body must be true, or where `equals` is, that value."""

    expression: str
    equals: tuple[Json, ...] = ()
    """The one value, or nothing."""


@dataclass(frozen=True, slots=True)
class Turns:
    """How often the assistant may have answered; `most` is None where there is no limit."""

    least: int = 0
    most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a matcher's requests have in common: all that are given must hold."""

    model: str | None = None
    """A name in which `*` stands for any text and `?` for a character."""
    last_user: TextTest | None = None
    system: TextTest | None = None
    any_message: TextTest | None = None
    has_tool_result: bool | None = None
    turn: Turns | None = None
    json: tuple[JsonTest, ...] = ()
    header: Mapping[str, TextTest] = field(default_factory=dict)
    """Names are lower case."""
    schema: JsonObject | bool | None = None
    """What the body must be valid against."""


@dataclass(frozen=True, slots=True)
class Template:
    """A response as it is written, with places for values of the request: `lines` has the line of each text."""

    response: JsonObject
    file: str
    lines: Mapping[tuple[str | int, ...], int]
