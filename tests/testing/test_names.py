"""Cassettes and sessions of tests have names that are safe, readable, and different."""

from pathlib import Path

import pytest

from replay_server.endpoints.address import session_id
from replay_server.record.live_cassettes import cassette_folder
from replay_server.testing.names import cassettes_of, session_of
from replay_server.testing.names import test_name as name_of

LONG = "x" * 300


@pytest.mark.parametrize(
    ("node_id", "name"),
    [
        ("t.py::test_rain", "test_rain"),
        ("t.py::test_rain[paris]", "test_rain-paris"),
        ("t.py::TestRain::test_rain[paris-1.5]", "TestRain.test_rain-paris-1.5"),
        ("t.py::test_rain[-1]", "test_rain--1"),
        ("t.py::test_rain[a::b]", "test_rain-a-b-17446711"),
        ("t.py::test_rain[a b]", "test_rain-a-b-286ed35d"),
        ("t.py::test_rain[S\\xe3o]", "test_rain-S-xe3o-4bfd82ce"),
        ("t.py::test_rain[../../etc]", "test_rain-..-..-etc-35f8eeb3"),
        ("t.py::test_rain[]", "test_rain-99559050"),
        ("t.py::test_\u96e8", "test_-7dc27944"),
    ],
    ids=lambda value: ascii(value),
)
def test_a_test_gives_its_cassette_a_name(node_id: str, name: str) -> None:
    assert name_of(node_id) == name


@pytest.mark.parametrize(
    "node_id", [f"t.py::test[{LONG}]", "t.py::test[\udce9]", "t.py::test[.]", "t.py::test[\n]", "t.py::test[/]"]
)
def test_any_name_can_be_a_folder_and_a_session(node_id: str, tmp_path: Path) -> None:
    (cassette, *_), session = cassettes_of(node_id, Path("/a/t.py"), Path("/a")), session_of(node_id)

    assert cassette_folder(tmp_path, cassette) == tmp_path / cassette
    assert session_id(session) == session


def test_tests_that_differ_have_cassettes_that_differ() -> None:
    node_ids = [f"t.py::test[{value}]" for value in ("a b", "a-b", "a/b", "a:b", LONG, f"{LONG}x", "", "-")]

    assert len({name_of(node_id) for node_id in node_ids}) == len(node_ids)
    assert len({session_of(f"{module}::test") for module in ("a/t.py", "b/t.py")}) == 2


@pytest.mark.parametrize(
    ("module", "cassette"),
    [
        ("/p/tests/test_a.py", "test_a/test_x"),
        ("/p/tests/unit/test_a.py", "unit/test_a/test_x"),
        ("/elsewhere/test_a.py", "test_a/test_x"),
    ],
)
def test_a_cassette_lies_where_its_module_does(module: str, cassette: str) -> None:
    assert cassettes_of("any::test_x", Path(module), Path("/p/tests")) == (cassette,)


@pytest.mark.parametrize(
    ("node_id", "name"),
    [
        ("t.py::test_rain[paris-1.5]", "test_rain[paris-1.5]"),
        ("t.py::TestRain::test_rain[a/b: c]", "TestRain.test_rain[a-b- c]"),
        ("t.py::TestWeather::TestRain::test_rain", "TestRain.test_rain"),
    ],
)
def test_what_pytest_recording_calls_a_cassette_is_the_second_name(node_id: str, name: str) -> None:
    first, second = cassettes_of(node_id, Path("/p/t.py"), Path("/p"))

    assert (first, second) == (f"t/{name_of(node_id)}", f"t/{name}")
