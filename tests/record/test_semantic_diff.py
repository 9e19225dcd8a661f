"""What two answers to one request say differently."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_server.endpoints.table import resource_named
from replay_server.interaction import Choice, ErrorReply, Recorded, Response, TextReply, TimedFrame
from replay_server.record.semantic_diff import semantic_diff
from replay_server.record.shape_diff import shape_changes

CHAT = resource_named("chat/completions")
UNKNOWN = resource_named("POST /responses")
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
PARIS = {"city": "Paris", "days": [1, 2]}


def plain(content: Any, status: int = 200, **headers: str) -> Recorded:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Recorded(status=status, body=orjson.dumps(content), content=content, headers=names)


def stream(*chunks: Any) -> Recorded:
    frames = [b"data: %b\n\n" % orjson.dumps(chunk) for chunk in chunks]
    return Recorded(status=200, body=b"".join(frames), frames=tuple(TimedFrame(0.0, frame) for frame in frames))


def raw(body: bytes, **headers: str) -> Recorded:
    return Recorded(status=200, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def message(content: str | None = "Hi", **fields: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **fields}


def chat(*messages: dict[str, Any], finish_reason: str = "stop", **fields: Any) -> Recorded:
    choices = [
        {"index": at, "message": said, "finish_reason": finish_reason}
        for at, said in enumerate(messages or [message()])
    ]
    envelope = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m-1"}
    return plain({**envelope, "choices": choices, "usage": USAGE, **fields})


def calls(arguments: Any, name: str = "weather") -> dict[str, Any]:
    text = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
    call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": text}}
    return message(None, tool_calls=[call])


def chunks(*texts: str, finish_reason: str = "stop") -> Recorded:
    envelope = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m-1"}
    deltas = [{"role": "assistant"}, *({"content": text} for text in texts), {}]
    ends = [*(None for _ in texts), None, finish_reason]
    return stream(
        *(
            {**envelope, "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
            for delta, end in zip(deltas, ends, strict=True)
        )
    )


def told(old: Response, new: Response, resource: Any = CHAT) -> list[str]:
    return [str(change) for change in semantic_diff(resource, old, new)]


CASES: dict[str, tuple[Response, Response, list[str]]] = {
    "text": (chat(), chat(message("Ho")), ["content: 'Hi' != 'Ho'"]),
    "refusal": (
        chat(message(refusal=None)),
        chat(message(None, refusal="No.")),
        ["content: 'Hi' != (absent)", "refusal: (absent) != 'No.'"],
    ),
    "finish_reason": (chat(), chat(finish_reason="length"), ["finish_reason: 'stop' != 'length'"]),
    "model": (chat(), chat(model="m-2"), ["model: 'm-1' != 'm-2'"]),
    "a choice of several": (
        chat(message(), message("Ho")),
        chat(message(), message("Hu")),
        ["choices[1].content: 'Ho' != 'Hu'"],
    ),
    "one choice more": (
        chat(message(), message("Ho")),
        chat(message(), message("Ho"), message("Hu")),
        ['choices[2]: (absent) != {"content":"Hu","finish_reason":"stop"}'],
    ),
    "an argument": (
        chat(calls(PARIS)),
        chat(calls({**PARIS, "city": "Rome"})),
        ["tool_calls[0].arguments.city: 'Paris' != 'Rome'"],
    ),
    "an argument in a list": (
        chat(calls(PARIS)),
        chat(calls({**PARIS, "days": [1, 3]})),
        ["tool_calls[0].arguments.days[1]: 2 != 3"],
    ),
    "a tool": (chat(calls(PARIS)), chat(calls(PARIS, "forecast")), ["tool_calls[0].name: 'weather' != 'forecast'"]),
    "broken arguments": (chat(calls({})), chat(calls('{"city"')), ["tool_calls[0].arguments: {} != '{\"city\"'"]),
    "text in place of a call": (
        chat(calls({}), finish_reason="tool_calls"),
        chat(),
        [
            'tool_calls: [{"arguments":{},"name":"weather"}] != (absent)',
            "finish_reason: 'tool_calls' != 'stop'",
            "content: (absent) != 'Hi'",
        ],
    ),
    "usage grows": (chat(), chat(usage={**USAGE, "cost": 1}), ["usage.cost: (absent) != 1"]),
    "usage shrinks": (
        chat(usage={**USAGE, "details": {"cached": 1}}),
        chat(),
        ['usage.details: {"cached":1} != (absent)'],
    ),
    "usage where there was none": (
        chat(usage=None),
        chat(usage={"total_tokens": 1}),
        ['usage: null != {"total_tokens":1}'],
    ),
    "a null more": (chat(), chat(message(refusal=None)), ["choices[].message.refusal: (absent) != null"]),
    "a field less": (chat(provider="a"), chat(), ["provider: 'a' != (absent)"]),
    "another kind": (chat(cost=1), chat(cost="1"), ["cost: 1 != '1'"]),
    "a stream": (chat(), chunks("Hi"), ["mode: 'plain' != 'stream'"]),
    "text of a stream": (chunks("Hi"), chunks("Ho"), ["content: 'Hi' != 'Ho'"]),
    "a content type": (
        chat(),
        replace(chat(), headers={"content-type": "text/json; charset=utf-8"}),
        ["content-type: 'application/json' != 'text/json'"],
    ),
    "an error": (chat(), plain({"error": {"message": "No."}}, 400), ["status: 200 != 400"]),
    "another error": (
        ErrorReply(status=400, message="No."),
        plain({"error": {"message": "No!", "type": "t"}}, 400),
        [
            "error.message: 'No.' != 'No!'",
            "error.type: 'invalid_request_error' != 't'",
            "error.param: null != (absent)",
            "error.code: null != (absent)",
        ],
    ),
    "a short form": (
        TextReply(choices=(Choice(content="Hi"),)),
        chat(message("Ho")),
        ["content: 'Hi' != 'Ho'", "model: (absent) != 'm-1'", "finish_reason: (absent) != 'stop'"],
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), CASES.values(), ids=CASES)
def test_what_differs_is_told_by_its_place(old: Response, new: Response, expected: list[str]) -> None:
    assert told(old, new) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (chat(), chat(id="chatcmpl-2", created=2, usage=dict.fromkeys(USAGE, 9))),
        (chat(calls('{"city": "Paris", "days": [1.0, 2]}')), chat(calls(PARIS))),
        (chunks("In Paris", "."), chunks("In", " Paris.")),
        (plain({"error": {"message": "No."}}, 404, x_request_id="a"), plain({"error": {"message": "No."}}, 404)),
    ],
    ids=["ids, times and counts", "how arguments are written", "where a stream is cut", "headers of a call"],
)
def test_what_is_new_with_every_call_is_no_difference(old: Response, new: Response) -> None:
    assert told(old, new) == []


VECTOR = [0.1 * number for number in range(12)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (plain({"a": [1, {"b": "x"}], "id": "1"}), plain({"a": [1, {"b": "y"}], "id": "2"}), ["a[1].b: 'x' != 'y'"]),
        (plain({"a": 1}), plain({"a": 1.5, "c": None}), ["a: 1 != 1.5", "c: (absent) != null"]),
        (plain({"usage": {"total": 1}}), plain({"usage": {"total": 2, "cost": 3}}), ["usage.cost: (absent) != 3"]),
        (plain(VECTOR), plain([number + 0.0001 for number in VECTOR]), []),
        (plain(VECTOR), plain([*VECTOR[:-1], 7.0]), ["[11]: 1.1 != 7.0"]),
        (raw(b"one"), raw(b"two"), ["body: 'one' != 'two'"]),
        (
            raw(b"\xff\xfb"),
            raw(b"\xff\xfa\x00"),
            ["body: '2 bytes, sha256 2a07c278' != '3 bytes, sha256 12777518'"],
        ),
        (raw(b"\xff\xfb"), raw(b"\xff\xfb"), []),
    ],
    ids=["a text", "numbers", "usage", "a vector's last digits", "a vector", "text", "bytes", "the same bytes"],
)
def test_where_nobody_knows_the_endpoint_values_are_compared(old: Response, new: Response, expected: list[str]) -> None:
    assert told(old, new, UNKNOWN) == expected


def events(*texts: str) -> Recorded:
    """A stream that says its text in pieces, and once more as a whole."""
    pieces = [{"type": "text.delta", "delta": text, "sequence_number": at} for at, text in enumerate(texts)]
    return stream(*pieces, {"type": "text.done", "text": "".join(texts), "usage": {"tokens": len(texts)}})


def test_the_text_of_an_unknown_stream_is_told_once_wherever_it_is_cut() -> None:
    assert told(events("In ", "Paris"), events("In Par", "i", "s"), UNKNOWN) == []
    assert told(events("In ", "Paris"), events("In", " Rome"), UNKNOWN) == ["text.delta.delta: 'In Paris' != 'In Rome'"]


def test_pieces_keep_their_kind() -> None:
    def blocks(*kinds: str) -> Recorded:
        return stream(*({"type": "content_block_delta", "delta": {"type": kind, "text": "a"}} for kind in kinds))

    assert told(blocks("text_delta"), blocks("thinking_delta"), UNKNOWN) == [
        "content_block_delta.delta.type: 'text_delta' != 'thinking_delta'"
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_an_answer_does_not_differ_from_itself(value: Any) -> None:
    assert told(plain(value), plain(value), UNKNOWN) == []
    assert told(stream(value), stream(value), UNKNOWN) == []
    assert list(shape_changes([value], [value])) == []


@given(JSON, JSON)
def test_a_difference_is_seen_from_either_side(old: Any, new: Any) -> None:
    there = [change.path for change in shape_changes([old], [new])]
    back = [change.path for change in shape_changes([new], [old])]

    assert sorted(there) == sorted(back)
