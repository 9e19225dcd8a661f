"""`serve --report` and `--fail-on`, `report` and `prune`, as a CI job runs them."""

import re
import shutil
import signal
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import orjson
import pytest

from replay_server.cassettes.library import Library
from replay_server.replay.report import Report
from replay_server.replay.report_file import report_text
from tests.commands.test_commands import HELLO, run, serving, url_of
from tests.conftest import CASSETTES

ALL = len(Library.load(CASSETTES))
"""Interactions in the cassettes of this project, of which HELLO is one."""
HULLO = HELLO.replace(b"hello", b"hullo")


def ask(line: str, body: bytes) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{url_of(line)}/v1/chat/completions", body)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def reported(file: Path, *arguments: str, asked: bytes = HELLO, number: int = signal.SIGTERM) -> tuple[int, str]:
    """Serve, ask once, and stop: the exit code, and what stands on stderr."""
    with serving("--report", str(file), *arguments) as (process, line):
        ask(line, asked)
        process.send_signal(number)
        _, errors = process.communicate()
    return process.returncode, errors


def totals(file: Path) -> Any:
    return orjson.loads(file.read_bytes())["totals"]


@pytest.fixture
def cassettes(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CASSETTES, tmp_path / "cassettes"))


# serve ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_stop_writes_its_report(tmp_path: Path, number: signal.Signals) -> None:
    file = tmp_path / "reports" / "one.json"

    ended = reported(file, number=number)

    assert ended == (0, "")
    assert totals(file) == {
        "requests": 1,
        "sources": {"cassette": 1},
        "interactions": ALL,
        "used": 1,
        "unused": ALL - 1,
        "drift": 0,
        "recorded": 0,
    }
    assert [path.name for path in file.parent.iterdir()] == ["one.json"]


def test_the_file_can_be_named_by_its_variable(tmp_path: Path) -> None:
    file = tmp_path / "one.json"

    with serving(REPLAY_SERVER_REPORT=str(file), REPLAY_SERVER_FAIL_ON="unused") as (process, line):
        ask(line, HELLO)
        process.terminate()
        _, errors = process.communicate()

    assert (process.returncode, errors) == (1, f"replay-server: --fail-on unused: {ALL - 1} unused interactions\n")
    assert totals(file)["requests"] == 1


def test_a_second_signal_waits_for_nothing_and_the_report_is_written(tmp_path: Path) -> None:
    with serving("--report", str(tmp_path / "r.json")) as (process, line):
        ask(line, HELLO)
        host, port = url_of(line).removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as half:
            half.sendall(
                b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n"
            )
            half.recv(25)  # it waits for a body that never comes
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate()

    assert (process.returncode, errors) == (0, "")
    assert totals(tmp_path / "r.json")["sources"] == {"cassette": 1}


@pytest.mark.parametrize(
    ("fail_on", "asked", "code", "problem"),
    [
        ("miss", HULLO, 1, "--fail-on miss: 1 missed request"),
        ("miss,drift", HELLO, 0, ""),
        ("drift", HELLO.replace(b"{", b'{"temperature": 1, ', 1), 0, ""),
        ("unused", HELLO, 1, f"--fail-on unused: {ALL - 1} unused interactions"),
    ],
    ids=["a miss", "no miss", "what a hand-written one does not name is no drift", "unused"],
)
def test_the_exit_code_says_what_the_run_fails_on(
    tmp_path: Path, fail_on: str, asked: bytes, code: int, problem: str
) -> None:
    ended = reported(tmp_path / "r.json", "--strict", "--fail-on", fail_on, asked=asked)

    assert ended[0] == code
    assert ended[1].splitlines()[-1:] == ([f"replay-server: {problem}"] if problem else [])


def test_generated_answers_can_be_failed_on_without_a_file() -> None:
    with serving("--fail-on", "generated") as (process, line):
        ask(line, HULLO)
        process.terminate()
        _, errors = process.communicate()

    assert (process.returncode, errors) == (1, "replay-server: --fail-on generated: 1 generated answer\n")


