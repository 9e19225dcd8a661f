"""The input of a batch: any bytes are requests, or told to be none."""

import json

from hypothesis import given
from hypothesis import strategies as st

from replay_server.endpoints.batch_input import MOST_LINES, read_input

CHAT = "/v1/chat/completions"
values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["model", "messages"]), inner),
    max_leaves=4,
)
lines = st.fixed_dictionaries(
    {}, optional={"custom_id": values, "method": values, "url": st.just(CHAT), "body": values}
).map(lambda line: json.dumps(line).encode())


@given(st.binary(max_size=200) | st.lists(lines, max_size=4).map(b"\n".join))
def test_any_file_has_requests_or_faults(content: bytes) -> None:
    found = read_input(content, CHAT)

    places = [fault["line"] for fault in found.faults if isinstance(fault, dict)]
    assert all(place is None or (isinstance(place, int) and 1 <= place <= content.count(b"\n") + 1) for place in places)
    assert found.faults or all(isinstance(line["body"], dict) for line in found.lines)


def test_a_file_with_too_many_requests_has_one_fault() -> None:
    found = read_input(b"{}\n" * (MOST_LINES + 1), CHAT)

    message = "The input file has 50001 requests, and a batch takes 50000 at most."
    assert (found.lines, found.faults) == (
        (),
        [{"code": "too_many_tasks", "line": None, "message": message, "param": None}],
    )
