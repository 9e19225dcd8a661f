"""The chunks of a recorded stream are read as the one answer that they are of."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replay_server.cassettes.sse import json_chunks
from replay_server.endpoints.base import BadField
from replay_server.endpoints.chat import Chat
from replay_server.endpoints.chat_body import REASONING, read_chat_body
from replay_server.endpoints.chat_stream import read_chat_stream
from replay_server.endpoints.completions import Completions
from replay_server.endpoints.models import Models
from replay_server.endpoints.text import pieces
from replay_server.interaction import Choice, Json, Reasoning, Request, TextReply, TokenLogprob, ToolCall, Usage
from replay_server.stamp import Stamp

# A busy machine is no failure.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
CUTS = st.lists(TEXTS, min_size=1, max_size=4).map(tuple)
FINISH = st.sampled_from(["stop", "length", "tool_calls", "content_filter"])
LOGPROB = st.floats(-20, 0)
TOP = st.dictionaries(TEXTS, LOGPROB, max_size=2).map(lambda top: tuple(top.items()))
COUNTS = st.integers(0, 10_000)
USAGE = st.builds(Usage, prompt_tokens=COUNTS, completion_tokens=COUNTS, cached_tokens=COUNTS, reasoning_tokens=COUNTS)


def judged(cuts: Sequence[str], entries: Sequence[tuple[float, Any]]) -> tuple[TokenLogprob, ...]:
    return tuple(TokenLogprob(text, *entry) for text, entry in zip(cuts, entries, strict=True))


@st.composite
def calls(draw: st.DrawFn) -> ToolCall:
    cuts, kind = draw(CUTS), draw(st.sampled_from(["function", "custom"]))
    return ToolCall(name=draw(TEXTS), arguments="".join(cuts), id=draw(TEXTS), kind=kind, deltas=cuts)


@st.composite
def reasonings(draw: st.DrawFn) -> tuple[Reasoning, ...]:
    names = draw(st.sampled_from([(), REASONING[:1], REASONING[1:], REASONING]))
    return tuple(Reasoning(name, "".join(cuts), cuts) for name in names for cuts in [draw(CUTS)])


@st.composite
def choices(draw: st.DrawFn, with_calls: bool = True) -> Choice:
    cuts, finish_reason = draw(CUTS), draw(FINISH)
    tool_calls = tuple(draw(st.lists(calls(), max_size=3))) if with_calls else ()
    if with_calls and draw(st.booleans()):
        return Choice(refusal="".join(cuts), deltas=cuts, finish_reason=finish_reason)
    reasoning = draw(reasonings()) if with_calls else ()
    if with_calls and draw(st.booleans()):
        legacy = replace(draw(calls()), id=None, kind="function")
        return Choice(function_call=legacy, reasoning=reasoning, finish_reason=finish_reason)
    if tool_calls and draw(st.booleans()):
        return Choice(tool_calls=tool_calls, reasoning=reasoning, finish_reason=finish_reason)
    entries = draw(st.lists(st.tuples(LOGPROB, TOP), min_size=len(cuts), max_size=len(cuts)))
    logprobs = judged(cuts, entries) if draw(st.booleans()) else None
    return Choice(
        content="".join(cuts),
        deltas=cuts,
        logprobs=logprobs,
        tool_calls=tool_calls,
        reasoning=reasoning,
        finish_reason=finish_reason,
    )


CHAT_REPLIES = st.builds(
    TextReply,
    choices=st.lists(choices(), min_size=1, max_size=3).map(tuple),
    usage=USAGE,
    id=TEXTS,
    created=st.integers(0, 2**40),
    model=TEXTS,
    system_fingerprint=TEXTS,
    service_tier=TEXTS,
)
COMPLETION_REPLIES = st.builds(
    TextReply,
    choices=st.lists(choices(with_calls=False), min_size=1, max_size=3).map(tuple),
    usage=st.builds(Usage, prompt_tokens=COUNTS, completion_tokens=COUNTS),
    id=TEXTS,
    created=st.integers(0, 2**40),
    model=TEXTS,
)


def streamed(resource: Any, reply: TextReply) -> list[Json]:
    request = Request(resource.name, "m", {"stream_options": {"include_usage": True}}, stream=True)
    return list(json_chunks(b"".join(resource.stream(request, reply, Stamp("0" * 64)).frames)))


@PATIENT
@given(CHAT_REPLIES)
def test_a_streamed_chat_is_read_as_what_it_was(reply: TextReply) -> None:
    assert Chat().read_stream(streamed(Chat(), reply)) == reply


@PATIENT
@given(COMPLETION_REPLIES)
def test_a_streamed_completion_is_read_as_what_it_was(reply: TextReply) -> None:
    assert Completions().read_stream(streamed(Completions(), reply)) == reply


def test_an_answer_without_contents_stays_without() -> None:
    reply = TextReply(choices=(Choice(content="", finish_reason="stop"),), created=0)

    read = Chat().read_stream(streamed(Chat(), reply))

    assert read.choices == reply.choices
    assert read.created == 0
    assert pieces(read.choices[0]) == ()


def delta(choice: int = 0, finish_reason: str | None = None, **fields: Json) -> Json:
    return {"id": "c", "choices": [{"index": choice, "delta": fields, "finish_reason": finish_reason}]}


def call(**fields: Json) -> Json:
    return delta(tool_calls=[fields])


def read_calls(*chunks: Json) -> list[tuple[str | None, str, str]]:
    (choice,) = read_chat_stream(chunks).choices
    return [(found.id, found.name, found.arguments) for found in choice.tool_calls]


def test_azure_begins_with_a_chunk_that_says_nothing() -> None:
    opening: Json = {
        "choices": [],
        "created": 0,
        "id": "",
        "model": "",
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}],
    }
    text: Json = {
        "choices": [{"content_filter_results": {}, "delta": {"content": "Hi"}, "finish_reason": None, "index": 0}],
        "created": 7,
        "id": "chatcmpl-1",
        "model": "gpt-4o",
    }

    reply = read_chat_stream([opening, text, delta(finish_reason="stop")])

    assert (reply.id, reply.created, reply.model) == ("chatcmpl-1", 7, "gpt-4o")
    assert reply.choices == (Choice(content="Hi", deltas=("Hi",), finish_reason="stop"),)


def test_usage_of_every_chunk_is_that_of_the_last() -> None:
    chunks: list[Json] = [
        {"choices": [{"index": 0, "delta": {"content": "a"}}], "usage": {"prompt_tokens": 1, "completion_tokens": n}}
        for n in range(3)
    ]

    assert read_chat_stream(chunks).usage == Usage(prompt_tokens=1, completion_tokens=2)


def test_choices_are_told_apart_by_index() -> None:
    chunks = [delta(1, content="b"), delta(0, content="a"), delta(1, content="B"), delta(0, finish_reason="length")]

    assert read_chat_stream(chunks).choices == (
        Choice(content="a", deltas=("a",), finish_reason="length"),
        Choice(content="bB", deltas=("b", "B")),
    )


def test_arguments_go_to_the_call_of_their_index() -> None:
    assert read_calls(
        call(index=0, id="1", type="function", function={"name": "f", "arguments": ""}),
        call(index=1, id="2", function={"name": "g", "arguments": "{"}),
        call(index=0, function={"arguments": "{}"}),
        call(index=1, function={"arguments": "}"}),
    ) == [("1", "f", "{}"), ("2", "g", "{}")]


def test_calls_without_index_are_told_apart_by_id() -> None:
    assert read_calls(
        call(id="1", function={"name": "f", "arguments": "{}"}),
        call(id="2", function={"name": "f", "arguments": "{"}),
        call(function={"arguments": "}"}),
    ) == [("1", "f", "{}"), ("2", "f", "{}")]


def test_calls_that_all_have_the_index_0_are_told_apart_by_id_or_name() -> None:
    assert read_calls(
        call(index=0, id="1", function={"name": "f", "arguments": "{}"}),
        call(index=0, id="2", function={"name": "f", "arguments": "{}"}),
        call(index=0, id="", function={"name": "g", "arguments": "{}"}),
    ) == [("1", "f", "{}"), ("2", "f", "{}"), (None, "g", "{}")]


def test_a_name_that_is_repeated_is_one_name() -> None:
    assert read_calls(
        call(index=0, id="1", function={"name": "f", "arguments": "{"}),
        call(index=0, id="1", function={"name": "f", "arguments": "}"}),
    ) == [("1", "f", "{}")]


def test_an_empty_content_beside_calls_is_none() -> None:
    (choice,) = read_chat_stream([delta(role="assistant", content=""), call(index=0, function={"name": "f"})]).choices

    assert choice.content is None


@pytest.mark.parametrize(
    ("chunks", "problem"),
    [
        ([], "has no chunk with a choice"),
        ([1, {"type": "ping"}, {"choices": []}], "has no chunk with a choice"),
        ([delta(content="a"), {"error": {"message": "overloaded"}}], 'tells of an error: {"message":"overloaded"}'),
        ([delta(content=5)], "must be a text, not 5"),
        ([delta(audio={"id": "a"})], "has audio in its deltas"),
        ([delta(function_call="f")], "must be a mapping, not 'f'"),
        ([delta(reasoning=5)], "must be a text, not 5"),
    ],
    ids=str,
)
def test_what_is_no_stream_of_chunks_is_refused(chunks: list[Json], problem: str) -> None:
    with pytest.raises(BadField) as caught:
        read_chat_stream(chunks)

    assert caught.value.problem == problem


@PATIENT
@given(CHAT_REPLIES)
def test_a_plain_chat_is_read_as_what_it_was_but_for_the_cuts(reply: TextReply) -> None:
    body = orjson.loads(Chat().render(Request("chat/completions", "m", {}), reply, Stamp("0" * 64)).body)

    assert read_chat_body(body) == replace(reply, choices=tuple(map(uncut, reply.choices)))


def uncut(choice: Choice) -> Choice:
    return replace(
        choice,
        deltas=None,
        tool_calls=tuple(replace(call, deltas=None) for call in choice.tool_calls),
        function_call=choice.function_call and replace(choice.function_call, deltas=None),
        reasoning=tuple(replace(part, deltas=None) for part in choice.reasoning),
    )


def test_models_are_never_streamed() -> None:
    with pytest.raises(BadField):
        Models().read_stream([])


def test_a_reply_that_was_read_can_be_streamed_again() -> None:
    chunks = [delta(content="a"), delta(content="b"), delta(finish_reason="stop")]

    reply = read_chat_stream(chunks)

    assert read_chat_stream(streamed(Chat(), replace(reply, model="m"))).choices == reply.choices
    assert orjson.dumps(streamed(Chat(), reply)).count(b'"delta"') == 4
