from typing import Any

import pytest

from replay_server.conditions import Spoken
from replay_server.endpoints.base import Speaking
from replay_server.endpoints.spoken import spoken_in_body, spoken_in_messages, spoken_in_prompt
from replay_server.endpoints.table import any_resource, resource_named

PARTS = [{"type": "text", "text": "What is"}, {"type": "image_url"}, {"type": "text", "text": "this?"}]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([], Spoken()),
        ("robot", Spoken()),
        ([1, {"role": 2}], Spoken(messages=("",))),
        (
            [{"role": "system", "content": "a"}, {"role": "developer", "content": "b"}],
            Spoken(system="a\nb", messages=("a", "b")),
        ),
        ([{"role": "user", "content": PARTS}], Spoken(last_user="What is\nthis?", messages=("What is\nthis?",))),
        (
            [
                {"role": "assistant", "function_call": {"name": "f", "arguments": "{"}},
                {"role": "function", "content": "x"},
            ],
            Spoken(messages=("", "x"), turn=1, has_tool_result=True, arguments="{", tool_result="x"),
        ),
    ],
    ids=["none", "no list", "no messages", "two that instruct", "parts", "a function of old"],
)
def test_what_messages_say(messages: Any, expected: Spoken) -> None:
    assert spoken_in_messages(messages) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Once", Spoken(last_user="Once", messages=("Once",))),
        (["Once", "Twice"], Spoken(last_user="Twice", messages=("Once", "Twice"))),
        ([1, 2], Spoken()),
        (None, Spoken()),
    ],
    ids=["text", "texts", "tokens", "nothing"],
)
def test_what_a_prompt_says(prompt: Any, expected: Spoken) -> None:
    assert spoken_in_prompt(prompt) == expected


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "user", "content": "Hi"}]},
        {"input": [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]},
        {"input": "Hi"},
        {"input": ["Hi"]},
        {"prompt": "Hi"},
    ],
    ids=["messages", "input items", "input text", "input texts", "prompt"],
)
def test_what_any_body_says(body: Any) -> None:
    assert spoken_in_body(body) == Spoken(last_user="Hi", messages=("Hi",))


def test_whoever_answers_a_prompt_knows_what_it_says() -> None:
    speaking = [resource_named(name) for name in ("chat/completions", "completions")]

    assert all(isinstance(resource, Speaking) for resource in [*speaking, any_resource("POST", "/responses")])