@pytest.mark.parametrize("command", [["serve"], ["report", "r.json"]], ids=["serve", "report"])
def test_a_word_that_there_is_not_is_refused(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("{}")
    command = [str(tmp_path / word) if word == "r.json" else word for word in command]

    code, out, err = run(*command, "--fail-on", "misses")

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "'misses' is none of miss, generated, unused, drift" in err


def test_a_report_that_could_not_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    code, out, err = run("serve", "--port", "0", "--report", str(tmp_path / "file" / "r.json"))

    assert (code, out) == (2, "")
    assert err.startswith(f"replay-server: {tmp_path}/file: cannot be written to: ")


# report --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    reported(tmp_path / "shards" / "1.json", "--strict")
    reported(tmp_path / "shards" / "2.json", "--strict", asked=HULLO)
    return tmp_path / "shards"


def test_the_reports_of_several_jobs_become_one(shards: Path) -> None:
    by_folder = run("report", str(shards))
    by_file = run("report", str(shards / "2.json"), str(shards / "1.json"))

    assert by_folder == by_file
    code, out, err = by_folder
    assert (code, err) == (0, "")
    assert out.startswith(
        f"2 requests: cassette 1, miss 1\n{ALL} interactions: 1 used, {ALL - 1} unused\n\ninteraction"
    )
    assert "\nmisses (1)\n  1 x no interaction for chat/completions (key " in out


def test_a_merged_report_is_a_report(shards: Path, tmp_path: Path) -> None:
    _, out, _ = run("report", str(shards), "--json")
    (tmp_path / "merged.json").write_text(out)

    assert run("report", str(tmp_path / "merged.json")) == run("report", str(shards))


def test_it_fails_on_what_is_named(shards: Path) -> None:
    code, out, err = run("report", str(shards), "--fail-on", "miss,unused,generated")

    assert code == 1
    assert err.splitlines() == [
        "replay-server: --fail-on miss: 1 missed request",
        f"replay-server: --fail-on unused: {ALL - 1} unused interactions",
    ]
    assert out.startswith("2 requests")


def test_colours_are_for_those_who_want_them(shards: Path) -> None:
    plain, coloured = (run("report", str(shards), **said)[1] for said in ({}, {"FORCE_COLOR": "1"}))

    assert ("\x1b" in plain, f"\x1b[33munused ({ALL - 1})\x1b[0m" in coloured) == (False, True)


def test_github_gets_a_summary_and_annotations(shards: Path, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}

    code, _, err = run("report", str(shards), "--json", **github)
    _, markdown, _ = run("report", str(shards), "--markdown")

    assert code == 0
    assert summary.read_text().startswith(f"before\n{markdown}")
    (annotation,) = err.splitlines()
    assert annotation.startswith("::error title=replay-server%3A miss::no interaction for chat/completions")
    assert "%0A" in annotation


@pytest.mark.parametrize("form", [[], ["--json"], ["--markdown"]], ids=["text", "json", "markdown"])
def test_in_github_actions_a_client_gives_no_commands(tmp_path: Path, form: list[str]) -> None:
    report = Report(misses={"no interaction\n::set-env name=x::y\n##[add-mask]x": 1})
    (tmp_path / "r.json").write_bytes(report_text(report))

    _, out, err = run("report", str(tmp_path / "r.json"), *form, GITHUB_ACTIONS="true")

    assert not re.search(r"^\s*::|##\[", out, re.MULTILINE)
    assert re.findall(r"^\s*::\w+|##\[", err, re.MULTILINE) == ["::error"]
    assert form != ["--json"] or orjson.loads(out)["misses"][0]["explanation"] == next(iter(report.misses))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("request: {}", "is no report"),
        ('{"replay_server_report": 99}', "is a report of version 99, and this replay-server reads version 1"),
    ],
)
def test_what_is_no_report_is_one_line_and_exit_2(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "r.json").write_text(text)

    for command in (["report", str(tmp_path / "r.json")], ["prune", "--report", str(tmp_path / "r.json")]):
        code, out, err = run(*command)

        assert (code, out, err.count("\n")) == (2, "", 1)
        assert problem in err


def test_two_forms_at_once_are_refused(shards: Path) -> None:
    code, _, err = run("report", str(shards), "--json", "--markdown")

    assert (code, err) == (2, "replay-server: --json and --markdown contradict each other: leave one out\n")


# prune ---------------------------------------------------------------------------------------------------------------


def test_pruning_shows_first_and_does_it_when_told(cassettes: Path, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    reported(file, "--cassettes", str(cassettes))

    shown = run("prune", str(cassettes), "--report", str(file))
    there = len(list(cassettes.iterdir()))
    done = run("prune", str(cassettes), "--report", str(file), "--write")
    again = run("prune", str(cassettes), "--report", str(file), "--write")

    assert (shown[0], there) == (1, len(list(CASSETTES.iterdir())))
    assert shown[1].splitlines()[0] == f"{cassettes}/completion.yaml:1: completion.yaml#1 was never used (written)"
    assert shown[1].endswith(f"\n{ALL - 1} unused interactions: take out with --write\n")
    assert (done[0], done[1].splitlines()[-1]) == (0, f"{ALL - 1} unused interactions taken out")
    assert [path.name for path in cassettes.glob("*.yaml")] == ["greeting.yaml"]
    assert (again[0], again[1]) == (2, "")
    assert "the report is of other cassettes, so make it anew" in again[2]


def test_what_several_jobs_used_stays(cassettes: Path, tmp_path: Path) -> None:
    weather = (b'{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Is the job done?"}]}', HELLO)
    for at, body in enumerate(weather):
        reported(tmp_path / f"{at}.json", "--cassettes", str(cassettes), asked=body)

    files = ("--report", str(tmp_path / "0.json"), "--report", str(tmp_path / "1.json"))
    code, _, _ = run("prune", str(cassettes), *files, "--write")

    assert code == 0
    assert sorted(path.name for path in cassettes.glob("*.yaml")) == ["greeting.yaml", "sequence.yaml"]


def test_nothing_unused_is_exit_0(tmp_path: Path) -> None:
    directory = tmp_path / "cassettes"
    directory.mkdir()
    shutil.copy(CASSETTES / "greeting.yaml", directory)
    reported(tmp_path / "r.json", "--cassettes", str(directory))

    assert run("prune", str(directory), "--report", str(tmp_path / "r.json")) == (0, "0 unused interactions\n", "")
