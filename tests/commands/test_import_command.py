"""`replay-server import` as a user runs it."""

import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from replay_server.commands import main

DATA = Path(__file__).parents[1] / "data" / "recordings"
VCRPY = DATA / "vcrpy" / "test_completions__test_completion_context_propagation.yaml"
BROKEN = """\
interactions:
- request: {method: POST, uri: http://h/v1/speech, body: '{}', headers: {}}
  response: {status: {code: 200}, body: {string: hi}, headers: {content-type: [text/plain]}}
- request: {method: POST, uri: http://h/v1/speech, body: '{}', headers: {}}
  response: {body: {string: hi}}
"""


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["import", *map(str, arguments)])
    return result.exit_code, result.output


def figures(output: str) -> dict[str, str]:
    """The last lines: names and numbers."""
    return dict(line.split("  ", 1) for line in output.splitlines() if line.split("  ")[-1].strip().isdecimal())


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_directories_become_cassettes_of_the_same_tree(tmp_path: Path) -> None:
    code, output = run(DATA, "--cassettes", tmp_path)

    sources = [path.relative_to(DATA).with_suffix(".yaml") for path in DATA.rglob("*.*")]
    assert code == 0
    assert sorted(files(tmp_path)) == sorted(map(str, sources))
    assert output.splitlines()[1] == f"cassettes     {len(sources)}"


def test_importing_again_changes_nothing(tmp_path: Path) -> None:
    run(DATA, "--cassettes", tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.yaml")}

    code, output = run(DATA, "--cassettes", tmp_path)

    assert code == 0
    assert f"unchanged     {len(before)}" in output
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.yaml")} == before


def test_a_cassette_that_says_something_else_is_replaced_by_force_only(tmp_path: Path) -> None:
    there = tmp_path / VCRPY.name
    there.write_text("# mine\n")

    code, output = run(VCRPY, "--cassettes", tmp_path)
    kept = there.read_text()
    forced, _ = run(VCRPY, "--cassettes", tmp_path, "--force")

    assert (code, kept) == (1, "# mine\n")
    assert f"not imported  {VCRPY.name}: {there} says something else: --force replaces it" in output
    assert forced == 0
    assert there.read_text().startswith("request:")


def test_what_cannot_be_imported_is_listed_and_the_rest_is_imported(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.yaml").write_text(BROKEN)
    (tmp_path / "in" / "b.json").write_text("{}")
    (tmp_path / "in" / "notes.md").touch()

    code, output = run(tmp_path / "in", "--cassettes", tmp_path / "out")

    assert code == 1
    assert output == (
        "not imported  a.yaml interaction 2: has no status: its response was not recorded whole\n"
        "not imported  b.json: is none of a cassette of vcrpy, a recording of OGX, a HAR file and a file of a batch\n"
        "imported      1\ncassettes     1\nunchanged     0\nnot replaced  0\nnot imported  2\nskipped       0\n"
        "other files   1 not looked at (.md 1)\n"
    )
    assert files(tmp_path / "out") == {
        "a.yaml": b"endpoint: POST /speech\nrequest:\n  body: {}\nresponse:\n"
        b"  headers:\n    content-type: text/plain\n  raw: hi\nrecorded: {}\n"
    }


def test_a_long_name_is_kept(tmp_path: Path) -> None:
    source = tmp_path / f"{'x' * 245}.yaml"
    shutil.copy(VCRPY, source)

    code, _ = run(source, "--cassettes", tmp_path / "out")

    assert (code, list(files(tmp_path / "out"))) == (0, [source.name])


def test_a_compressed_file_is_the_file_that_it_holds(tmp_path: Path) -> None:
    packed = tmp_path / f"{VCRPY.name}.gz"
    packed.write_bytes(gzip.compress(VCRPY.read_bytes()))

    run(VCRPY, "--cassettes", tmp_path / "plain")
    run(packed, "--cassettes", tmp_path / "packed")

    assert files(tmp_path / "packed") == files(tmp_path / "plain")


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    code, output = run(VCRPY, "--cassettes", tmp_path / "out", "--dry-run")

    assert code == 0
    assert output.endswith("nothing was written\n")
    assert not (tmp_path / "out").exists()


def test_only_chooses_by_url(tmp_path: Path) -> None:
    code, output = run(DATA / "vcrpy", "--cassettes", tmp_path, "--only", "https://api.anthropic.com/*")

    assert code == 0
    assert list(files(tmp_path)) == ["parsed__anthropic__anthropic_task_budget_adds_output_config_and_beta.yaml"]
    assert (
        "skipped       parsed__test_openai__test_user_id.yaml interaction 1: has a URL that --only does not" in output
    )


def test_json_tells_of_every_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(BROKEN)

    code, output = run(tmp_path / "a.yaml", "--cassettes", tmp_path / "out", "--json")

    report: dict[str, Any] = json.loads(output)
    assert code == 1
    assert {name: report[name] for name in ("imported", "cassettes", "not_imported")} == {
        "imported": 1,
        "cassettes": 1,
        "not_imported": 1,
    }
    assert report["files"] == [
        {
            "file": "a.yaml",
            "cassette": "a.yaml",
            "format": "vcrpy",
            "state": "imported",
            "interactions": 1,
            "imported": 1,
            "refused": [
                {
                    "place": "interaction 2",
                    "reason": "has no status: its response was not recorded whole",
                    "skipped": False,
                }
            ],
        }
    ]


def test_a_batch_is_imported_from_its_files(tmp_path: Path) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    asked = {"custom_id": "one", "method": "POST", "url": "/v1/chat/completions", "body": body}
    given = {"custom_id": "one", "response": {"status_code": 200, "body": {"id": 1}}, "error": None}
    (tmp_path / "in.jsonl").write_text(json.dumps(asked))
    (tmp_path / "output.jsonl").write_text(json.dumps(given))

    code, _ = run(tmp_path / "in.jsonl", tmp_path / "output.jsonl", "--cassettes", tmp_path / "out")

    assert code == 0
    assert files(tmp_path / "out") == {
        "in.yaml": b"name: one\nrequest:\n  model: m\n  messages:\n    - role: user\n      content: x\n"
        b"response:\n  body:\n    id: 1\nrecorded: {}\n"
    }


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "Missing argument 'FILE|DIR...'"),
        (["nowhere"], "Path 'nowhere' does not exist"),
        (["empty"], "empty: there is no file that could be imported"),
        (["empty", "--from", "tape"], "'tape' is not one of 'auto', 'vcrpy', 'recordings', 'har', 'batch'"),
        (["empty", "--cassettes", "empty"], "cassettes cannot be imported into the directory that they come from"),
    ],
    ids=["nothing", "no such file", "an empty folder", "no such format", "into itself"],
)
def test_a_mistake_is_one_line(
    arguments: list[str], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()

    code, output = run(*arguments)

    assert code == 2
    assert len(output.splitlines()) == 1
    assert problem in output


def test_many_files_are_imported_by_several_processes(tmp_path: Path) -> None:
    for number in range(40):
        shutil.copy(VCRPY, tmp_path / f"{number:02}.yaml")
    command = [sys.executable, "-m", "replay_server", "import", str(tmp_path), "--cassettes", str(tmp_path / "out")]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((tmp_path / "out").iterdir())) == 40
    assert len(set(files(tmp_path / "out").values())) == 1
