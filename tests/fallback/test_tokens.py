import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_server.fallback import count, prompt_tokens, split
from replay_server.interaction import Prompt

texts = st.text(st.characters(exclude_categories=["Cs"])) | st.text(" \t\n\rab1.,'中é😀")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        ("Hello, world!", ["Hello", ",", " world", "!"]),
        ("two  spaces", ["two", " ", " spaces"]),
        ("line.\n\nNext", ["line", ".\n\n", "Next"]),
        ("It's 2024", ["It's", " ", "202", "4"]),
        ("internationalisation", ["internatio", "nalisation"]),
        ("巴黎 Paris", ["巴", "黎", " Paris"]),
        ('{"city":"Paris"}', ['{"', "city", '":"', "Paris", '"}']),
        ("👍🏽", ["👍", "🏽"]),
    ],
)
def test_text_is_cut_by_the_token_rule(text: str, tokens: list[str]) -> None:
    assert split(text) == tokens


@given(texts)
def test_tokens_joined_are_the_text(text: str) -> None:
    assert "".join(split(text)) == text
    assert count(text) == len(split(text))


@given(texts, st.integers(0, 20))
def test_text_cut_between_two_tokens_keeps_its_tokens(text: str, kept: int) -> None:
    tokens = split(text)[:kept]

    assert split("".join(tokens)) == tokens


def test_long_text_is_counted_as_it_is_split() -> None:
    text = "Some words, again and again.\n" * 100

    assert count(text) == len(split(text)) == 700


def test_prompt_costs_its_texts_ids_and_framing() -> None:
    prompt = Prompt(text="Hello there", context=("You are kind.", ""), token_ids=(5, 6, 7), framing_tokens=11)

    assert prompt_tokens(prompt) == 2 + 4 + 3 + 11
