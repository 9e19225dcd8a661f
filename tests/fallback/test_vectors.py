"""Vectors of texts: close where words are shared, the same everywhere, of length 1."""

import os
import subprocess
import sys
from array import array
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay_server.fallback.lanes import unit_vector
from replay_server.fallback.vectors import text_vector, token_vector

DOCUMENTS = {
    "cats": "Cats are small domestic animals that purr and like to sleep.",
    "paris": "Paris is the capital of France and lies on the Seine.",
    "python": "Python is a programming language with dynamic typing.",
    "markets": "The stock market fell sharply on Monday after the report.",
    "bread": "Bake the bread for forty minutes in a hot oven.",
}
QUESTIONS = {
    "What is the capital of France?": "paris",
    "Which animal purrs?": "cats",
    "How do I bake a loaf of bread?": "bread",
    "Tell me about languages for programming": "python",
    "Why did the stocks fall?": "markets",
}


def near(left: "array[float]", right: "array[float]") -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize("dimensions", [64, 256, 1536])
@pytest.mark.parametrize(("question", "document"), QUESTIONS.items(), ids=QUESTIONS.values())
def test_a_question_lies_nearest_to_the_document_with_its_words(question: str, document: str, dimensions: int) -> None:
    asked = text_vector(question, dimensions)

    found = {name: near(asked, text_vector(text, dimensions)) for name, text in DOCUMENTS.items()}

    assert max(found, key=lambda name: found[name]) == document


def test_words_that_say_little_bring_no_texts_together() -> None:
    alike = near(text_vector("the cat and the dog of it", 1536), text_vector("the bus and the car of it", 1536))
    same = near(text_vector("the cat and the dog of it", 1536), text_vector("a cat or a dog", 1536))

    assert alike < 0.2 < 0.6 < same


def test_parts_of_words_count_a_little() -> None:
    word = text_vector("connect", 1536)

    assert 0.1 < near(word, text_vector("connection", 1536)) < 0.9
    assert near(word, text_vector("bicycle", 1536)) < 0.1


def test_the_case_and_the_form_of_a_word_make_no_difference() -> None:
    assert near(text_vector("Two cafés, ＣＡＴＳ", 1536), text_vector("two cafe\u0301s: cat", 1536)) > 0.8


def test_no_two_texts_are_quite_the_same() -> None:
    assert 0.9 < near(text_vector("dog bites man", 1536), text_vector("man bites dog", 1536)) < 0.9999


def test_tokens_are_words_and_common_ones_hardly_count() -> None:
    asked = token_vector([279, 6864, 315, 9822], 1536)  # " the capital of France"

    assert near(asked, token_vector([6864, 264, 9822], 1536)) > 0.8
    assert near(asked, token_vector([279, 5000, 315, 6000], 1536)) < 0.2


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), st.integers(1, 70))
def test_any_text_has_a_vector_of_length_one(text: str, dimensions: int) -> None:
    vector = text_vector(text, dimensions)

    assert len(vector) == dimensions
    assert near(vector, vector) == pytest.approx(1, abs=1e-5)


def test_a_shorter_vector_is_the_beginning_of_a_longer_one() -> None:
    long, short = text_vector("A lighthouse in Norway", 1536), text_vector("A lighthouse in Norway", 255)

    length = sqrt(near(long[:255], long[:255]))
    # Each is centred by itself, so that they differ in what is below a 32-bit float's reach.
    assert [number / length for number in long[:255]] == pytest.approx(list(short), abs=1e-6)


def test_a_long_text_is_added_up_in_batches() -> None:
    words = {(f"word {number}", ()): 4 for number in range(300)}
    one_by_one = [unit_vector({feature: 1}, 16) for feature in words]

    together = unit_vector(words, 16)

    assert near(together, array("f", together)) == pytest.approx(1, abs=1e-5)
    # Every feature is in it: their mean nearness is that of a sum of 300 of them.
    assert sum(near(together, vector) for vector in one_by_one) > 300 / sqrt(300) / 2


def test_vectors_that_cancel_out_have_a_direction_still() -> None:
    found = {tuple(unit_vector({(f"word {number}", ()): 2, (f"word {number + 1}", ()): 2}, 1)) for number in range(300)}

    assert found == {(1.0,), (-1.0,)}


def test_every_process_makes_the_same_vectors() -> None:
    script = "from replay_server.fallback.vectors import *; print(text_vector('A cat, 猫', 9), token_vector([5, 6], 9))"

    printed = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }

    assert printed == {f"{text_vector('A cat, 猫', 9)} {token_vector([5, 6], 9)}\n"}
