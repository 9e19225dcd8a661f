import re
from typing import Any

import pytest

from replay_server.cassettes.library import Library
from replay_server.replay.explanation import Explanation, explain_miss, explain_request
from replay_server.replay.markdown import block, plain
from replay_server.replay.view import whole
from tests.libraries import asked, chat, interaction, library

NASTY = "\x1b[2J::error::x `</code>` <script>alert(1)</script> | *b* ![x](http://x) ##[set-env]\n::add-mask::x"


def explained(there: Library, body: dict[str, Any], record: str = "record it: …") -> Explanation:
    return explain_miss(whole(there), asked(there, body), [], record=record)


def test_the_short_form_has_a_line_for_each_of_the_nearest_and_what_to_do() -> None:
    there = library(chat("on 2026-01-02"), chat("x", "y"), chat("z", "y", "z", "z"))

    text = explained(there, chat("on 2027-03-04")).short()

    assert re.sub("key [0-9a-f]{16}", "key …", text) == (
        "no interaction for chat/completions (key …) in cassettes (3 interactions)\n"
        "nearest: a.yaml#1, recorded != asked at messages[0].content: 'on 2026-01-02' != 'on 2027-03-04'\n"
        "then: a.yaml#2 (model =, messages[0] (user) ≠, messages[1] (assistant) -)\n"
        "then: a.yaml#3 (model =, messages[0] (user) ≠, messages[1..3] -)\n"
        "only a date differs; in cassettes/replay.yaml this matches: volatile: [date]\n"
        "record it: …"
    )


def test_the_short_form_stays_short() -> None:
    words = " ".join(f"word{at}" for at in range(5_000))
    bodies = [chat(*[f"{at} {words}", words] * 40, model="m" * 400, n=at) for at in range(5)]
    there = Library("c" * 100, [interaction(body, "a" * 200, place) for place, body in enumerate(bodies)])

    text = explained(there, chat(words, model="n" * 400), "record it: " + "x" * 150).short()

    assert len(text) < 1_500
    assert text.endswith("x")


def test_one_line_for_the_log() -> None:
    line = explained(library(chat("a\nb")), chat("A\nB")).line()

    assert line.endswith(
        " in cassettes (1 interactions) - nearest: a.yaml#1, recorded != asked at messages[0].content: 'a\\nb' !="
        " 'A\\nB' - only upper and lower case differs, at messages[0].content: ask as it was recorded"
    )


def test_the_long_form_shows_long_texts_word_by_word() -> None:
    long = "Plan a trip to {} in spring, for two people who like the sea and good food."
    there = library(chat(long.format("Paris")))

    lines = list(explained(there, chat(long.format("Rome"))).lines())

    assert lines[-6:-4] == ["matches    nothing", "near       a.yaml#1, recorded != asked at"]
    assert lines[-3:] == [
        "    Plan a trip to [-Paris-]{+Rome+} in spring, for two people …",
        "  parts    model =, messages[0] (user) ≠",
        "record it: …",
    ]


@pytest.mark.parametrize("color", [False, True])
def test_only_our_own_colours_reach_a_terminal(color: bool) -> None:
    there = library(chat(NASTY, model=NASTY))

    text = "\n".join(explained(there, chat(f"{NASTY}{NASTY}", model=f"{NASTY}!")).lines(color=color))

    assert set(re.findall(r"\x1b\[[^m]*m?", text)) == ({"\x1b[1m", "\x1b[0m", "\x1b[32m"} if color else set())
    assert {char for char in text if not char.isprintable()} == ({"\n", "\x1b"} if color else {"\n"})


def test_json_has_it_all() -> None:
    found = explained(library(chat("on 2026-01-02"), {"model": "m", "prompt": "on 2027-03-04"}), chat("on 2027-03-04"))

    shown: Any = found.as_json()

    assert shown["match"] is None
    assert shown["nearest"] == [
        {
            "interaction": "a.yaml#1",
            "line": 1,
            "parts": [
                {"name": "model", "role": "", "sign": "="},
                {"name": "messages[0]", "role": "user", "sign": "≠"},
            ],
            "differences": [
                {
                    "path": "messages[0].content",
                    "recorded": "on 2026-01-02",
                    "asked": "on 2027-03-04",
                    "words": None,
                }
            ],
            "remedies": [
                {
                    "kind": "volatile",
                    "text": "only a date differs; in cassettes/replay.yaml this matches",
                    "paste": "volatile: [date]",
                }
            ],
        }
    ]
    assert [remedy["kind"] for remedy in shown["elsewhere"]] == ["endpoint"]
    assert shown["record"] == "record it: …"


def test_a_side_that_has_nothing_is_left_out_of_the_json() -> None:
    shown: Any = explained(library(chat("x")), chat("x", "y")).as_json()

    assert shown["nearest"][0]["differences"] == [
        {"path": "messages[1]", "asked": {"role": "assistant", "content": "y"}, "words": None}
    ]


def test_markdown_is_a_table_the_difference_and_what_to_paste() -> None:
    text = explained(library(chat("on 2026-01-02"), chat("x")), chat("on 2027-03-04"), "").markdown()

    assert text.startswith("#### no interaction for chat&#47;completions &#40;key ")
    assert "\n| <code>a&#46;yaml&#35;1</code> | model &#61;, messages&#91;0&#93; &#40;user&#41; ≠ |\n" in text
    assert "\n```\non [-2026-01-02-]{+2027-03-04+}\n```\n" in text
    assert text.endswith(
        "only a date differs; in cassettes&#47;replay&#46;yaml this matches:\n\n```yaml\nvolatile: [date]\n```\n"
    )


def test_markdown_takes_nothing_for_markup() -> None:
    there = library(chat(NASTY, model=NASTY))

    text = explained(there, chat(f"{NASTY}!", model=f"{NASTY}?")).markdown()

    outside = re.sub(r"^(`{3,})[a-z]*\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"<[^>]*>", outside)) == {"<code>", "</code>"}
    assert re.findall(r"[*`!]|\[|\]\(|http:", outside) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a_b*c*", "a&#95;b&#42;c&#42;"), ("<b>|`", "&#60;b&#62;&#124;&#96;"), ("é ≠\n", "é ≠&#92;n")],
    ids=["emphasis", "tags and cells", "others"],
)
def test_text_stays_text_in_markdown(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_fence_is_longer_than_any_within() -> None:
    assert block("a\n````\nb", "yaml") == "`````yaml\na\n````\nb\n`````"


def test_what_matches_is_one_line() -> None:
    there = library(chat("x"))
    resource = asked(there, chat("x")).resource

    found = explain_request(there, resource, resource.from_cassette(chat("x")))

    assert re.fullmatch(r"a\.yaml#1 answers chat/completions \(key [0-9a-f]{16}\)", found.short())
    assert (found.line(), found.matches) == (found.short(), True)
    assert found.markdown() == f"{plain(found.short())}\n"
