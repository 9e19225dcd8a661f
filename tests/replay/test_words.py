import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_server.replay.words import Kind, compare, written

LONG = "word " * 40
texts = st.lists(st.sampled_from(["a", "b", " ", "\n", "天", "é", "-", "x1"]), max_size=60).map("".join)


@pytest.mark.parametrize(
    ("recorded", "asked", "line"),
    [
        ("the weather in Paris today", "the weather in Rome today", "the weather in [-Paris-]{+Rome+} today"),
        ("x", "x y", "x{+ y+}"),
        ("a b c", "a c", "a [-b -]c"),
        ("", "new", "{+new+}"),
        ("tab\there", "tab here", r"tab[-\t-]{+ +}here"),
        ("今天天气好", "今天天气坏", "今天天气[-好-]{+坏+}"),
        ("café au lait", "café noir", "café [-au lait-]{+noir+}"),
        ("\x1b[31m red", "the red", r"[-\x1b[31m-]{+the+} red"),
        ("same", "same", "same"),
    ],
    ids=[
        "a word", "added", "removed", "from nothing", "control characters", "no spaces", "accents", "escape", "equal",
    ],
)  # fmt: skip
def test_only_the_words_that_changed_are_marked(recorded: str, asked: str, line: str) -> None:
    assert written(compare(recorded, asked)) == line


def test_what_is_far_from_any_change_is_left_out() -> None:
    line = written(compare(f"{LONG}Paris {LONG}July {LONG}", f"{LONG}Rome {LONG}June {LONG}", context=4))

    assert line == "…word word [-Paris-]{+Rome+} word word…word word [-July-]{+June+} word word…"


def test_on_a_terminal_changes_are_red_and_green() -> None:
    assert written(compare("a b", "a c"), color=True) == "a \x1b[31m[-b-]\x1b[0m\x1b[32m{+c+}\x1b[0m"


@given(texts, texts)
def test_the_pieces_make_both_texts(recorded: str, asked: str) -> None:
    pieces = compare(recorded, asked, context=1_000)

    assert "".join(piece.text for piece in pieces if piece.kind is not Kind.NEW) == recorded
    assert "".join(piece.text for piece in pieces if piece.kind is not Kind.RECORDED) == asked


def test_texts_that_have_little_in_common_count_as_changed_from_end_to_end() -> None:
    recorded, asked = ("start " + " ".join(f"{name}{at}" for at in range(2_000)) + " end" for name in "xy")

    kinds = [piece.kind for piece in compare(recorded, asked)]

    assert kinds == [Kind.SAME, Kind.RECORDED, Kind.NEW, Kind.SAME]


@pytest.mark.parametrize(
    ("recorded", "asked", "line"),
    [
        ("It is in Paris.", "It is in Rome.", "It is in [-Paris-]{+Rome+}."),
        ("All of it is new.", "Nobody says this, never.", "[-All of it is new.-]{+Nobody says this, never.+}"),
        ("", "", ""),
    ],
    ids=["alike", "another text", "nothing"],
)
def test_a_text_that_is_another_one_can_be_shown_as_a_whole(recorded: str, asked: str, line: str) -> None:
    assert written(compare(recorded, asked, least_alike=0.4)) == line


def test_of_a_long_change_begin_and_end_are_shown() -> None:
    line = written(compare("", "begin " + "x" * 5_000 + " end"))

    assert len(line) < 1_100
    assert (line[:9], line[-7:]) == ("{+begin x", "x end+}")


def test_texts_that_repeat_themselves_are_compared_too() -> None:
    recorded, asked = "a a b " * 300, "b a a " * 300

    pieces = compare(recorded, asked, context=10_000)

    assert "".join(piece.text for piece in pieces if piece.kind is not Kind.RECORDED) == asked
