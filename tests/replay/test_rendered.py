"""An answer from memory is the answer that would be rendered."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay_server.cassettes.library import Library
from replay_server.cassettes.reader import read_cassette
from replay_server.endpoints.table import resource_named
from replay_server.interaction import RawRequest, WireResponse, WireStream
from replay_server.replay.decision import OnMiss, Replay
from replay_server.replay.rendered import RenderedAnswers
from replay_server.replay.state import MemoryState

CASSETTE = b"""\
request: {model: m, messages: [{role: user, content: x}]}
response: {content: One two three. }
---
request: {model: m, prompt: x}
response: {content: One two three. }
"""
PROMPTS: dict[str, Any] = {
    "chat/completions": {"messages": [{"role": "user", "content": "x"}]},
    "completions": {"prompt": "x"},
}
fields = st.fixed_dictionaries(
    {},
    optional={
        "stream": st.booleans(),
        "stream_options": st.fixed_dictionaries(
            {}, optional={"include_usage": st.booleans(), "include_obfuscation": st.booleans()}
        ),
        "logprobs": st.booleans() | st.integers(0, 5),
        "top_logprobs": st.integers(0, 3),
        "echo": st.booleans(),
        "n": st.integers(1, 3),
        "max_tokens": st.integers(1, 5),
        "stop": st.sampled_from(["t", ["t", "w"]]),
        "seed": st.integers(0, 5),
        "best_of": st.integers(1, 3),
        "temperature": st.floats(0, 2),
        "user": st.text(max_size=3),
        "tools": st.just([{"type": "function", "function": {"name": "f"}}]),
        "response_format": st.just({"type": "json_object"}),
    },
)


RAW = RawRequest("POST", "/", {}, (), {}, b"")


def replay() -> Replay:
    return Replay(Library("c", read_cassette("a.yaml", CASSETTE)), MemoryState(), OnMiss.ERROR, "")


def sent(wire: WireResponse | WireStream) -> tuple[int, dict[str, str], bytes]:
    body = wire.body if isinstance(wire, WireResponse) else b"".join(wire.frames)
    return wire.status, dict(wire.headers), body


@pytest.mark.parametrize("endpoint", PROMPTS)
@given(bodies=st.lists(fields, min_size=2, max_size=4))
@settings(deadline=None)
async def test_what_was_asked_before_does_not_change_an_answer(endpoint: str, bodies: list[dict[str, Any]]) -> None:
    resource, warm = resource_named(endpoint), replay()
    for body in bodies:
        request = resource.from_cassette({"model": "m", **PROMPTS[endpoint], **body})
        remembered = await warm.answer(resource, request, "", RAW)
        rendered = await replay().answer(resource, request, "", RAW)

        assert sent(remembered.wire) == sent(rendered.wire)
        assert remembered.headers == rendered.headers


def test_answers_used_longest_ago_are_forgotten_first() -> None:
    answers = RenderedAnswers(max_bytes=2_000)
    wires = [WireResponse(200, {}, b"x" * 400) for _ in range(3)]
    keys = [(0, "a.yaml", place, 0, b"") for place in range(3)]
    answers.put(keys[0], wires[0])
    answers.put(keys[1], wires[1])
    answers.get(keys[0])
    answers.put(keys[2], wires[2])

    assert [answers.get(key) for key in keys] == [wires[0], None, wires[2]]


def test_an_answer_larger_than_the_memory_is_not_kept() -> None:
    answers = RenderedAnswers(max_bytes=100)
    wire = WireResponse(200, {}, b"x")

    assert answers.put((0, "a.yaml", 1, 0, b""), wire) is wire
    assert answers.get((0, "a.yaml", 1, 0, b"")) is None
