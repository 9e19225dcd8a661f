import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_server.record.text_diff import Piece, word_diff

LOREM = " ".join(f"word{number}" for number in range(60))


def marked(pieces: list[Piece]) -> str:
    marks = {" ": "{}", "-": "[-{}-]", "+": "{{+{}+}}"}
    return "".join(marks[piece.sign].format(piece.text) for piece in pieces)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("It is in Paris.", "It is in Rome.", "It is in [-Paris-]{+Rome+}."),
        ("It is here.", "It is not here.", "It is {+not +}here."),
        ("stop", "length", "[-stop-]{+length+}"),
        ("", "Hi", "{+Hi+}"),
        ("All of it is new.", "Nobody says this, never.", "[-All of it is new.-]{+Nobody says this, never.+}"),
        (f"{LOREM} a", f"{LOREM} b", "…rd54 word55 word56 word57 word58 word59 [-a-]{+b+}"),
        (f"a {LOREM}", f"b {LOREM}", "[-a-]{+b+} word0 word1 word2 word3 word4 word5 wor…"),
        (
            f"a {LOREM} c",
            f"b {LOREM} d",
            "[-a-]{+b+} word0 word1 word2 word3 word4 word5 wor…rd54 word55 word56 word57 word58 word59 [-c-]{+d+}",
        ),
        ("a", "x" * 500, f"[-a-]{{+{'x' * 200}…{'x' * 200}+}}"),
    ],
    ids=[
        "a word",
        "a word more",
        "one word",
        "nothing",
        "another text",
        "the end",
        "the beginning",
        "both",
        "a long one",
    ],
)
def test_texts_are_compared_word_by_word(old: str, new: str, expected: str) -> None:
    assert marked(word_diff(old, new)) == expected


@given(st.text("ab \n", max_size=30), st.text("ab \n", max_size=30))
def test_the_pieces_are_the_two_texts(old: str, new: str) -> None:
    pieces = word_diff(old, new)

    assert "".join(piece.text for piece in pieces if piece.sign != "+") == old
    assert "".join(piece.text for piece in pieces if piece.sign != "-") == new


def test_two_books_are_not_compared_word_by_word() -> None:
    old, new = ("".join(f"{letter}{number} " for number in range(20_000)) for letter in "ab")

    assert [piece.sign for piece in word_diff(old, new)] == ["-", "+"]
