"""Rules for volatile text that would make a request match, found by trying them, and as YAML."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from replay_server.cassettes.config import Config
from replay_server.cassettes.matching import Candidate, Keyed, Match, best
from replay_server.cassettes.yaml_writer import dump_line
from replay_server.interaction import Json
from replay_server.keys import VOLATILE_TEXT, Difference, Volatile, steady

Rules = tuple[Volatile, ...]

# In this order, so that a date is called a date though it is made of numbers too.
_NAMED = tuple(Volatile(name, re.compile(pattern)) for name, pattern in VOLATILE_TEXT.items())


def volatile_yaml(rules: Sequence[Volatile]) -> str:
    """The field `volatile` of `replay.yaml` with these rules, ready to be pasted."""
    return dump_line({"volatile": [_as_written(rule) for rule in rules]})


def _as_written(rule: Volatile) -> Json:
    pattern = rule.pattern.pattern
    return rule.name if pattern == VOLATILE_TEXT.get(rule.name) else {"name": rule.name, "regex": pattern}


def added_rules(
    recorded: Candidate, asked: Keyed, config: Config, differences: Sequence[Difference]
) -> tuple[Rules, Rules] | None:
    """The fewest named rules under which the recorded request answers, and all rules with them; None: none would do.

    Rules that are there already are kept.
    """
    if not all(isinstance(side, str) for found in differences for side in (found.left, found.right)):
        return None
    for added in _choices(config.volatile, [side for found in differences for side in (found.left, found.right)]):
        for rules in ((*config.volatile, *added), (*added, *config.volatile)):
            if _makes_equal(rules, differences) and answers(recorded, asked, replace(config, volatile=rules)):
                return added, rules
    return None


def _choices(there: Rules, texts: Sequence[object]) -> Iterator[Rules]:
    """Ever more of the rules that are not there yet, and find something in what differs."""
    patterns = {rule.pattern.pattern for rule in there}
    free = [
        rule
        for rule in _NAMED
        if rule.pattern.pattern not in patterns
        and any(isinstance(text, str) and steady(text, (rule,)) != text for text in texts)
    ]
    for count in range(1, len(free) + 1):
        yield from combinations(free, count)


def _makes_equal(rules: Rules, differences: Sequence[Difference]) -> bool:
    """Whether it is worth while to try the whole request."""
    return all(steady(_text(found.left), rules) == steady(_text(found.right), rules) for found in differences)


def _text(side: object) -> Json:
    return side if isinstance(side, str) else None


def answers(recorded: Candidate, asked: Keyed, config: Config) -> bool:
    """Whether an interaction would answer a request under these rules."""
    ours, theirs = (Keyed(keyed.resource, keyed.request, config) for keyed in (recorded.keyed, asked))
    if ours.key != theirs.key:
        return False
    return isinstance(best([Candidate(recorded.interaction, ours)], theirs, config.match_on), Match)
