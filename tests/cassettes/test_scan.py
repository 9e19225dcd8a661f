import json
from collections.abc import Callable
from pathlib import Path

import pytest

from replay_server.cassettes.scan import scan_directory
from tests.cassettes.redaction.secrets import LETTERS, SAMPLES

Write = Callable[[str, str], Path]

KEY, OTHER = "sk-" + LETTERS, "sk-" + LETTERS[::-1]
EVENTS = [
    {"after": 0.1, "data": {"choices": [{"index": 0, "delta": {"content": piece}}]}} for piece in (KEY[:8], KEY[8:])
]
STREAM = "".join(f"      - {json.dumps(event)}\n" for event in EVENTS)


def lines(directory: Path) -> list[tuple[str, int, str]]:
    return [(Path(found.file).name, found.line, found.rule) for found in scan_directory(directory).findings]


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.yaml", f"request:\n  messages:\n    - content: my key {KEY}\n", 3),
        ("a.yaml", f"a: |\n  first\n  then {KEY}\n  and more\n", 3),
        ("a.yaml", f"a: 1\n---\nb: 2 # {KEY}\n", 3),
        ("a.yaml", f"response:\n  stream:\n    events:\n{STREAM}", 4),
        ("a.yaml", f'a: 1\nb: "s\\x6b-{LETTERS}"\n', 2),
        ("a.yaml", f"broken: [\n  {KEY}\n", 2),
        ("script.yaml", f"requests:\n  - prompt: {KEY}\n", 2),
        ("replay.yaml", f"models:\n  - {KEY}\n", 2),
        ("misses.jsonl", f'{{"a": 1}}\n{{"a": "\\u0073k-{LETTERS}"}}\n', 2),
        ("a.json", f'{{\n"a": [1,\n"{KEY}"]}}\n', 3),
        ("notes/b.txt", f"first\nsecond {KEY}\n", 2),
        ("notes/c", f"{KEY}", 1),
        (f"{KEY}.txt", "nothing", 1),
    ],
    ids=[
        "value",
        "block",
        "comment",
        "deltas",
        "escape",
        "no YAML",
        "script",
        "config",
        "lines",
        "JSON",
        "text",
        "bare",
        "name",
    ],
)
def test_a_secret_is_found_with_its_line(write: Write, name: str, text: str, line: int) -> None:
    found = [(line, rule) for _, line, rule in lines(write(name, text))]

    assert found == [(line, "openai-key")]


@pytest.mark.parametrize("sample", SAMPLES)
def test_no_finding_tells_its_secret(write: Write, sample: str) -> None:
    rule, before, secret, after = SAMPLES[sample]
    directory = write("a.yaml", json.dumps({"a": before + secret + after}))

    (finding,) = scan_directory(directory).findings

    assert str(finding).startswith(f"{directory}/a.yaml:1: {rule}: write <redacted:{rule}:1>")
    assert secret[:12] not in str(finding) + json.dumps(finding.as_json())


def test_findings_are_in_the_order_of_files_and_lines(write: Write) -> None:
    write("b.txt", KEY)
    directory = write("a.yaml", f"a: 1\nb: {KEY}\nc: [{OTHER}, {KEY}]\n")

    assert lines(directory) == [("a.yaml", 2, "openai-key"), ("a.yaml", 3, "openai-key"), ("b.txt", 1, "openai-key")]


@pytest.mark.parametrize(
    "text",
    [
        f"a: {KEY} # replay-server: allow-secret\n",
        f"a: | # replay-server: allow-secret\n  {KEY}\n",
        "a: <redacted:openai-key:1>\n",
    ],
    ids=["line", "block", "placeholder"],
)
def test_what_is_allowed_or_redacted_is_no_finding(write: Write, text: str) -> None:
    assert lines(write("a.yaml", text)) == []


def test_a_comment_allows_its_own_line_only(write: Write) -> None:
    directory = write("a.yaml", f"a: {KEY} # replay-server: allow-secret\nb: {KEY}\n")

    assert lines(directory) == [("a.yaml", 2, "openai-key")]


def test_rules_of_replay_yaml_count(write: Write) -> None:
    write("replay.yaml", "redact: {on: [email], rules: [{name: ssn, path: ..ssn}]}")
    directory = write("a.yaml", "a: ann@mail.example\nssn: 123\n")

    assert lines(directory) == [("a.yaml", 1, "email"), ("a.yaml", 2, "ssn")]


def test_hidden_files_and_binary_ones_are_left_out(write: Write) -> None:
    write(".git/config", KEY)
    write("a.bin", f"\0{KEY}")

    report = scan_directory(write("b.txt", "nothing"))

    assert (report.findings, report.summary) == ((), "1 file: no secrets")
