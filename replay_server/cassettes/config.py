"""`replay.yaml`, which lies in the cassette directory and travels with the cassettes.

A pull request can change it, so it can name no host and no environment variable.
"""

import re
from dataclasses import dataclass

from replay_server.cassettes.reader import dotted, read_pace
from replay_server.cassettes.redaction.redactor import DEFAULT, Redactor
from replay_server.cassettes.yaml import Document, YamlError, documents
from replay_server.endpoints.base import BadField
from replay_server.endpoints.description import describes, parameter_names
from replay_server.endpoints.short_form import items, known, optional, required
from replay_server.endpoints.table import ENDPOINTS, resource_named
from replay_server.errors import CassetteError, UsageError
from replay_server.interaction import Json, JsonObject, Pace
from replay_server.keys import VOLATILE_TEXT, Pattern, Volatile

FILE_NAME = "replay.yaml"
WHOLE_BODY = "body"
"""In `match_on`: every field must agree."""

_FIELDS = ("models", "match_on", "volatile", "redact", "on_miss", "pace", "tokens", "validation")
_ON_MISS = ("generate", "error")
_VALIDATION = ("exact", "lenient")
ESTIMATE = "estimate"
"""Of `tokens`: the generator's own rule counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What `replay.yaml` says. `models` is None where it lists none; `redactor` has the built-in rules at least."""

    models: tuple[str, ...] | None = None
    match_on: tuple[str, ...] = ()
    volatile: tuple[Volatile, ...] = ()
    redactor: Redactor = DEFAULT
    on_miss: str | None = None
    pace: Pace | None = None
    validation: str | None = None
    tokens: str = ESTIMATE
    """What tokens are counted by: `estimate`, or the name of a vocabulary that is installed."""


def read_config(path: str, data: bytes) -> Config:
    """Read the file. `path` is its name in messages. Raises CassetteError."""
    try:
        found = list(documents(data))
    except YamlError as error:
        raise CassetteError(path, error.line, error.problem) from None
    if len(found) > 1:
        raise CassetteError(path, found[1].line, "must be a single document")
    return _read(path, found[0]) if found and found[0].value is not None else Config()


def _read(path: str, document: Document) -> Config:
    try:
        fields = document.value
        if not isinstance(fields, dict):
            raise BadField((), f"must be a mapping of {', '.join(_FIELDS)}")
        known(fields, _FIELDS)
        return Config(
            models=items(fields, "models", str) if "models" in fields else None,
            match_on=_read_match_on(fields),
            volatile=_read_volatile(fields),
            redactor=_read_redactor(fields),
            on_miss=_read_word(fields, "on_miss", _ON_MISS),
            pace=read_pace(fields),
            validation=_read_word(fields, "validation", _VALIDATION),
            tokens=_read_tokens(fields),
        )
    except BadField as error:
        where = f"{dotted(error.path)}: " if error.path else ""
        raise CassetteError(path, document.line_of(error.path), where + error.problem) from None


def _read_match_on(fields: JsonObject) -> tuple[str, ...]:
    if fields.get("match_on") == WHOLE_BODY:
        return (WHOLE_BODY,)
    names = items(fields, "match_on", str)
    if WHOLE_BODY in names:
        return (WHOLE_BODY,)
    known_names = _all_parameters() if names else frozenset()
    for at, name in enumerate(names):
        if name not in known_names:
            raise BadField(("match_on", at), f"{name!r} is no parameter of any endpoint, and not {WHOLE_BODY}")
    return names


def _all_parameters() -> frozenset[str]:
    resources = [resource_named(endpoint) for endpoint in ENDPOINTS]
    operations = [resource.routes[0].operation_id for resource in resources]
    return frozenset(name for operation in operations if describes(operation) for name in parameter_names(operation))


def _read_word(fields: JsonObject, name: str, words: tuple[str, ...]) -> str | None:
    word = optional(fields, name, str)
    if word is not None and word not in words:
        raise BadField((name,), f"{word!r} is none of {', '.join(words)}")
    return word


def _read_tokens(fields: JsonObject) -> str:
    name = optional(fields, "tokens", str) or ESTIMATE
    if name == ESTIMATE:
        return name
    # Most directories are content with an estimate.
    from replay_server.vocabularies import VOCABULARIES, counter

    if name not in VOCABULARIES:
        raise BadField(("tokens",), f"{name!r} is none of {', '.join((ESTIMATE, *VOCABULARIES))}")
    try:
        counter(name)  # read now, and not while an answer waits for it
    except UsageError as error:
        raise BadField(("tokens",), str(error)) from None
    return name


def _read_redactor(fields: JsonObject) -> Redactor:
    redact = optional(fields, "redact", dict)
    if redact is None:
        return DEFAULT
    # Most directories have no rules of their own.
    from replay_server.cassettes.redaction.own_rules import read_rules

    try:
        return read_rules(redact)
    except BadField as error:
        raise error.below("redact") from None


def _read_volatile(fields: JsonObject) -> tuple[Volatile, ...]:
    rules: list[Json] = optional(fields, "volatile", list) or []
    return tuple(_read_rule(rule, at) for at, rule in enumerate(rules))


def _read_rule(rule: Json, at: int) -> Volatile:
    if isinstance(rule, str) and rule in VOLATILE_TEXT:
        return Volatile(rule, re.compile(VOLATILE_TEXT[rule]))
    if not isinstance(rule, dict):
        raise BadField(("volatile", at), f"must be one of {', '.join(VOLATILE_TEXT)}, or have name and regex")
    try:
        known(rule, ("name", "regex"))
        return Volatile(required(rule, "name", str), _read_regex(required(rule, "regex", str)))
    except BadField as error:
        raise error.below("volatile", at) from None


def _read_regex(text: str) -> Pattern:
    # In linear time: a pull request can bring a pattern, and every request is looked through by it.
    from replay_server.cassettes.linear_regex import BadRegex, Regex

    try:
        pattern = Regex(text)
    except BadRegex as error:
        raise BadField(("regex",), f"is no regular expression: {error}") from None
    if pattern.groups("") is not None:
        raise BadField(("regex",), "matches no text at all: that stands everywhere")
    return pattern
