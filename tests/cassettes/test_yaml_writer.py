"""What is written reads back as the same value, by our reader and by readers of YAML 1.1."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replay_server.cassettes.yaml import documents
from replay_server.cassettes.yaml_writer import dump

# A busy machine is no failure.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

CASSETTES = Path(__file__).parents[2] / "cassettes"

# Surrogates are no text: UTF-8 has none.
CHARACTERS = st.characters(exclude_categories=["Cs"])
NASTY = st.sampled_from([*"\n\n\n\t\r  :#-?,[]{}&*!|>'\"%@`~=<.0123eE+_xno\\", *"😀\x85\u2028\ufeff\0"])
WORDS = st.sampled_from(
    [
        *("NO", "y", "~", "null", "True", "12:30", "2024-01-01", "1e3", "0o17", "0x1F", "1_000", ".inf", "-.5", "<<"),
        *("---", "...", "... x", "a: b", "a #b", "a:", "- a", "? a", "[DONE]", " two", "\n\n", "a\n", "\n a", "a\n\n"),
    ]
)
LONG = st.builds(lambda text, times: text * times, st.text(NASTY, min_size=1, max_size=20), st.integers(50, 100))
TEXTS = WORDS | st.text(CHARACTERS) | st.text(NASTY) | LONG
SHORT_TEXTS = WORDS | st.text(NASTY, max_size=6)
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=20
)
DOCUMENTS = st.dictionaries(TEXTS, VALUES)


def load(text: str) -> Any:
    (document,) = documents(text.encode())
    return document.value


def exact(value: Any) -> str:
    """JSON tells 1 from 1.0 and True, and the order of keys."""
    return json.dumps(value)


@PATIENT
@given(DOCUMENTS)
def test_a_document_reads_back_as_it_was(document: dict[str, Any]) -> None:
    text = dump(document)

    assert exact(load(text)) == exact(document)
    assert dump(load(text)) == text


@PATIENT
@given(DOCUMENTS, DOCUMENTS)
def test_documents_can_stand_in_one_file(first: dict[str, Any], second: dict[str, Any]) -> None:
    text = f"{dump(first)}---\n{dump(second)}"

    assert [exact(document.value) for document in documents(text.encode())] == [exact(first), exact(second)]


@PATIENT
@given(st.dictionaries(TEXTS, st.recursive(TEXTS | st.none() | st.booleans() | NUMBERS, st.lists, max_leaves=5)))
def test_yaml_1_1_reads_the_same(document: dict[str, Any]) -> None:
    assert exact(yaml.safe_load(dump(document))) == exact(document)


@PATIENT
@given(VALUES)
def test_events_of_a_stream_are_a_line_each(value: Any) -> None:
    document = {"stream": {"events": [{"after": 0.1, "data": value}, value]}}

    text = dump(document)

    assert exact(load(text)) == exact(document)
    assert exact(yaml.safe_load(text)) == exact(document)
    assert len(text.splitlines(keepends=False)) == 4


@PATIENT
@given(st.integers(1, 80), st.lists(st.booleans(), min_size=1), SHORT_TEXTS)
def test_deep_nesting_reads_back(depth: int, kinds: list[bool], text: str) -> None:
    value: Any = text
    for level in range(depth):
        value = [value] if kinds[level % len(kinds)] else {text: value}

    assert load(dump({"a": value})) == {"a": value}


@pytest.mark.parametrize("path", sorted(CASSETTES.glob("*.yaml")), ids=lambda path: path.name)
def test_checked_in_cassettes_are_written_as_they_stand(path: Path) -> None:
    text = path.read_text()

    assert "---\n".join(dump(document.value) for document in documents(text.encode())) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("two words", " two words"),
        ("two, or [three]", " two, or [three]"),
        ("NO", " 'NO'"),
        ("5", " '5'"),
        ("12:30", " '12:30'"),
        ("", " ''"),
        (" two", " ' two'"),
        ("it's: here", " 'it''s: here'"),
        ("a\tb", ' "a\\tb"'),
        ("a\r\nb", ' "a\\r\\nb"'),
        ("a\u2028\x85\x01", ' "a\\u2028\\x85\\x01"'),
        ("\n\n", ' "\\n\\n"'),
        ("# Title\n\n* one 😀  \n\t* two", " |-\n  # Title\n\n  * one 😀  \n  \t* two"),
        ("a\n", " |\n  a"),
        ("a\n\n", " |+\n  a\n"),
        ("  a\nb", " |2-\n    a\n  b"),
        ("a\n   \nb", " |-\n  a\n     \n  b"),
        (None, " null"),
        (True, " true"),
        (1e22, " 1.0e+22"),
        (-0.0, " -0.0"),
        ([], " []"),
        ({}, " {}"),
        (["a", ["b", {"c": 1, "d": 2}]], "\n  - a\n  - - b\n    - c: 1\n      d: 2"),
    ],
    ids=str,
)
def test_values_are_written_to_be_read(value: Any, text: str) -> None:
    assert dump({"a": value}) == f"a:{text}\n"


def test_an_event_is_written_in_flow_style() -> None:
    event = {"after": 0.021, "data": {"choices": [{"index": 0, "delta": {"content": " two"}}]}}
    ending = {"after": 0.0, "data": "[DONE]"}

    assert dump({"stream": {"events": [event, ending]}}) == (
        "stream:\n"
        "  events:\n"
        "    - {after: 0.021, data: {choices: [{index: 0, delta: {content: ' two'}}]}}\n"
        "    - {after: 0.0, data: '[DONE]'}\n"
    )
