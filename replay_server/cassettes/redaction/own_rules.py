"""`redact` of `replay.yaml`: which optional rules are on, and rules of one's own. None of it can switch a rule off."""

import re

from replay_server.cassettes.redaction.places import PathRule, Step, read_path
from replay_server.cassettes.redaction.redactor import Redactor
from replay_server.cassettes.redaction.rules import BUILT_IN, OPTIONAL, Rule
from replay_server.cassettes.regex import read_regex
from replay_server.endpoints.base import BadField
from replay_server.endpoints.short_form import items, known, optional, required
from replay_server.interaction import JsonObject

_FIELDS = ("on", "rules")
_RULE_FIELDS = ("name", "regex", "anchor", "path")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


def read_rules(redact: JsonObject) -> Redactor:
    """The redactor with the rules that the field `redact` adds. Raises BadField."""
    known(redact, _FIELDS)
    switched_on = _read_switched_on(redact)
    own = _read_own(redact)
    # One's own come first: where two find the same, the nearer name is the better one.
    rules = [rule for rule in own if isinstance(rule, Rule)]
    return Redactor([*rules, *BUILT_IN, *switched_on], [rule for rule in own if isinstance(rule, PathRule)])


def _read_switched_on(redact: JsonObject) -> list[Rule]:
    names = items(redact, "on", str)
    for at, name in enumerate(names):
        if name not in OPTIONAL:
            raise BadField(("on", at), f"{name!r} is none of {', '.join(OPTIONAL)}; all other rules are always on")
    return [OPTIONAL[name] for name in dict.fromkeys(names)]


def _read_own(redact: JsonObject) -> list[Rule | PathRule]:
    taken = {rule.name for rule in BUILT_IN} | set(OPTIONAL)
    own: list[Rule | PathRule] = []
    for at, fields in enumerate(items(redact, "rules", dict)):
        try:
            own.append(_read_rule(fields))
            if own[-1].name in taken:
                raise BadField(("name",), f"{own[-1].name!r} is the name of another rule: choose one of its own")
        except BadField as error:
            raise error.below("rules", at) from None
        taken.add(own[-1].name)
    return own


def _read_rule(fields: JsonObject) -> Rule | PathRule:
    known(fields, _RULE_FIELDS)
    name = required(fields, "name", str)
    if not _NAME.fullmatch(name):
        raise BadField(("name",), f"{name!r} is no name: up to 40 small letters, digits and -, a letter first")
    if ("regex" in fields) is ("path" in fields):
        raise BadField((), "must have either regex or path")
    if "path" in fields:
        known(fields, ("name", "path"))
        return PathRule(name, _read_path(required(fields, "path", str)))
    anchor = optional(fields, "anchor", str)
    regex = read_regex(required(fields, "regex", str)).pattern
    return Rule(name, regex, (anchor,) if anchor else ())


def _read_path(text: str) -> tuple[Step, ...]:
    try:
        return read_path(text)
    except ValueError as error:
        raise BadField(("path",), str(error)) from None
