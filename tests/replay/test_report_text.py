"""Reports as people read them."""

from replay_server.replay.report import Answers, Kind, Report, Row
from replay_server.replay.report_text import lines, markdown

REPORT = Report(
    interactions=(
        Row(interaction="a.yaml#1", digest="d1", kind=Kind.WRITTEN, hits=12, drift={"top_p": 1, "temperature": 3}),
        Row(interaction="a.yaml#2", digest="d2", kind=Kind.RECORDED),
        Row(interaction="long/b.yaml#1", digest="d3", kind=Kind.MATCHER, hits=1, recorded=0),
    ),
    answers=(
        Answers("chat/completions", "cassette", 200, 12),
        Answers("chat/completions", "matcher", 200, 1),
        Answers("chat/completions", "miss", 404, 3),
    ),
    sessions={"": {"miss": 1}, "one": {"cassette": 12}, "two": {"matcher": 1, "miss": 2}},
    misses={"no interaction for x\nnearest: \x1b[31m a.yaml#2 <b>": 2, "no interaction for y": 1},
)
TEXT = """\
16 requests: cassette 12, miss 3, matcher 1
3 interactions: 2 used, 1 unused

interaction              hits  drift
a.yaml#1                   12  temperature 3, top_p 1
long/b.yaml#1 (matcher)     1

unused (1)
  a.yaml#2

drift (1)
  a.yaml#1: temperature 3, top_p 1

sessions with answers from no recording
  two: miss 2

misses (3)
  2 x no interaction for x
      nearest: \\x1b[31m a.yaml#2 <b>
  1 x no interaction for y
"""


def test_the_text_says_what_was_used_and_what_was_not() -> None:
    assert "\n".join(lines(REPORT)) + "\n" == TEXT


def test_colours_change_nothing_else() -> None:
    coloured = "\n".join(lines(REPORT, color=True))

    assert "\x1b[33munused (1)\x1b[0m" in coloured
    assert "\x1b[31mmisses (3)\x1b[0m" in coloured
    assert "\\x1b[31m a.yaml#2" in coloured  # what a client says steers no terminal


def test_a_run_that_was_asked_nothing_has_a_report_too() -> None:
    assert list(lines(Report())) == ["0 requests", "0 interactions"]
    assert markdown(Report()) == "## replay-server\n\n- 0 requests\n- 0 interactions\n"


def test_nothing_that_a_client_says_is_taken_for_markdown() -> None:
    text = markdown(REPORT, ["--fail-on miss: 3 missed requests"])

    assert "<b>" not in text
    assert "\x1b" not in text
    assert "- **&#45;&#45;fail&#45;on miss&#58; 3 missed requests**" in text
    assert "| <code>a&#46;yaml&#35;1</code> | written | 12 |" in text
    assert "- 2 x no interaction for x<br>nearest&#58; " in text


def test_a_table_of_markdown_has_as_many_cells_as_headings() -> None:
    hostile = Row(interaction="a|b.yaml#1", digest="d", kind=Kind.WRITTEN, hits=1, drift={"x|\n|y": 1})

    rows = [line for line in markdown(Report(interactions=(hostile,))).splitlines() if line.startswith("|")]

    assert [line.count("|") for line in rows] == [3, 3, 3, 4, 4, 4]
