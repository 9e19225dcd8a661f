import pytest

from replay_server.cassettes.matchers import Matchers
from replay_server.cassettes.reach import shadowed
from replay_server.cassettes.reader import read_cassette


def found(*matches: str) -> list[tuple[int, int, bool]]:
    """The place of each matcher that never answers, of the one that does, and whether they are the same."""
    text = "---\n".join(f"match: {each}\nresponse: {{content: a}}\n" for each in matches)
    indexes = Matchers(read_cassette("a.yaml", text.encode())).indexes
    return [
        (each.matcher.interaction.place, each.by.interaction.place, each.same)
        for index in indexes
        for each in shadowed(index)
    ]


@pytest.mark.parametrize(
    "match",
    [
        "{model: gpt-4*}",
        "{last_user: a}",
        "{last_user: {equals: a}, turn: 1}",
        "{any_message: {regex: 'a+'}}",
        "{json: {a: 1, b: true}}",
        "{header: {a: b}, schema: {type: object}}",
        "{has_tool_result: true, system: {contains: a}}",
    ],
)
def test_equal_conditions_cannot_be_told_apart(match: str) -> None:
    assert found(match, match) == [(2, 1, True)]


def test_conditions_in_another_order_are_the_same() -> None:
    assert found("{last_user: a, turn: 1}", "{turn: {min: 1, max: 1}, last_user: {equals: a}}") == [(2, 1, True)]


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("{model: gpt-4*}", "{model: gpt-4o}"),
        ("{model: '*'}", "{model: gpt-4o}"),
        ("{last_user: {contains: ell}}", "{last_user: hello}"),
        ("{last_user: {contains: ell}}", "{last_user: {contains: hello}}"),
        ("{last_user: {regex: 'h.l+o'}}", "{last_user: hello}"),
        ("{any_message: {contains: ell}}", "{last_user: hello}"),
        ("{turn: {min: 1}}", "{turn: 3}"),
        ("{turn: {max: 3}}", "{turn: {min: 1, max: 2}}"),
        ("{header: {a: {contains: b}}}", "{header: {a: abc}}"),
        ("{last_user: {contains: a}, turn: {min: 0}}", "{last_user: ab}"),
        ("{last_user: {contains: a}, any_message: {contains: b}}", "{last_user: ab, model: m}"),
    ],
)
def test_one_that_follows_from_another_never_answers(wide: str, narrow: str) -> None:
    assert found(wide, narrow) == [(2, 1, False)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{model: gpt-4*}", "{model: gpt-5}"),
        ("{model: gpt-4o}", "{model: gpt-4*}"),
        ("{model: gpt-4*}", "{model: gpt-4o, turn: 1}"),
        ("{last_user: hello}", "{last_user: {contains: hello}}"),
        ("{last_user: {regex: a}}", "{last_user: {regex: ab}}"),
        ("{last_user: {contains: a}}", "{any_message: {contains: a}}"),
        ("{any_message: {contains: a}}", "{system: {contains: a}}"),
        ("{turn: 1}", "{turn: {min: 1}}"),
        ("{json: {a: 1}}", "{json: {a: true}}"),
        ("{endpoint: completions, model: m}", "{model: m}"),
        ("{header: {a: b}}", "{header: {b: b}}"),
    ],
)
def test_no_more_is_said_than_can_be_known(first: str, second: str) -> None:
    assert found(first, second) == []
