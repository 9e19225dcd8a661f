"""The tally: every answer is counted, for what answered it, and its memory has a bound."""

from collections.abc import Iterator

import pytest

from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import Match
from replay_server.cassettes.reader import read_cassette
from replay_server.interaction import Interaction
from replay_server.replay import tally as module
from replay_server.replay.journal import Fields
from replay_server.replay.report import Answers, Kind
from replay_server.replay.tally import Tally

CHAT = "chat/completions"
KEY = "sk-" + "aB3dE6gH9jK2mN5pQ8sT1vW4"


def document(text: str) -> str:
    return f"request: {{model: m, messages: [{{role: user, content: {text}}}]}}\nresponse: {{content: {text}}}\n"


def interactions(*texts: str, cassette: str = "a.yaml") -> list[Interaction]:
    return list(read_cassette(cassette, "---\n".join(map(document, texts)).encode()))


def entry(session: str = "", endpoint: str = CHAT, source: str = "generated", status: int = 200) -> Fields:
    headers = {"x-replay-source": source}
    return (session, "POST", "/v1/x", endpoint, "m", False, status, headers, 0.0, 0.25, b"{}", (), "", "")


def hit(tally: Tally, interaction: Interaction, *drift: str, session: str = "") -> None:
    tally.note(entry(session, source="cassette"), Match(interaction, drift), True)


def used(tally: Tally, library: Library) -> list[tuple[str, Kind, int]]:
    return [(row.interaction, row.kind, row.hits) for row in tally.report(library).interactions]


def test_hits_and_drift_are_counted_for_each_interaction() -> None:
    one, two = held = interactions("one", "two")
    tally, library = Tally(), Library("cassettes", held)

    for drift in ((), ("n",), ("n", "top_p")):
        hit(tally, one, *drift, session="test")
    report = tally.report(library)

    assert [(row.interaction, row.hits, row.drift) for row in report.interactions] == [
        ("a.yaml#1", 3, {"n": 2, "top_p": 1}),
        ("a.yaml#2", 0, {}),
    ]
    assert [row.interaction for row in report.unused] == [two.id]
    assert (report.answers, report.sessions) == ((Answers(CHAT, "cassette", 200, 3),), {"test": {"cassette": 3}})


def test_the_paths_that_clients_make_up_are_no_endpoints() -> None:
    tally = Tally()

    for number in range(3):
        tally.note(entry(endpoint=f"GET /v1/made-up/{number}", source="error", status=404), None, True)

    assert tally.report(Library("cassettes")).answers == (Answers("other", "error", 404, 3),)


def test_what_clients_have_named_is_without_secrets() -> None:
    (one,) = held = interactions("one")
    tally = Tally()

    hit(tally, one, KEY, session=KEY)
    report = tally.report(Library("cassettes", held))

    assert KEY not in str(report)
    assert report.sessions == {"<redacted:openai-key:1>": {"cassette": 1}}


# Files that change ---------------------------------------------------------------------------------------------------


def test_a_document_that_has_moved_in_its_file_is_still_used() -> None:
    one, two = held = interactions("one", "two")
    tally, library = Tally(), Library("cassettes", held)
    hit(tally, two)

    library.put("a.yaml", interactions("two", "three"))
    hit(tally, library.held("a.yaml")[0])

    assert used(tally, library) == [("a.yaml#1", Kind.WRITTEN, 2), ("a.yaml#2", Kind.WRITTEN, 0)]
    assert one.id == "a.yaml#1"


def test_a_document_that_is_gone_keeps_its_hits() -> None:
    (one,) = held = interactions("one")
    tally, library = Tally(), Library("cassettes", held)
    hit(tally, one)

    library.put("a.yaml", interactions("another"))

    assert sorted(used(tally, library)) == [("a.yaml#1", Kind.GONE, 1), ("a.yaml#1", Kind.WRITTEN, 0)]


def test_a_document_that_a_recorder_has_added_to_is_the_same_one() -> None:
    (one,) = held = interactions("one")
    tally, library = Tally(), Library("cassettes", held)
    hit(tally, one)

    grown = list(
        read_cassette("a.yaml", document("one").replace("{content: one}", "[{content: one}, {content: two}]").encode())
    )
    library.put("a.yaml", grown)
    tally.replaced(held, grown)
    tally.recorded(grown[0])

    (row,) = tally.report(library).interactions
    assert (row.kind, row.hits, row.recorded) == (Kind.WRITTEN, 1, 1)


def test_twins_are_told_apart() -> None:
    first, second = held = interactions("one", "one")
    tally = Tally()

    hit(tally, second)

    assert used(tally, Library("cassettes", held)) == [(first.id, Kind.WRITTEN, 0), (second.id, Kind.WRITTEN, 1)]


def test_what_was_added_at_run_time_is_no_document_of_a_cassette() -> None:
    (added,) = interactions("one", cassette="run-time/1")
    tally = Tally()

    hit(tally, added)

    assert used(tally, Library("cassettes")) == [("run-time/1#1", Kind.ADDED, 1)]


# Bounds --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("MOST_SESSIONS", "MOST_INTERACTIONS", "MOST_MISSES"):
        monkeypatch.setattr(module, name, 2)
    monkeypatch.setattr(module, "MOST_COUNTS", 4)
    return iter(())


@pytest.mark.usefixtures("narrow")
def test_sessions_beyond_the_bound_are_counted_together() -> None:
    tally = Tally()

    for number in range(5):
        tally.note(entry(f"s{number}"), None, True)

    assert tally.report(Library("cassettes")).sessions == {
        "s0": {"generated": 1},
        "s1": {"generated": 1},
        "(others)": {"generated": 3},
    }


@pytest.mark.usefixtures("narrow")
def test_fields_beyond_the_bound_are_counted_together_and_no_hit_is_lost() -> None:
    (one,) = held = interactions("one")
    tally = Tally()

    for number in range(10):
        hit(tally, one, f"field{number}")
    (row,) = tally.report(Library("cassettes", held)).interactions

    assert (row.hits, row.drift["(others)"], len(row.drift)) == (10, 6, 5)


@pytest.mark.usefixtures("narrow")
def test_a_report_says_that_it_could_not_tell_all_interactions_apart() -> None:
    held = interactions("one", "two", "three")
    tally, library = Tally(), Library("cassettes", held)

    hit(tally, held[0])
    hit(tally, held[1])
    before = tally.report(library).complete
    hit(tally, held[2])
    report = tally.report(library)

    assert (before, report.complete, report.requests) == (True, False, 3)


@pytest.mark.usefixtures("narrow")
def test_so_many_misses_are_told() -> None:
    tally = Tally()

    for text in ("one", "two", "three", "one"):
        tally.miss(text)

    assert tally.report(Library("cassettes")).misses == {"one": 2, "two": 1}
