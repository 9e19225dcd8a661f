"""`replay-server record`, and the way from a miss to a cassette, in processes of their own."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import openai
import orjson
import pytest

from tests.commands.test_commands import run, serving, url_of
from tests.conftest import CASSETTES

SCRIPT = "requests:\n  - {name: hello, model: gpt-4o-mini, messages: [{role: user, content: Say hello.}]}\n"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "hello.yaml"
    path.write_text(SCRIPT)
    return path


def test_the_way_from_a_miss_to_a_cassette(tmp_path: Path) -> None:
    misses, cassettes = tmp_path / "misses.jsonl", tmp_path / "cassettes"

    def ask(url: str) -> str:
        with openai.OpenAI(base_url=f"{url}/v1", api_key="any") as client:
            messages = [{"role": "user", "content": "Say hello."}]
            answer = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=messages)
            return str(answer.headers["x-replay-source"])

    with serving("--cassettes", str(cassettes), "--save-misses", str(misses)) as (_, line):
        sources = [ask(url_of(line)) for _ in range(3)]
    with serving("--cassettes", str(CASSETTES)) as (_, line):
        code, _, _ = run("record", str(misses), "--cassettes", str(cassettes), "--upstream", url_of(line))
    with serving("--cassettes", str(cassettes), "--strict") as (_, line):
        sources.append(ask(url_of(line)))

    assert code == 0
    assert sources == ["generated", "generated", "generated", "cassette"]
    assert [orjson.loads(text)["url"] for text in misses.read_text().splitlines()] == ["/v1/chat/completions"]
    assert (cassettes / "misses.yaml").read_text().startswith("name: miss-")


def test_a_miss_prints_the_command_that_mends_it(tmp_path: Path) -> None:
    misses = tmp_path / "my misses.jsonl"
    with (
        serving("--strict", "--save-misses", str(misses)) as (_, line),
        openai.OpenAI(base_url=f"{url_of(line)}/v1", api_key="any") as client,
        pytest.raises(openai.NotFoundError) as caught,
    ):
        client.completions.create(model="m", prompt="x")

    assert f"record it: replay-server record '{misses}' --cassettes cassettes --upstream URL" in str(caught.value)
    assert misses.exists()


def test_progress_is_plain_lines_and_the_end_is_a_table(script: Path, tmp_path: Path) -> None:
    code, out, err = run("record", str(script), "--cassettes", str(tmp_path / "c"), "--offline")

    assert code == 0
    assert err.startswith(f"recorded  {script}:2 hello (")
    assert [line.split()[:2] for line in out.splitlines()[:4]] == [
        ["recorded", "1"],
        ["kept", "0"],
        ["failed", "0"],
        ["missing", "0"],
    ]


def test_standard_input_and_json(tmp_path: Path) -> None:
    code, out, err = run(
        "record", "-", "--cassette", "named", "--cassettes", str(tmp_path), "--offline", "--json", stdin=SCRIPT.encode()
    )

    assert (code, err) == (0, "")
    assert orjson.loads(out)["recorded"] == 1
    assert (tmp_path / "named.yaml").exists()


def test_mode_none_lists_what_is_missing(script: Path, tmp_path: Path) -> None:
    code, out, _ = run("record", str(script), "--cassettes", str(tmp_path / "c"), "--record-mode", "none")

    assert code == 1
    assert out.startswith(f"missing   {script}:2 hello: not in hello.yaml (mode none)\n")


def test_a_dry_run_asks_nothing(script: Path, tmp_path: Path) -> None:
    code, out, err = run(
        "record", str(script), "--cassettes", str(tmp_path / "c"), "--upstream", "https://nowhere.invalid", "--dry-run"
    )

    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "1 request would be asked, about 10 prompt tokens; nothing was"
    assert not (tmp_path / "c").exists()


def test_an_upstream_that_refuses_the_connection_fails_with_its_name(script: Path, tmp_path: Path) -> None:
    code, out, _ = run(
        *("record", str(script), "--cassettes", str(tmp_path / "c"), "--attempts", "1"),
        *("--upstream", "http://127.0.0.1:1"),
    )

    assert code == 1
    assert "failed" in out
    assert "127.0.0.1:1" in out


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("requests:\n  - {prompt: x, modle: m}", [], "hello.yaml:2: requests[0].modle: is no parameter of completions"),
        ("requests: [", [], "hello.yaml:1: is not YAML"),
        (SCRIPT, ["--upstream", "https://nowhere.invalid"], "OPENAI_API_KEY is not set: set it to the key of https"),
        (SCRIPT, ["--upstream", "nowhere"], "--upstream 'nowhere' is no URL"),
        (SCRIPT, ["--upstream", "http://127.0.0.1:1", "--offline"], "--upstream and --offline contradict each other"),
        (SCRIPT, ["--cassette", "../x", "--offline"], "../x:1: is not the name of a cassette"),
        (SCRIPT, ["--cassettes", "/proc/nothing", "--offline"], "/proc/nothing: cannot be written to"),
    ],
)
def test_what_record_cannot_use_is_one_line_and_exit_2(
    script: Path, tmp_path: Path, text: str, arguments: list[str], message: str
) -> None:
    script.write_text(text)

    code, out, err = run("record", str(script), "--cassettes", str(tmp_path / "c"), *arguments)

    assert (code, out) == (2, "")
    assert [line for line in err.splitlines() if not line.startswith("recorded")] == [err.splitlines()[-1]]
    assert message in err
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupt_keeps_what_is_done(tmp_path: Path, stop: signal.Signals) -> None:
    batch = tmp_path / "many.jsonl"
    line = {"url": "/v1/completions", "body": {"model": "m", "prompt": "first"}}
    batch.write_bytes(b"\n".join(orjson.dumps({**line, "body": {"model": "m", "prompt": f"p{n}"}}) for n in range(4)))
    with serving() as (_, started):
        code, _, _ = run("record", str(batch), "--cassettes", str(tmp_path / "c"), "--upstream", url_of(started))
    assert code == 0
    before = (tmp_path / "c/many.yaml").read_text()

    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "replay_server", "record", str(batch), "--cassettes", str(tmp_path / "c")),
                *("--upstream", f"http://127.0.0.1:{silent.getsockname()[1]}", "--record-mode", "all"),
            ],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=CASSETTES.parent,
        )
        silent.settimeout(60)  # a run that asks nobody must fail the test, not hold it
        connection, _ = silent.accept()  # from here on it waits for an answer
        process.send_signal(stop)
        _, err = process.communicate()
        connection.close()

    assert process.returncode == 130
    assert err == "replay-server: stopped; what was done is written, and the next run goes on from there\n"
    assert (tmp_path / "c/many.yaml").read_text() == before


def test_a_full_disk_is_one_line_and_leaves_what_was_there(script: Path, tmp_path: Path) -> None:
    cassettes = tmp_path / "c"
    run("record", str(script), "--cassettes", str(cassettes), "--offline")
    before = (cassettes / "hello.yaml").read_bytes()
    script.write_text(SCRIPT + "  - {model: m, prompt: %s, response: {content: x}}\n" % ("long " * 1000))
    # A file that may not grow further fails as a file on a full disk does: in the middle of a write.
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        "from replay_server.commands import main; main(sys.argv[1:], prog_name='replay-server')"
    )

    done = subprocess.run(
        [sys.executable, "-B", "-c", limited, "record", str(script), "--cassettes", str(cassettes)],
        capture_output=True,
        text=True,
        cwd=CASSETTES.parent,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        f"replay-server: {cassettes}/hello.yaml: cannot be written: File too large; what was there is untouched"
    )
    assert [path.read_bytes() for path in cassettes.iterdir()] == [before]
