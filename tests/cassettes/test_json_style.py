import json
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replay_server.cassettes.json_style import JsonStyle

# A busy machine is no failure.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

STYLES = [
    JsonStyle(spacing, escapes, newline)
    for spacing in ("compact", "spaced", "indent 2", "indent 4")
    for escapes in (False, True)
    for newline in (False, True)
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=10,
)


@PATIENT
@given(VALUES, st.sampled_from(STYLES))
def test_a_style_is_found_that_gives_the_bytes_again(value: Any, style: JsonStyle) -> None:
    body = style.dump(value)

    found = JsonStyle.detect(body, value)

    assert found is not None
    assert found.dump(value) == body


@pytest.mark.parametrize("style", STYLES, ids=lambda style: str(style) or "compact")
def test_a_style_is_told_in_the_words_that_are_read(style: JsonStyle) -> None:
    assert JsonStyle.detect(style.dump({"a": ["é"]}), {"a": ["é"]}) == style
    assert JsonStyle.read(str(style) or "compact") == style


def test_the_usual_style_needs_no_words() -> None:
    assert str(JsonStyle()) == ""


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1.00}',
        b'{"a":1E-6}',
        b'"\\/"',
        b'"\\u00E9"',
        b'{"a":1,"a":1}',
        b"[1 ,2]",
        b"123456789012345678901234567890",
    ],
    ids=repr,
)
def test_what_no_style_gives_again_has_none(body: bytes) -> None:
    assert JsonStyle.detect(body, orjson.loads(body)) is None


def test_bodies_of_python_servers_have_a_style() -> None:
    value = {"text": "é", "numbers": [1, 2.5]}

    assert JsonStyle.detect(json.dumps(value).encode(), value) == JsonStyle("spaced", ascii=True)
