import hashlib
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_server.endpoints.table import resource_named
from replay_server.keys import (
    VOLATILE_TEXT,
    Difference,
    Volatile,
    canonical_json,
    explain,
    normalise,
    part_hashes,
    request_key,
    steady,
    too_deep,
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=20,
)


def chat_key(body: dict[str, Any]) -> str:
    resource = resource_named("chat/completions")
    return request_key(resource.name, resource.canonical(resource.from_cassette(body)))


def user(content: Any, **fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": content, **fields}]}


def called(call_id: str, arguments: str, **fields: Any) -> dict[str, Any]:
    call = {"id": call_id, "type": "function", "function": {"name": "f", "arguments": arguments}, **fields}
    return {
        "model": "m",
        "messages": [
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call_id, "content": "1"},
        ],
    }


def test_the_key_of_a_request_never_changes() -> None:
    written = b'[1,"chat/completions",{"messages":[{"content":"Say hello.","role":"user"}],"model":"m"}]'

    assert chat_key(user("Say hello.")) == hashlib.sha256(written).hexdigest()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (user("x"), user([{"type": "text", "text": "x"}])),
        (user("x"), user("x", name=None)),
        (user("x"), {**user("x"), "stream": True, "temperature": 0}),
        (called("call_a", '{"a": 1, "b": 2}'), called("call_b", '{"b":2.0,"a":1}')),
        (called("call_a", "{}"), called("call_a", "{}", index=0)),
    ],
    ids=["one text part", "null member", "parameters", "call ids and arguments", "index of a delta"],
)
def test_what_carries_no_meaning_is_not_in_the_key(left: dict[str, Any], right: dict[str, Any]) -> None:
    assert chat_key(left) == chat_key(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (user("x"), user("y")),
        (user("x"), {**user("x"), "model": "n"}),
        (user("x"), user("x", name="Ann")),
        (user("x"), user([{"type": "text", "text": "x"}, {"type": "text", "text": ""}])),
        (called("call_a", '{"a": ""}'), called("call_a", "{}")),
        (called("call_a", '{"a": 1}'), called("call_a", '{"a": true}')),
    ],
    ids=["text", "model", "name", "two parts", "empty argument", "1 and true"],
)
def test_what_carries_meaning_is_in_the_key(left: dict[str, Any], right: dict[str, Any]) -> None:
    assert chat_key(left) != chat_key(right)


@pytest.mark.parametrize(
    "body", [{}, {"messages": 1}, {"messages": [1, None, {"role": 7, "tool_calls": [{}, 3]}]}, {"model": []}]
)
def test_any_object_has_a_key(body: dict[str, Any]) -> None:
    assert len(chat_key(body)) == 64


@given(json_values)
def test_normalising_twice_changes_nothing(value: Any) -> None:
    once = normalise(value)

    assert canonical_json(normalise(once)) == canonical_json(once)


@given(json_values, json_values)
def test_explain_finds_a_difference_exactly_where_there_is_one(left: Any, right: Any) -> None:
    assert bool(list(explain(left, right))) == (canonical_json(left) != canonical_json(right))


def test_a_difference_shows_the_words_around_it() -> None:
    left, right = ("Plan a trip. " * 20 + city + " in spring" * 20 for city in ("Paris", "Rome"))

    difference = str(next(iter(explain({"a": [left]}, {"a": [right]}))))

    assert difference.startswith("a[0]: '…")
    assert "Paris" in difference
    assert "Rome" in difference


def test_a_difference_names_what_is_absent() -> None:
    assert [str(found) for found in explain({"a": 1}, {"b": 2})] == ["a: 1 != (absent)", "b: (absent) != 2"]


def test_part_hashes_name_each_message_and_each_shaping_field() -> None:
    assert list(part_hashes({"model": "m", "messages": [1, 2]}, {"n": 2})) == [
        "model",
        "messages[0]",
        "messages[1]",
        "n",
    ]


@pytest.mark.parametrize(
    ("name", "text", "steadied"),
    [
        ("uuid", "run 6f1b2a52-93c4-4c1e-8f0e-0a3f6a4b1c2d now", "run <uuid> now"),
        ("date", "on 2026-11-23.", "on <date>."),
        ("datetime", "at 2026-11-23T10:11:12.5Z", "at <datetime>"),
        ("path", "open /home/ann/work/a.py now", "open <path> now"),
        ("number", "17 of 3.5, not x9", "<number> of <number>, not x9"),
    ],
)
def test_volatile_text_becomes_a_token(name: str, text: str, steadied: str) -> None:
    rule = Volatile(name, re.compile(VOLATILE_TEXT[name]))

    assert steady({"content": [text]}, [rule]) == {"content": [steadied]}


def test_depth_is_bounded_at_its_limit() -> None:
    value: Any = 1
    for _ in range(3):
        value = [{"a": value}]

    assert not too_deep(value, 6)
    assert too_deep(value, 5)


def test_keys_and_stamps_agree_across_processes_and_hash_seeds() -> None:
    program = (
        "from replay_server.keys import request_key; from replay_server.stamp import Stamp\n"
        "s = Stamp(request_key('e', {'b': {'x', }.pop(), 'a': [1, 'é']}), 2)\n"
        "print(s.key, s.created, s.processing_ms, s.id('chatcmpl-', 29), s.hex('n', 10))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }

    assert len(runs) == 1


def test_a_difference_is_a_value() -> None:
    assert Difference("a", 1, 2) == Difference("a", 1, 2)
