"""The command line as its user meets it: in processes of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from replay_server.commands import main
from tests.conftest import CASSETTES, size_of_cassettes

Write = Callable[[str, str], Path]
HELLO = b'{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello."}]}'


def run(*arguments: str, stdin: bytes = b"", **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "replay_server", *arguments],
        input=stdin,
        capture_output=True,
        env={**os.environ, **environment},
        cwd=CASSETTES.parent,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@contextmanager
def serving(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in its own process, and the line of its start."""
    process = subprocess.Popen(
        [sys.executable, "-m", "replay_server", "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
        cwd=CASSETTES.parent,
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline()
    finally:
        process.terminate()
        process.communicate()


def url_of(line: str) -> str:
    found = re.search(r"http://[^ ]+(?=/v1)", line)
    assert found, line
    return found[0]


def test_serve_prints_one_line_and_smoke_passes() -> None:
    with serving("--cassettes", str(CASSETTES)) as (process, line):
        code, out, err = run("smoke", url_of(line))
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate()

    cassettes, interactions = size_of_cassettes()
    assert re.fullmatch(
        rf"replay-server \d\S* on http://127\.0\.0\.1:\d+/v1 - {cassettes} cassettes, {interactions} interactions"
        r" - a miss is generated\n",
        line,
    )
    assert (code, err) == (0, "")
    assert [text.split()[:2] for text in out.splitlines()] == [
        ["ok", "health"],
        ["ok", "models"],
        ["ok", "completion"],
        ["ok", "chat"],
        ["ok", "stream"],
    ]
    assert (process.returncode, rest, errors) == (0, "", "")


def test_a_miss_of_a_strict_server_passes_smoke() -> None:
    with serving("--strict") as (_, line):
        code, out, _ = run("smoke", url_of(line))

    assert "a miss is an error" in line
    assert (code, out.count("answered as a miss: the server is strict")) == (0, 3)


def test_smoke_fails_where_nothing_answers() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        code, out, err = run("smoke", f"http://127.0.0.1:{unused.getsockname()[1]}")

    assert (code, out.count("\n"), err) == (1, 1, "")
    assert out.startswith("FAIL  health      cannot connect to 127.0.0.1:")


def test_every_option_can_be_set_by_its_variable() -> None:
    with serving(REPLAY_SERVER_STRICT="1", REPLAY_SERVER_API_KEY="a b") as (_, line):
        _, refused, _ = run("smoke", url_of(line), "--api-key", "c")
        code, _, _ = run("smoke", url_of(line), OPENAI_API_KEY="b")

    assert refused.count("answered 401") == 4
    assert code == 0


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [(["--pace", "fast"], {}), ([], {"REPLAY_SERVER_PACE": "fast"})],
    ids=["option", "variable"],
)
def test_what_is_no_pace_does_not_start(arguments: list[str], environment: dict[str, str]) -> None:
    code, out, err = run("serve", "--port", "0", *arguments, **environment)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--pace: 'fast' is no pace: there is no such word; a pace is instant, recorded, recorded*FACTOR" in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_stop_finishes_its_paced_streams(number: signal.Signals) -> None:
    with serving("--pace", "ttft=1ms,itl=3600s") as (process, line):
        body = HELLO.replace(b"}]}", b'}], "stream": true}')
        asked = urllib.request.Request(url_of(line) + "/v1/chat/completions", body)
        with urllib.request.urlopen(asked) as answer:
            first = answer.readline()
            process.send_signal(number)
            rest = answer.read()
        process.communicate()

    assert first.startswith(b'data: {"id":')
    assert rest.endswith(b"data: [DONE]\n\n")
    assert process.returncode == 0


def test_a_missing_directory_is_a_warning(tmp_path: Path) -> None:
    with serving("--cassettes", str(tmp_path / "none")) as (process, line):
        process.terminate()
        _, errors = process.communicate()

    assert "0 cassettes, 0 interactions" in line
    assert errors == f"replay-server: warning: {tmp_path}/none does not exist: every answer will be generated\n"


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        (None, ["--strict"], "does not exist, so in strict mode nothing could be answered"),
        ("a: 1\na: 2", [], "a.yaml:2: interaction 1 the key 'a' stands here twice: remove one"),
        (
            "request: {prompt: x}\nresponse: {contents: x}",
            [],
            "a.yaml:2: interaction 1: response.contents: unknown field",
        ),
        ("a:\n\t- 1", [], "a.yaml:2: interaction 1 is not YAML: found character that cannot start any token"),
        (None, ["--strict", "--on-miss", "generate"], "--strict and --on-miss generate contradict each other"),
        (None, ["--host", "999.1.1.1"], "cannot listen on 999.1.1.1:0"),
    ],
)
def test_what_serve_cannot_use_is_one_line_and_exit_2(
    write: Write, tmp_path: Path, text: str | None, arguments: list[str], message: str
) -> None:
    directory = tmp_path / "none" if text is None else write("a.yaml", text)

    code, out, err = run("serve", "--port", "0", "--cassettes", str(directory), *arguments)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_watching_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replay_server.server.options.find_spec", lambda name: None)

    result = CliRunner().invoke(main, ["serve", "--watch", "--port", "0"])

    assert result.exit_code == 2
    assert result.output == "replay-server: --watch needs the package watchfiles: pip install 'replay-server[watch]'\n"


