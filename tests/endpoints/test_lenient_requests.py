"""Whatever JSON a request of a module's endpoint has, an answer can be made of it: that is what lenient needs."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay_server.endpoints.base import Resource
from replay_server.endpoints.table import ENDPOINTS, resource_named
from replay_server.errors import ApiError
from replay_server.fallback import Generator
from replay_server.stamp import Stamp

KEY = "0" * 64
WORDS = st.sampled_from(
    ["role", "type", "content", "function", "name", "user", "text", "image_url", "json_schema", "x"]
)
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)  # as JSON is read
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=10,
)
NAMES = st.sampled_from(
    [
        *("model", "messages", "prompt", "input", "tools", "tool_choice", "functions", "function_call", "n", "stop"),
        *("response_format", "logprobs", "top_logprobs", "max_tokens", "max_completion_tokens", "stream_options"),
        *("echo", "suffix", "best_of", "seed", "modalities", "audio", "prediction", "user", "parallel_tool_calls"),
    ]
)


def answer(resource: Resource, body: dict[str, Any]) -> None:
    request = resource.from_cassette(body)
    reply = Generator(("gpt-4o",)).generate(resource.wanted(request), KEY)
    wire = resource.render(request, reply, Stamp(KEY))
    assert wire.status == 200
    assert b"".join(resource.stream(request._replace(stream=True), reply, Stamp(KEY)).frames)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@given(body=st.dictionaries(NAMES, VALUES, max_size=5))
@settings(deadline=None, max_examples=60)
def test_any_body_is_answered_or_told_why_not(endpoint: str, body: dict[str, Any]) -> None:
    with suppress(ApiError):
        answer(resource_named(endpoint), body)
