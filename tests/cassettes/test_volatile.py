import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_server.cassettes.agreement import differences
from replay_server.cassettes.config import Config, read_config
from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import Match
from replay_server.cassettes.volatile import added_rules, volatile_yaml
from replay_server.keys import VOLATILE_TEXT, Volatile
from tests.libraries import asked, chat, interaction, library

TICKET = Volatile("ticket", re.compile(r"T-\d+: '\w'"))


def named(*names: str) -> tuple[Volatile, ...]:
    return tuple(Volatile(name, re.compile(VOLATILE_TEXT[name])) for name in names)


def written(rules: Sequence[Volatile]) -> list[tuple[str, str]]:
    """Names and patterns: rules of different engines are never equal."""
    return [(rule.name, rule.pattern.pattern) for rule in rules]


def suggested(recorded: dict[str, Any], body: dict[str, Any], there: Config) -> Any:
    recordings = library(recorded, config=there)
    candidate, wanted = next(iter(recordings)), asked(recordings, body)
    found = added_rules(candidate, wanted, there, list(differences(candidate, wanted, there.match_on)))
    return found and tuple(tuple(rule.name for rule in rules) for rules in found)


@pytest.mark.parametrize(
    ("recorded", "now", "rules"),
    [
        ("on 2026-01-02", "on 2027-03-04", ("date",)),
        ("at 2026-01-02T10:11Z", "at 2027-03-04T12:13:14+01:00", ("datetime",)),
        ("6f1b2a52-93c4-4c1e-8f0e-0a3f6a4b1c2d", "7f1b2a52-93c4-4c1e-8f0e-0a3f6a4b1c2d", ("uuid",)),
        ("open /home/ann/a.py", "open /home/bob/work/a.py", ("path",)),
        ("17 of them", "4.5 of them", ("number",)),
        ("on 2026-01-02, 17 of them", "on 2027-03-04, 18 of them", ("number",)),
        ("/home/a/b on 2026-01-02", "/tmp/c/d on 2027-03-04", ("date", "path")),
        ("in Paris", "in Rome", None),
        ("17 in Paris", "18 in Rome", None),
        ("run 17", "run x", None),
    ],
    ids=[
        "date", "datetime", "uuid", "path", "number", "numbers cover dates", "two", "a word", "more than a number",
        "only one side",
    ],
)  # fmt: skip
def test_the_fewest_rules_that_make_it_match_are_suggested(
    recorded: str, now: str, rules: tuple[str, ...] | None
) -> None:
    assert suggested(chat(recorded), chat(now), Config()) == (rules and (rules, rules))


@pytest.mark.parametrize(
    ("recorded", "body"),
    [
        (chat("x", model="m-1"), chat("x", model="m-2")),
        (chat("on 2026-01-02", n=2), chat("on 2027-03-04")),
        (chat("on 2026-01-02", "y"), chat("on 2027-03-04")),
    ],
    ids=["the number of a model", "another shape too", "a message more"],
)
def test_no_rule_is_suggested_that_would_not_do(recorded: dict[str, Any], body: dict[str, Any]) -> None:
    assert suggested(recorded, body, Config()) is None


def test_rules_that_are_there_are_kept() -> None:
    there = Config(volatile=(TICKET, *named("uuid")))

    found = suggested(chat("T-12: 'a' on 2026-01-02"), chat("T-13: 'b' on 2027-03-04"), there)

    assert found == (("date",), ("ticket", "uuid", "date"))


pieces = st.sampled_from(
    ["2026-01-02", "2027-03-04", "17", "3.5", "/a/b", "/c/d/e", "2026-01-02T10:11Z", "x", " ", "-", "T", "Paris"]
)
texts = st.lists(pieces, max_size=6).map("".join)
rules = st.lists(st.sampled_from([TICKET, *named(*VOLATILE_TEXT)]), max_size=3, unique=True)


@given(texts, texts, rules)
def test_a_rule_that_is_suggested_makes_the_request_match(recorded: str, now: str, there: list[Volatile]) -> None:
    config = Config(volatile=tuple(there))
    recordings = library(chat(recorded), config=config)
    candidate, wanted = next(iter(recordings)), asked(recordings, chat(now))
    found = added_rules(candidate, wanted, config, list(differences(candidate, wanted, ())))
    if found is None:
        return

    pasted = read_config("replay.yaml", volatile_yaml(found[1]).encode())
    mended = Library("cassettes", [interaction(chat(recorded))], pasted)

    assert set(written(there)) <= set(written(pasted.volatile))
    assert next(iter(mended)).keyed.key == asked(mended, chat(now)).key
    assert isinstance(mended.find(asked(mended, chat(now))), Match)


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        (named("date"), "volatile: [date]"),
        (named("date", "uuid"), "volatile: [date, uuid]"),
        ((TICKET, *named("date")), r"volatile: [{name: ticket, regex: 'T-\d+: ''\w'''}, date]"),
    ],
    ids=["one", "two", "a rule of one's own"],
)
def test_rules_are_written_as_they_are_read(rules: tuple[Volatile, ...], text: str) -> None:
    assert volatile_yaml(rules) == text
    assert written(read_config("replay.yaml", text.encode()).volatile) == written(rules)