def test_a_directory_that_is_watched_may_be_filled_later(tmp_path: Path) -> None:
    with serving("--strict", "--watch", "--cassettes", str(tmp_path / "none")) as (process, line):
        process.terminate()
        process.communicate()

    assert "a miss is an error - watching" in line


def test_a_port_in_use_is_one_line_and_exit_2() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, out, err = run("serve", "--port", str(port))

    assert (code, out) == (2, "")
    assert (
        err == f"replay-server: cannot listen on 127.0.0.1:{port}: Address already in use; choose another with --port\n"
    )


def test_explain_shows_key_parts_and_match() -> None:
    code, out, err = run("explain", "-", stdin=HELLO)

    assert (code, err) == (0, "")
    assert re.search(r"^key +[0-9a-f]{64}$", out, re.MULTILINE)
    assert re.search(r"^  [0-9a-f]{16}  messages\[0\]$", out, re.MULTILINE)
    assert re.search(r"^matches +greeting\.yaml#1$", out, re.MULTILINE)


def test_explain_shows_the_three_nearest_and_where_they_differ() -> None:
    code, out, _ = run("explain", "-", stdin=HELLO.replace(b"Say hello.", b"Say hallo."))

    assert code == 1
    assert re.findall(r"^near +(\S+),", out, re.MULTILINE)[0] == "greeting.yaml#1"
    assert len(re.findall(r"^near ", out, re.MULTILINE)) == 3
    assert "messages[0].content: 'Say hello.' != 'Say hallo.'" in out


def test_explain_shows_what_disagrees_where_the_prompt_is_the_same(write: Write) -> None:
    directory = write("a.yaml", "request: {model: m, n: 2, prompt: x}\nresponse: {content: a}\n")

    code, out, _ = run("explain", "-", "--cassettes", str(directory), stdin=b'{"model": "m", "prompt": "x"}')

    assert code == 1
    assert "near       a.yaml#1, recorded != asked at\n  n: 2 != (absent)\n" in out
    assert "the prompt is the same, but not the shape of the answer: n was recorded, and is not asked\n" in out


def test_explain_reads_lines_in_the_batch_form() -> None:
    line = b'{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": %b}\n' % HELLO

    code, out, _ = run("explain", "-", "--json", stdin=line * 2)

    assert code == 0
    assert [orjson.loads(text)["match"] for text in out.splitlines()] == ["greeting.yaml#1"] * 2


@pytest.mark.parametrize(
    ("stdin", "message"),
    [
        (b"{", "<stdin>:1: is not JSON:"),
        (b"[]", "<stdin>:1: must be a JSON object"),
        (b"", "<stdin>: holds no request"),
        (b'{"input": "x"}', "<stdin>:1: has neither messages nor prompt: name the endpoint with --endpoint"),
    ],
)
def test_what_explain_cannot_read_is_one_line_and_exit_2(stdin: bytes, message: str) -> None:
    code, out, err = run("explain", "-", stdin=stdin)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_check_finds_nothing_wrong_with_our_own_cassettes() -> None:
    cassettes, interactions = size_of_cassettes()

    assert run("check", "cassettes") == (0, f"{cassettes} cassettes, {interactions} interactions: all well\n", "")


