import pytest

from replay_server.cassettes import linear_regex
from replay_server.cassettes.linear_regex import Regex, RegexSet, escaped, glob, is_glob


def test_groups_are_those_that_took_part() -> None:
    assert Regex("(?P<a>x)|(?P<b>y)").groups("zy") == {"b": "y"}
    assert Regex("x").groups("z") is None


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}b", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_a_hostile_pattern_takes_linear_time(pattern: str) -> None:
    assert Regex(pattern).groups("a" * 50_000 + "!") is None  # by backtracking this would never end


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("gpt-4*", "gpt-4o-mini", True),
        ("gpt-4*", "my-gpt-4", False),
        ("gpt-?", "gpt-4", True),
        ("gpt-?", "gpt-4o", False),
        ("gpt.4", "gptx4", False),
        ("*", "a\nb", True),
        ("[a]*", "[a]b", True),
    ],
)
def test_a_glob_is_of_the_whole_name(pattern: str, name: str, matches: bool) -> None:
    assert (Regex(glob(pattern)).groups(name) is not None) is matches


def test_a_name_without_signs_is_no_glob() -> None:
    assert [is_glob(name) for name in ("gpt-4", "gpt-*", "gpt-?")] == [False, True, True]


@pytest.mark.parametrize(
    "patterns", [["ab", "[a-z]", "x y"], ["[a-z]"], ["needle"]], ids=["both", "none has a text", "all"]
)
def test_a_set_finds_what_each_finds(patterns: list[str]) -> None:
    found = RegexSet(patterns)

    for text in ("", "ab", "x y", "a needle", "AB"):
        expected = {at for at, pattern in enumerate(patterns) if Regex(pattern).groups(text) is not None}
        assert expected <= set(found.found(text))


def test_an_engine_that_gives_up_leaves_none_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_regex, "_MEMORY_OF_A_SET", 1)

    found = RegexSet(["[ab]c?", "[b-d]+", escaped("ab")])

    assert {0, 1} <= set(found.found("zzz"))
