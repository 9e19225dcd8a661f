from typing import Any

import pytest

from replay_server.cassettes.agreement import Part, agreement, differences, picture
from replay_server.cassettes.config import Config
from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import Candidate
from tests.libraries import asked, chat, library

SYSTEM: Any = {"role": "system", "content": "Be brief."}
TOOL: Any = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def with_system(*texts: str) -> dict[str, Any]:
    body = chat(*texts)
    return {**body, "messages": [SYSTEM, *body["messages"]]}


def compared(there: Library, body: dict[str, Any]) -> tuple[str, list[str]]:
    candidate: Candidate = next(iter(there))
    wanted, match_on = asked(there, body), there.config.match_on
    return (
        picture(list(agreement(candidate, wanted, match_on))),
        [str(found) for found in differences(candidate, wanted, match_on)],
    )


@pytest.mark.parametrize(
    ("recorded", "body", "parts", "paths"),
    [
        (chat("a"), chat("b"), "model =, messages[0] (user) ≠", ["messages[0].content: 'a' != 'b'"]),
        (chat("a"), chat("a", model="n"), "model ≠, messages[0] (user) =", ["model: 'm' != 'n'"]),
        (
            chat("a"),
            with_system("a"),
            "model =, messages[0] (system) +, messages[1] (user) =",
            ['messages[0]: (absent) != {"content":"Be brief.","role":"system"}'],
        ),
        (
            chat("a"),
            with_system("b"),
            "model =, messages[0] (system) +, messages[1] (user) ≠",
            [
                'messages[0]: (absent) != {"content":"Be brief.","role":"system"}',
                "messages[1].content: 'a' != 'b'",
            ],
        ),
        (
            with_system("a"),
            chat("a"),
            "model =, messages[0] (system) -, messages[0] (user) =",
            ['messages[0]: {"content":"Be brief.","role":"system"} != (absent)'],
        ),
        (
            chat("a", "b", "c", "d"),
            chat("a", "b", "c", "x"),
            "model =, messages[0..2] =, messages[3] (assistant) ≠",
            ["messages[3].content: 'd' != 'x'"],
        ),
        (chat("a", n=2), chat("a"), "model =, messages[0] (user) =, n -", ["n: 2 != (absent)"]),
        (chat("a"), chat("a", n=2), "model =, messages[0] (user) =", []),
        (
            chat("a", tools=[TOOL]),
            chat("a", tools=[]),
            "model =, messages[0] (user) =, tools -",
            ['tools: [{"name":"f","parameters":{"type":"object"}}] != (absent)'],
        ),
    ],
    ids=[
        "text", "model", "added", "added and changed", "removed", "a run", "shape", "not named by hand", "tools",
    ],
)  # fmt: skip
def test_each_part_says_whether_it_agrees(
    recorded: dict[str, Any], body: dict[str, Any], parts: str, paths: list[str]
) -> None:
    assert compared(library(recorded), body) == (parts, paths)


def test_what_was_recorded_is_compared_in_fields_that_it_lacks_too() -> None:
    assert compared(library(chat("a"), recorded=True), chat("a", n=2))[1] == ["n: (absent) != 2"]


@pytest.mark.parametrize("match_on", [("temperature",), ("body",)])
def test_fields_that_match_on_lists_are_parts(match_on: tuple[str, ...]) -> None:
    there = library(chat("a", temperature=0), config=Config(match_on=match_on))

    parts, paths = compared(there, chat("a", temperature=0.5))

    assert (parts, paths) == ("model =, messages[0] (user) =, temperature ≠", ["temperature: 0 != 0.5"])


def test_fields_that_drift_are_no_parts() -> None:
    there = library(chat("a", temperature=0))

    assert compared(there, chat("a", temperature=0.5)) == ("model =, messages[0] (user) =", [])


def test_a_part_is_named_as_in_a_path() -> None:
    assert (Part("model", "=").name, Part("messages", "+", 3, "user").name) == ("model", "messages[3]")
