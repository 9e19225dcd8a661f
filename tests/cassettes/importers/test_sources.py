"""Which files are imported, under which names, and which files of batches belong together."""

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from replay_server.cassettes.importers.sources import find_sources
from replay_server.errors import UsageError

Put = Callable[..., None]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Write files below a directory of the test's own: names, or names with ids of a batch."""

    def put(*names: str, ids: str = "", answers: bool = False) -> None:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            line = {"response": {}} if answers else {"body": {}}
            path.write_bytes(b"".join(orjson.dumps({"custom_id": each, **line}) + b"\n" for each in ids))

    return put


def named(tmp_path: Path, *paths: str, form: str = "auto") -> dict[str, str]:
    found = find_sources([tmp_path / path for path in paths or ("",)], form, tmp_path / "out")
    return {source.name: source.cassette for source in found.sources}


def test_the_tree_is_kept(tmp_path: Path, put: Put) -> None:
    put("a.yaml", "b/c.json", "b/d/e.yml", "f.har", "g.YAML.gz")

    assert named(tmp_path) == {
        "a.yaml": "a.yaml",
        "b/c.json": "b/c.yaml",
        "b/d/e.yml": "b/d/e.yaml",
        "f.har": "f.yaml",
        "g.YAML.gz": "g.yaml",
    }


def test_files_that_would_be_one_cassette_keep_their_endings(tmp_path: Path, put: Put) -> None:
    put("a.yaml", "a.json", "a.har", "replay.yaml")

    assert named(tmp_path) == {
        "a.yaml": "a.yaml",
        "a.json": "a.json.yaml",
        "a.har": "a.har.yaml",
        "replay.yaml": "replay.yaml.yaml",  # replay.yaml itself is no cassette
    }


def test_two_files_of_one_name_are_refused(tmp_path: Path, put: Put) -> None:
    put("a/x.yaml", "b/x.yaml")

    with pytest.raises(UsageError, match=r"a/x.yaml and .*b/x.yaml would both become x.yaml: give a folder"):
        named(tmp_path, "a/x.yaml", "b/x.yaml")


def test_hidden_files_and_what_was_imported_are_left_out(tmp_path: Path, put: Put) -> None:
    put(".git/x.yaml", ".x.yaml", "out/y.yaml", "z.yaml", "notes.md")

    found = find_sources([tmp_path], "auto", tmp_path / "out")

    assert [source.name for source in found.sources] == ["z.yaml"]
    assert found.others == [".x.yaml", "notes.md"]


def test_cassettes_are_not_imported_into_their_own_directory(tmp_path: Path, put: Put) -> None:
    put("out/y.yaml")

    with pytest.raises(UsageError, match="cannot be imported into the directory that they come from"):
        named(tmp_path, "out")


def test_a_file_that_was_named_may_have_any_name(tmp_path: Path, put: Put) -> None:
    put(".x.yaml", "recording")

    assert named(tmp_path, ".x.yaml", "recording") == {".x.yaml": "x.yaml", "recording": "recording.yaml"}


def test_a_name_that_no_cassette_can_have_is_a_problem(tmp_path: Path, put: Put) -> None:
    put("x" * 250 + ".har")

    (source,) = find_sources([tmp_path], "auto", tmp_path / "out").sources

    assert source.problem == "has a name that is too long for a cassette: rename it"


def partners(tmp_path: Path, *paths: str) -> dict[str, list[str] | str]:
    found = find_sources([tmp_path / path for path in paths or ("",)], "auto", tmp_path / "out")
    return {source.name: source.problem or [path.name for path in source.answers] for source in found.sources}


def test_files_of_a_batch_are_found_together(tmp_path: Path, put: Put) -> None:
    put("in.jsonl", ids="abc")
    put("out.jsonl", ids="ab", answers=True)
    put("errors.jsonl", ids="c", answers=True)

    assert partners(tmp_path) == {"in.jsonl": ["errors.jsonl", "out.jsonl"]}
    assert partners(tmp_path, "out.jsonl", "in.jsonl") == {"in.jsonl": ["out.jsonl"]}


def test_of_several_batches_each_has_the_answers_to_its_requests(tmp_path: Path, put: Put) -> None:
    put("one/in.jsonl", "two/in.jsonl", "x_in.jsonl", "y_in.jsonl", ids="ab")
    put("one/out.jsonl", "two/out.jsonl", "x_out.jsonl", "y_out.jsonl", ids="ab", answers=True)

    assert partners(tmp_path) == {
        "one/in.jsonl": ["out.jsonl"],
        "two/in.jsonl": ["out.jsonl"],
        "x_in.jsonl": ["x_out.jsonl"],
        "y_in.jsonl": ["y_out.jsonl"],
    }


def test_answers_that_may_belong_to_several_requests_are_refused(tmp_path: Path, put: Put) -> None:
    put("p.jsonl", "q.jsonl", ids="ab")
    put("out.jsonl", ids="a", answers=True)
    put("lost.jsonl", ids="z", answers=True)

    found = partners(tmp_path)

    assert (
        found["out.jsonl"]
        == "holds answers to the requests of several files (p.jsonl, q.jsonl): import them one by one"
    )
    assert found["lost.jsonl"] == "holds answers of a batch whose file of requests is not here: give that file too"
