"""The text of a file, and the pieces that it is cut into."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_server.endpoints.vector_store_text import chunks_of, text_of


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Grüße".encode(), "Grüße"),
        (b"\xef\xbb\xbfmarked", "marked"),
        ("Grüße".encode("utf-16"), "Grüße"),
        (b"\xff\x00readable\x80no\x81and more", "readable\nand more"),
        (b"", ""),
    ],
    ids=["utf-8", "marked", "utf-16", "bytes", "empty"],
)
def test_a_file_is_read_as_far_as_it_can_be(content: bytes, text: str) -> None:
    assert text_of(content) == text


def test_pieces_have_as_many_tokens_as_asked_and_begin_with_the_end_of_the_one_before() -> None:
    text = " abc def ghi jkl mno"

    assert chunks_of(text, 3, 1) == [" abc def ghi", " ghi jkl mno"]


@given(st.integers(0, 60), st.integers(1, 40), st.data())
def test_pieces_follow_each_other_without_a_gap(words: int, most: int, data: st.DataObject) -> None:
    text = " ".join(f"word{number:02}" for number in range(words))

    pieces = chunks_of(text, most, data.draw(st.integers(0, most // 2)))

    starts = [text.index(piece) for piece in pieces]
    ends = [0, *(start + len(piece) for start, piece in zip(starts, pieces, strict=True))]
    assert all(start <= end for start, end in zip(starts, ends, strict=False))
    assert (starts, ends[-1]) == (sorted(set(starts)), len(text))


@given(st.text(max_size=400), st.integers(1, 40))
def test_pieces_without_overlap_are_the_text(text: str, most: int) -> None:
    assert "".join(chunks_of(text, most, 0)) == text