def test_check_lists_everything_that_is_wrong(write: Write) -> None:
    first = "request: {prompt: x}\nresponse: {content: a, finish_reason: stopp}\n"
    write("a.yaml", first + "---\nrequest: {prompt: x}\nresponse: {content: b}\n")
    write("b.yaml", "request: {prompt: x}\nresponse: {}\n---\nresponse: {content: b}\n---\na: [")
    write("c.yaml", "# nothing\n")
    write("replay.yaml", "nonsense: 1\n")
    directory = write("d.yaml", "request: {messages: []}\nresponse:\n  body: {id: 1}\n")

    code, out, err = run("check", str(directory))

    lines = [line.removeprefix(f"{directory}/") for line in out.splitlines()]
    assert code == 1
    assert [line.split(": ")[0] for line in lines] == [
        *["a.yaml:1", "a.yaml:4"],
        *["b.yaml:2", "b.yaml:4", "b.yaml:6"],
        "c.yaml:1",
        *["d.yaml:1"] * 5,
        "replay.yaml:1",
    ]
    assert "choices[0].finish_reason: 'stopp' is none of stop, length, content_filter" in lines[0]
    assert "interaction 2 has the same request as interaction 1 (line 1): make their responses one list" in lines[1]
    assert err == "4 cassettes, 3 interactions: 12 findings\n"


def test_check_takes_what_an_upstream_gave_as_it_is(write: Write) -> None:
    directory = write("a.yaml", "request: {messages: []}\nresponse: {body: {error: x}}\nrecorded: {}\n")

    assert run("check", str(directory)) == (0, "1 cassette, 1 interaction: all well\n", "")


def test_list_shows_a_table_and_json() -> None:
    code, table, _ = run("list", "cassettes")
    _, json, _ = run("list", "cassettes", "--json")

    rows = [orjson.loads(line) for line in json.splitlines()]
    assert code == 0
    assert len(table.splitlines()) == 1 + size_of_cassettes()[1]
    assert [row["interaction"] for row in rows][:2] == ["completion.yaml#1", "conversation.yaml#1"]
    assert rows[0]["prompt"] == "Once upon a time"


def test_list_escapes_what_would_steer_a_terminal(write: Write) -> None:
    directory = write("a.yaml", 'request: {model: "m\\e[31m", prompt: x}\nresponse: {content: a}\n')

    _, out, _ = run("list", str(directory))

    assert "m\\x1b[31m" in out


@pytest.mark.parametrize("command", [[], ["serve"], ["explain"], ["check"], ["list"], ["smoke"]], ids=str)
def test_every_command_has_help(command: list[str]) -> None:
    code, out, err = run(*command, "--help")

    assert (code, err) == (0, "")
    assert out.startswith("Usage:")


def test_the_door_opens_to_the_same_commands() -> None:
    door = subprocess.run(
        [sys.executable, "cli.py", "--version"], cwd=CASSETTES.parent, capture_output=True, check=True
    )

    assert door.stdout.split()[1:] == run("--version")[1].encode().split()[1:]


def test_scan_names_file_line_and_rule_and_exits_with_1(write: Write) -> None:
    secret = "sk-" + "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
    directory = write("a.yaml", f"a: 1\nb: {secret}\n")

    code, out, err = run("scan", str(directory))
    json_code, json_out, _ = run("scan", str(directory), "--json")

    assert (code, json_code, err) == (1, 1, "1 file: 1 secret\n")
    assert out.startswith(f"{directory}/a.yaml:2: openai-key: write <redacted:openai-key:1>")
    assert (orjson.loads(json_out)["line"], orjson.loads(json_out)["rule"]) == (2, "openai-key")
    assert secret not in out + json_out


def test_scan_of_what_holds_none_exits_with_0() -> None:
    assert run("scan", "cassettes") == (0, f"{size_of_cassettes()[0]} files: no secrets\n", "")


def test_a_message_about_a_broken_file_quotes_no_secret(write: Write) -> None:
    secret = "sk-" + "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
    directory = write("replay.yaml", f"match_on: [{secret}]")

    code, _, err = run("list", str(directory))

    assert (code, secret in err, "match_on[0]: '<redacted:openai-key:1>' is no parameter" in err) == (2, False, True)


