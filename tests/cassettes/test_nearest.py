from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import Candidate, Keyed, Match
from replay_server.cassettes.nearest import nearest
from replay_server.cassettes.part_index import PartIndex
from replay_server.keys import canonical_json
from tests.libraries import asked, chat, interaction, library

# Few words and few lengths, so that there are ties, and parts that many hold.
messages = st.lists(st.sampled_from(["red", "green", "blue", "red blue", "green blue"]), max_size=5)
requests = st.builds(lambda texts, model, n: chat(*texts, model=model, n=n), messages, *[st.sampled_from([1, 2])] * 2)


def multiset(keyed: Keyed) -> Counter[bytes]:
    """The parts of a request, wherever in their list they stand."""
    fields = {**keyed.canonical, **keyed.shape}
    return Counter(
        canonical_json([name, item])
        for name, value in fields.items()
        for item in (value if isinstance(value, list) else [value])
    )


def naive(candidates: Iterable[Candidate], wanted: Keyed, count: int) -> list[tuple[int, str]]:
    """Every candidate compared with the request: the definition of what the index finds. Without words."""
    theirs = multiset(wanted)

    def score(candidate: Candidate) -> int:
        ours = multiset(candidate.keyed)
        return abs(ours.total() - theirs.total()) - 2 * (ours & theirs).total()

    ranked = sorted(enumerate(candidates), key=lambda found: (score(found[1]), found[0]))
    return [(score(candidate), candidate.interaction.id) for _, candidate in ranked[:count]]


def candidates_of(bodies: list[dict[str, Any]]) -> list[Candidate]:
    there = library()
    found = [interaction(body, place=place) for place, body in enumerate(bodies, 1)]
    return [Candidate(each, asked(there, dict(each.request))) for each in found]


@given(st.lists(requests, max_size=40), requests, st.integers(1, 8), st.integers(1, 6), st.sets(st.integers(0, 39)))
def test_the_index_ranks_as_if_everything_were_compared(
    bodies: list[dict[str, Any]], body: dict[str, Any], count: int, many: int, removed: set[int]
) -> None:
    candidates, wanted = candidates_of(bodies), asked(library(), body)
    index = PartIndex(candidates, many)
    for place in removed & set(range(len(candidates))):
        index.remove(candidates[place])

    found = index.shortlist(wanted, count)

    left = [candidate for place, candidate in enumerate(candidates) if place not in removed]
    scores = [score for score, _ in naive(left, wanted, count)]
    assert [score[0] for score, _ in found] == scores
    assert len(index) == len(left)
    if all(score[1] == 0 for score, _ in found):  # no words decided
        assert [(score[0], candidate.interaction.id) for score, candidate in found] == naive(left, wanted, count)


def test_of_equals_the_one_with_the_same_rare_words_is_nearest() -> None:
    there = library(*(chat(f"Tell me of the {word} in number {at}") for at, word in enumerate(["sea", "sun"] * 300)))

    found = nearest(there, asked(there, chat("Tell me more of the sea in number 444")))

    assert found[0].interaction.id == "a.yaml#445"


def test_what_has_been_put_into_a_library_is_found_and_what_it_replaced_is_not() -> None:
    there = library(chat("Say hello."))
    wanted = asked(there, chat("Say hullo."))
    before = [near.interaction.id for near in nearest(there, wanted)]

    there.put("a.yaml", [interaction(chat("Bye."))])
    there.put("b.yaml", [interaction(chat("Say hallo."), "b.yaml")])

    assert before == ["a.yaml#1"]
    assert [near.interaction.id for near in nearest(there, wanted)] == ["b.yaml#1", "a.yaml#1"]


def test_a_cassette_that_is_put_again_and_again_is_indexed_anew() -> None:
    there = library(chat("Say hello."))
    for text in ("one", "two", "three"):
        there.put("a.yaml", [interaction(chat(text))])
        found = nearest(there, asked(there, chat("four")))

    assert [str(near.differences[0]) for near in found] == ["messages[0].content: 'three' != 'four'"]


def test_what_has_the_key_comes_first() -> None:
    there = library(chat("x", "y", "z", n=1), chat("x", n=3))
    wanted = asked(there, chat("x", n=2))
    disagreements = there.find(wanted)

    assert not isinstance(disagreements, Match)
    assert [near.interaction.id for near in nearest(there, wanted, disagreements)] == ["a.yaml#2", "a.yaml#1"]


def test_other_endpoints_are_not_near() -> None:
    there = library(chat("x"), {"model": "m", "prompt": "x"})

    assert [near.interaction.id for near in nearest(there, asked(there, chat("y")))] == ["a.yaml#1"]


@pytest.mark.parametrize("size", [0, 1, 5])
def test_there_are_never_more_than_three(size: int) -> None:
    there = library(*(chat(str(at)) for at in range(size)))

    assert len(nearest(there, asked(there, chat("x")))) == min(size, 3)


def test_an_empty_library_has_nothing_near() -> None:
    there = Library("cassettes")

    assert nearest(there, asked(there, chat("x"))) == []
