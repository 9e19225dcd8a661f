"""`replay-server refresh`, in processes of its own, against a replay-server that is the upstream."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from tests.commands.test_commands import run, serving, url_of

REQUEST = "request: {model: m, messages: [{role: user, content: Where?}]}\n"
TRUE = '{choices: [{index: 0, message: {content: "It lies in Rome."}, finish_reason: stop}], usage: {total_tokens: 9}}'
STALE = '{choices: [{index: 0, message: {content: "It lies in Paris\\e[31m."}, finish_reason: stop}], usage: {}}'
UPLOAD = "endpoint: POST /files\nrequest: {raw: {sha256: ab}}\nresponse: {body: 1}\n"
SINCE = "recorded: {at: 2026-01-01}\n"


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("upstream")
    (directory / "a.yaml").write_text(f"{REQUEST}response: {{body: {TRUE}}}\n{SINCE}")
    with serving("--cassettes", str(directory), "--strict") as (_, line):
        yield url_of(line)


@pytest.fixture
def cassettes(write: Callable[[str, str], Path]) -> Path:
    return write("a.yaml", f"name: place\n{REQUEST}response: {{body: {STALE}}}\n{SINCE}")


def timeless(out: str) -> str:
    return re.sub(r"\(\d+\.\d s\)", "(… s)", out)


def test_a_difference_is_shown_and_exits_with_1(cassettes: Path, upstream: str) -> None:
    code, out, err = run("refresh", str(cassettes), "--upstream", upstream)

    assert (code, err) == (1, "")
    assert timeless(out) == (
        "differs  a.yaml#1 place\n"
        "  content: It lies in [-Paris\\x1b[31m-]{+Rome+}.\n"
        "  usage.total_tokens: new {+9+}\n"
        "1 interaction: 0 same, 1 differs, 0 failed, 0 skipped, 0 written (… s); --write takes what differs\n"
    )


def test_what_was_taken_is_true_from_then_on(cassettes: Path, upstream: str) -> None:
    taken = run("refresh", str(cassettes), "--upstream", upstream, "--write")
    again = run("refresh", str(cassettes), "--upstream", upstream)

    assert (taken[0], taken[1].splitlines()[0]) == (0, "differs  a.yaml#1 place (written)")
    assert (again[0], timeless(again[1])) == (
        0,
        "same     a.yaml#1 place\n1 interaction: 1 same, 0 differs, 0 failed, 0 skipped, 0 written (… s)\n",
    )


def test_programs_get_one_object(cassettes: Path, upstream: str) -> None:
    code, out, err = run("refresh", str(cassettes), "--upstream", upstream, "--json")

    told = orjson.loads(out)
    assert (code, err, told.pop("seconds") >= 0) == (1, "", True)
    assert told == {
        "same": 0,
        "differs": 1,
        "failed": 0,
        "skipped": 0,
        "written": 0,
        "interactions": [
            {
                "interaction": "a.yaml#1",
                "name": "place",
                "status": "differs",
                "reason": "",
                "written": False,
                "changes": [
                    {"path": "content", "recorded": "It lies in Paris\x1b[31m.", "answered": "It lies in Rome."},
                    {"path": "usage.total_tokens", "answered": 9},
                ],
            }
        ],
    }


def test_what_could_not_be_asked_exits_with_1(write: Callable[[str, str], Path], upstream: str) -> None:
    unknown = "request: {model: m, prompt: x}\nresponse: {body: {choices: []}}\n"
    cassettes = write("a.yaml", f"{UPLOAD}{SINCE}---\n{unknown}{SINCE}")

    code, out, _ = run("refresh", str(cassettes), "--upstream", upstream)

    skipped, failed, _ = out.splitlines()
    assert code == 1
    assert skipped == "skipped  a.yaml#1: of what was uploaded only the hash was kept: record it anew"
    assert failed.startswith("failed   a.yaml#2: the upstream answered 404: no interaction for completions")


def test_a_dry_run_asks_nobody(cassettes: Path) -> None:
    assert run("refresh", str(cassettes), "--dry-run") == (
        0,
        "a.yaml#1: about 9 prompt tokens\n1 request would be asked, about 9 prompt tokens; nothing was\n",
        "",
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "refresh asks a real API: name it with --upstream URL"),
        (["--upstream", "nowhere"], "--upstream 'nowhere' is no URL"),
        (["--upstream", "https://example.test"], "OPENAI_API_KEY is not set"),
        (["--upstream", "http://localhost:1", "--older-than", "old"], "--older-than 'old' is no age"),
        (["--upstream", "http://localhost:1", "--only", "b.yaml"], "--only b.yaml names no recorded interaction"),
        (["--upstream", "http://localhost:1", "--attempts", "0"], "Invalid value for '--attempts'"),
    ],
    ids=["no upstream", "no URL", "no key", "no age", "no such name", "no number"],
)
def test_mistakes_are_one_line_and_exit_with_2(cassettes: Path, options: list[str], message: str) -> None:
    code, out, err = run("refresh", str(cassettes), *options)

    assert (code, out) == (2, "")
    assert err.startswith(f"replay-server: {message}")
    assert err.count("\n") == 1


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize(
    ("options", "told"),
    [([], "nothing was written"), (["--write"], "what was taken by then is written")],
    ids=["show", "write"],
)
def test_an_interrupt_is_one_line_and_leaves_whole_files(
    cassettes: Path, stop: signal.Signals, options: list[str], told: str
) -> None:
    before = (cassettes / "a.yaml").read_text()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-m", "replay_server", "refresh", str(cassettes), "--upstream", url, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        silent.settimeout(60)  # a run that asks nobody must fail the test, not hold it
        connection, _ = silent.accept()  # from here on it waits for an answer
        process.send_signal(stop)
        out, err = process.communicate()
        connection.close()

    assert (process.returncode, out, err) == (130, "", f"replay-server: stopped; {told}\n")
    assert [(path.name, path.read_text()) for path in cassettes.iterdir()] == [("a.yaml", before)]


@pytest.mark.skipif(sys.platform == "win32", reason="has no such terminals")
def test_a_terminal_shows_how_far_it_is(cassettes: Path, upstream: str) -> None:
    shown, terminal = os.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "replay_server", "refresh", str(cassettes), "--upstream", upstream],
        stdout=subprocess.PIPE,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm"},
        cwd=Path(__file__).parents[2],
        check=False,
    )
    os.close(terminal)
    with os.fdopen(shown, "rb") as reader:
        bar = os.read(reader.fileno(), 65536)

    assert (b"asking" in bar, b"100%" in bar, bar[-2:]) == (True, True, b"\r\n")
    assert done.stdout.startswith(b"differs  a.yaml#1 place\n")


@pytest.mark.skipif(sys.platform == "win32", reason="has no such terminals")
@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"NO_COLOR": ""}, b"  content: It lies in \x1b[31m[-Paris\\x1b[31m-]\x1b[0m\x1b[32m{+Rome+}\x1b[0m.\r\n"),
        ({"NO_COLOR": "1"}, b"  content: It lies in [-Paris\\x1b[31m-]{+Rome+}.\r\n"),
    ],
    ids=["colours", "no colours"],
)
def test_a_terminal_shows_colours(cassettes: Path, upstream: str, environment: dict[str, str], expected: bytes) -> None:
    shown, terminal = os.openpty()
    subprocess.run(
        [sys.executable, "-m", "replay_server", "refresh", str(cassettes), "--upstream", upstream],
        stdout=terminal,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm", **environment},
        cwd=Path(__file__).parents[2],
        check=False,
    )
    os.close(terminal)
    with os.fdopen(shown, "rb") as reader:
        assert expected in os.read(reader.fileno(), 65536)
