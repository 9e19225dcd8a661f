from typing import Any

import pytest

from replay_server.cassettes.config import Config
from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import Match
from replay_server.replay.explanation import explain_miss
from replay_server.replay.view import whole
from tests.libraries import asked, chat, interaction, library

SYSTEM: Any = {"role": "system", "content": "Be brief."}


def tool(name: str, **properties: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": properties}}}


def mended(there: Library, body: dict[str, Any]) -> list[tuple[str, str]]:
    """What is said of the nearest interaction."""
    wanted = asked(there, body)
    found = there.find(wanted)
    assert not isinstance(found, Match)
    explanation = explain_miss(whole(there), wanted, found)
    return [(remedy.kind, str(remedy)) for remedy in explanation.near[0].remedies]


def schema(name: str) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": {"required": [name]}}}


PROMPT_SAME = "the prompt is the same, but not the shape of the answer: "


@pytest.mark.parametrize(
    ("recorded", "body", "kind", "text"),
    [
        (
            chat("on 2026-01-02"),
            chat("on 2027-03-04"),
            "volatile",
            "only a date differs; in cassettes/replay.yaml this matches: volatile: [date]",
        ),
        (
            chat("/a/b on 2026-01-02"),
            chat("/c/d on 2027-03-04"),
            "volatile",
            "only a date and path differs; in cassettes/replay.yaml this matches: volatile: [date, path]",
        ),
        (
            chat("x", model="gpt-4o"),
            chat("x", model="gpt-5"),
            "model",
            "only the model differs: ask 'gpt-4o', or record it with 'gpt-5'",
        ),
        (
            chat("Say  hello.\n"),
            chat("Say hello."),
            "spelling",
            "only white space differs, at messages[0].content: ask as it was recorded",
        ),
        (
            chat("Say hello."),
            chat("say Hello."),
            "spelling",
            "only upper and lower case differs, at messages[0].content: ask as it was recorded",
        ),
        (
            chat("Say  hello."),
            chat("say hello."),
            "spelling",
            "only white space, and upper and lower case differs, at messages[0].content: ask as it was recorded",
        ),
        (chat("x"), chat("x", "y"), "added", "asked with messages[1] (assistant) more: all else is the same"),
        (
            {**chat("x"), "messages": [SYSTEM, *chat("x")["messages"]]},
            chat("x"),
            "removed",
            "asked without the recorded messages[0] (system): all else is the same",
        ),
        (
            {**chat("x"), "messages": [SYSTEM, *chat("x")["messages"]]},
            {**chat("x"), "messages": [*chat("x")["messages"], SYSTEM]},
            "order",
            "the same messages in another order: asked at messages[0] (user), recorded at messages[1] (user)",
        ),
        (chat("x", n=2), chat("x", n=3), "shape", f"{PROMPT_SAME}n is another"),
        (chat("x", n=2), chat("x"), "shape", f"{PROMPT_SAME}n was recorded, and is not asked"),
        (
            chat("x", tools=[tool("f", a={"type": "string"})]),
            chat("x", tools=[tool("f", b={"type": "string"})]),
            "shape",
            f"{PROMPT_SAME}tool f has other parameters",
        ),
        (
            chat("x", tools=[tool("f")]),
            chat("x", tools=[tool("g")]),
            "shape",
            f"{PROMPT_SAME}tool f was recorded, and is not asked, tool g is asked, and was not when it was recorded",
        ),
        (
            chat("x", tools=[tool("f"), tool("g")]),
            chat("x", tools=[tool("g"), tool("f")]),
            "shape",
            f"{PROMPT_SAME}tools come in another order",
        ),
        (
            chat("x", response_format=schema("a")),
            chat("x", response_format=schema("b")),
            "shape",
            f"{PROMPT_SAME}response_format is another",
        ),
    ],
    ids=[
        "date", "date and path", "model", "white space", "case", "white space and case", "message added",
        "message removed", "messages moved", "n", "n left out", "parameters of a tool", "another tool",
        "order of tools", "response format",
    ],
)  # fmt: skip
def test_the_whole_difference_in_a_word(recorded: dict[str, Any], body: dict[str, Any], kind: str, text: str) -> None:
    assert mended(library(recorded), body) == [(kind, text)]


@pytest.mark.parametrize(
    ("recorded", "body"),
    [
        (chat("in Paris"), chat("in Rome")),
        (chat("in Paris", model="a"), chat("in Rome", model="b")),
        (chat("in Paris"), chat("in Rome", "y")),
        (chat("x", model="a"), chat("x", "y", model="b")),
    ],
    ids=["another text", "model and text", "text and message", "model and message"],
)
def test_nothing_is_said_where_nothing_is_sure(recorded: dict[str, Any], body: dict[str, Any]) -> None:
    assert mended(library(recorded), body) == []


def test_a_field_that_is_asked_and_was_not_is_told_of_recordings() -> None:
    assert mended(library(chat("x"), recorded=True), chat("x", n=2)) == [
        ("shape", f"{PROMPT_SAME}n is asked, and was not when it was recorded")
    ]


@pytest.mark.parametrize(
    ("match_on", "text"),
    [
        (
            ("temperature",),
            "the prompt is the same; temperature must agree only because match_on in cassettes/replay.yaml lists it",
        ),
        (
            ("temperature", "seed"),
            "the prompt is the same; temperature, seed must agree only because match_on in cassettes/replay.yaml lists"
            " them",
        ),
        (
            ("body",),
            "the prompt is the same; temperature, seed must agree, as match_on: body in cassettes/replay.yaml says",
        ),
    ],
    ids=["one", "two", "all"],
)
def test_a_field_that_only_match_on_lists_is_told(match_on: tuple[str, ...], text: str) -> None:
    there = library(chat("x", temperature=0, seed=1), config=Config(match_on=match_on))

    assert mended(there, chat("x", temperature=1.5, seed=2)) == [("match_on", text)]


@pytest.mark.parametrize(
    ("there", "endpoint", "body", "asked_for"),
    [
        ({"model": "m", "prompt": "Hi"}, None, chat("Hi"), None),
        (chat("Hi"), None, {"model": "m", "prompt": "Hi"}, None),
        ({"body": {"model": "m", "input": "Hi"}}, "POST /responses", chat("Hi"), None),
        (chat("Hi"), None, {"body": {"model": "m", "input": [{"role": "user", "content": "Hi"}]}}, "POST /responses"),
    ],
    ids=["asked as chat", "asked as completion", "recorded as a response", "asked as a response"],
)
def test_the_same_prompt_under_another_endpoint_is_told(
    there: dict[str, Any], endpoint: str | None, body: dict[str, Any], asked_for: str | None
) -> None:
    recordings = library(there, endpoint=endpoint)
    wanted = asked(recordings, body, asked_for)

    (remedy,) = explain_miss(whole(recordings), wanted, []).elsewhere

    recorded_for = next(iter(recordings)).interaction.endpoint
    assert remedy.kind == "endpoint"
    assert remedy.text == (
        f"a.yaml#1 was asked the same under {recorded_for}: ask there, or record it for {wanted.request.endpoint} too"
    )


def test_an_interaction_that_the_session_may_not_use_is_told() -> None:
    there = Library("cassettes", [interaction(chat("x"), "other.yaml"), interaction(chat("y"), "own.yaml")])

    explanation = explain_miss(whole(there), asked(there, chat("x")), [])

    assert [found.interaction.id for found in explanation.near] == ["other.yaml#1", "own.yaml#1"]
    assert [str(remedy) for remedy in explanation.near[0].remedies] == [
        "other.yaml#1 answers this, but not in this session: name other.yaml among its cassettes, or reset what was"
        " taken out"
    ]
    assert "nearest: other.yaml#1, which this session does not use" in explanation.short()
