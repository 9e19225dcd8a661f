"""Recorded responses in the other mode: the events of a plain one, the plain one of events."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from replay_server.cassettes.importers.items import Imported
from replay_server.cassettes.importers.vcrpy import read_vcrpy
from replay_server.cassettes.sse import json_chunks
from replay_server.endpoints.base import BadField
from replay_server.endpoints.table import resource_named
from replay_server.interaction import TextReply
from replay_server.stamp import Stamp

DATA = Path(__file__).parents[1] / "data" / "recordings" / "vcrpy"
RESPONSES = resource_named("responses")
STAMP = Stamp("ab" * 32)


def recorded(name: str) -> bytes:
    (path,) = DATA.glob(f"parsed__test_openai*{name}.yaml")
    item = next(iter(read_vcrpy(path.read_bytes(), ())))
    assert isinstance(item, Imported)
    return item.exchange.answer.body


def events(reply: TextReply, **asked: Any) -> list[Any]:
    request = RESPONSES.from_cassette({"model": "m", "input": "x", "stream": True, **asked})
    return list(json_chunks(b"".join(RESPONSES.stream(request, reply, STAMP).frames)))


def plain(reply: TextReply) -> Any:
    request = RESPONSES.from_cassette({"model": "m", "input": "x"})
    return orjson.loads(RESPONSES.render(request, reply, STAMP).body)


def without(value: Any, *names: str) -> Any:
    if isinstance(value, list):
        return [without(item, *names) for item in value]
    if isinstance(value, dict):
        return {name: without(member, *names) for name, member in value.items() if name not in names}
    return value


PLAIN = ("gpt5_pro", "history_with_combined_tool_call_id", "native_output_decimal_strict")
STREAMS = ("responses_logprobs_streaming", "background_mode_streaming_vcr", "responses_moderation_stream")


@pytest.mark.parametrize("name", PLAIN)
def test_events_of_a_plain_response_end_with_it(name: str) -> None:
    body = orjson.loads(recorded(name))

    streamed = events(RESPONSES.read_body(body))

    assert streamed[-1]["response"] == body
    assert RESPONSES.read_stream(streamed).body == body
    assert [event["sequence_number"] for event in streamed] == list(range(len(streamed)))


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_collected_as_its_last_event_has_it(name: str) -> None:
    chunks: list[Any] = list(json_chunks(recorded(name)))

    assert plain(RESPONSES.read_stream(chunks)) == chunks[-1]["response"]


@pytest.mark.parametrize("name", STREAMS)
def test_events_that_are_made_again_are_those_of_the_live_api(name: str) -> None:
    chunks: list[Any] = list(json_chunks(recorded(name)))

    again = events(RESPONSES.read_stream(chunks))

    # Padding is random; the live API rounds logprobs, and encrypts anew, from event to event.
    new = ("obfuscation", "logprob", "encrypted_content", "service_tier", "response", "sequence_number")
    assert [without(event, *new) for event in again] == [without(chunk, *new) for chunk in chunks]


ITEMS: dict[str, Any] = {
    "a refusal": {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
    "thoughts told whole": {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]},
    "a custom tool": {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "x"},
    "an image": {"type": "image_generation_call", "status": "completed", "result": "AA=="},
    "a failed call of a server": {"type": "mcp_call", "arguments": "{}", "error": {"type": "x"}, "output": None},
    "an item that nobody knows": {"type": "new_call", "status": "completed", "more": 1},
}
BETWEEN = {
    "a refusal": ["content_part.added", "refusal.delta", "refusal.done", "content_part.done"],
    "thoughts told whole": ["content_part.added", "reasoning_text.delta", "reasoning_text.done", "content_part.done"],
    "a custom tool": ["custom_tool_call_input.delta", "custom_tool_call_input.done"],
    "an image": [f"image_generation_call.{stage}" for stage in ("in_progress", "generating", "completed")],
    "a failed call of a server": [
        *("mcp_call.in_progress", "mcp_call_arguments.delta", "mcp_call_arguments.done", "mcp_call.failed")
    ],
    "an item that nobody knows": [],
}


@pytest.mark.parametrize("name", ITEMS)
def test_each_kind_of_item_has_its_events(name: str) -> None:
    body = {"id": "resp_1", "status": "completed", "output": [{"id": "item_1", **ITEMS[name]}]}

    streamed = events(RESPONSES.read_body(body))

    kinds = [event["type"].removeprefix("response.") for event in streamed]
    assert kinds == ["created", "in_progress", "output_item.added", *BETWEEN[name], "output_item.done", "completed"]
    assert streamed[-2]["item"] == body["output"][0]


@pytest.mark.parametrize(("status", "last"), [("incomplete",) * 2, ("failed",) * 2, ("other", "completed")])
def test_the_last_event_tells_how_it_ended(status: str, last: str) -> None:
    assert events(RESPONSES.read_body({"status": status, "output": []}))[-1]["type"] == f"response.{last}"


def test_output_that_only_the_items_have_is_collected() -> None:
    item = {"id": "m", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}
    done = {"type": "response.output_item.done", "item": item}

    reply = RESPONSES.read_stream([done, {"type": "response.completed", "response": {"id": "r", "output": []}}])

    assert reply.body == {"id": "r", "output": [item]}
    assert reply.choices[0].content == "Hi"


def test_padding_is_left_out_where_it_is_not_wanted() -> None:
    reply = RESPONSES.read_body(orjson.loads(recorded("gpt5_pro")))

    padded = events(reply)
    bare = events(reply, stream_options={"include_obfuscation": False})

    assert [event.get("obfuscation", "") for event in padded] != [""] * len(padded)
    assert not any("obfuscation" in event for event in bare)


UNREADABLE: dict[str, tuple[list[Any], str]] = {
    "nothing": ([], "has no event with the whole response"),
    "broken off": ([{"type": "response.output_text.delta", "delta": "x"}], "has no event with the whole response"),
    "an error": ([{"type": "error", "message": "m"}], 'tells of an error: {"type":"error","message":"m"}'),
    "no response": ([{"type": "response.completed", "response": 1}], "is no response: it has no output"),
}


@pytest.mark.parametrize(("chunks", "problem"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_stream_without_an_end_is_not_collected(chunks: list[Any], problem: str) -> None:
    with pytest.raises(BadField) as refused:
        RESPONSES.read_stream(chunks)

    assert refused.value.problem == problem


def test_a_response_that_waits_cannot_be_streamed() -> None:
    with pytest.raises(BadField) as refused:
        RESPONSES.read_body({"status": "queued", "output": []})

    assert refused.value.problem == "is queued: what it is to say comes later"


@pytest.mark.parametrize(
    ("data", "ends", "speaks"),
    [
        (b'{"type":"response.created"}', False, False),
        (b'{"type":"response.output_text.delta","delta":"x"}', False, True),
        (b'{"sequence_number":1,"type":"response.function_call_arguments.delta"}', False, True),
        (b'{"type":"response.completed"}', True, False),
        (b'{"type":"response.incomplete"}', True, False),
        (b'{"type":"response.failed"}', False, False),
        (b'{"type":"error"}', False, False),
        (b"[DONE]", True, False),
        (b"x", False, False),
    ],
)
def test_what_an_event_means_to_recorder_and_pace(data: bytes, ends: bool, speaks: bool) -> None:
    assert (RESPONSES.ends_stream(data), RESPONSES.carries_delta(data)) == (ends, speaks)


def test_tokens_of_a_plain_response_are_those_of_its_output() -> None:
    assert RESPONSES.tokens_said(recorded("gpt5_pro")) == 77
    assert RESPONSES.tokens_said(b"x") == 0