MATCHERS = """\
match:
  model: gpt-4*
  last_user: {regex: "weather in (?P<city>[A-Z][a-z]+)"}
response:
  content: It rains in {{ city }}.
---
match: {turn: {min: 2}}
response: {content: Enough.}
"""


def ask(text: str) -> bytes:
    return orjson.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": text}]})


def test_explain_says_which_matcher_answers(write: Write) -> None:
    directory = str(write("rules.yaml", MATCHERS))

    status, out, _ = run("explain", "-", "--cassettes", directory, stdin=ask("the weather in Oslo"))
    json_status, json_out, _ = run("explain", "-", "--cassettes", directory, "--json", stdin=ask("the weather in Oslo"))

    assert (status, json_status) == (0, 0)
    assert out.endswith("\nmatches    rules.yaml#1, a matcher: no key is the same\n  city = 'Oslo'\n")
    found = orjson.loads(json_out)
    assert (found["match"], found["matcher"]) == (
        "rules.yaml#1",
        {"interaction": "rules.yaml#1", "groups": {"city": "Oslo"}},
    )


def test_explain_says_what_the_nearest_matchers_want(write: Write) -> None:
    directory = str(write("rules.yaml", MATCHERS))

    status, out, _ = run("explain", "-", "--cassettes", directory, stdin=ask("Hi"))

    assert status == 1
    assert (
        "matches    nothing\n"
        "near       rules.yaml#1, a matcher, but for\n"
        "  last_user: must match 'weather in (?P<city>[A-Z][a-z]+)', is 'Hi'\n"
        "near       rules.yaml#2, a matcher, but for\n"
        "  turn: must be 2 or more, is 0\n"
    ) in out


def test_list_shows_the_conditions_of_matchers(write: Write) -> None:
    status, out, _ = run("list", str(write("rules.yaml", MATCHERS)), "--json")

    rows = [orjson.loads(line) for line in out.splitlines()]
    assert (status, [row["model"] for row in rows]) == (0, ["gpt-4*", ""])
    assert [row["prompt"] for row in rows] == [
        "last_user must match 'weather in (?P<city>[A-Z][a-z]+)'",
        "turn must be 2 or more",
    ]


def test_check_finds_faults_that_are_none_and_those_that_nobody_sees(write: Write) -> None:
    write("a.yaml", "request: {prompt: x}\nresponse: {content: a}\nfault:\n  status: 429\n  retry: 2\n")
    write("b.yaml", "request: {prompt: x}\nresponse: {content: a}\nfault: 'cut, stall'\n")
    write("c.yaml", "endpoint: models\nrequest: {}\nresponse: {models: [a]}\nfault: no_done\n")
    directory = write(
        "d.yaml", "request: {prompt: x}\nresponse: [{content: a}]\nrepeat: error\nfault: {cut: true, calls: [2, 3]}\n"
    )

    status, out, _ = run("check", str(directory))

    lines = [line.removeprefix(f"{directory}/") for line in out.splitlines()]
    assert status == 1
    assert lines[0].startswith("a.yaml:5: interaction 1: fault.retry: 'retry' is none of status, message, ")
    assert lines[1:] == [
        "b.yaml:3: interaction 1: fault: stall and cut exclude each other: an answer is spoiled in one way",
        "c.yaml:1: interaction 1: fault: no_done needs a stream, and this is never one: remove it, or give another",
        "d.yaml:1: interaction 1: fault: hits call 2 at the earliest, and repeat: error ends after 1:"
        " name an earlier call",
    ]


def test_check_finds_matchers_that_never_answer(write: Write) -> None:
    write("a.yaml", "match: {turn: {max: 5}}\nresponse: {content: a}\n")
    directory = write(
        "b.yaml",
        "match: {turn: {min: 0, max: 5}}\nresponse: {content: b}\n---\nmatch: {turn: 2}\nresponse: {content: c}\n",
    )

    status, out, err = run("check", str(directory))

    assert status == 1
    assert out.splitlines() == [
        f"{directory}/b.yaml:1: interaction 1 has the same conditions as a.yaml#1 (line 1), which goes first:"
        " make them differ, or remove one",
        f"{directory}/b.yaml:4: interaction 2 never answers: a.yaml#1 (line 1) goes first and holds whenever it does:"
        " give it a condition more",
    ]
    assert err == "2 cassettes, 3 interactions: 2 findings\n"
