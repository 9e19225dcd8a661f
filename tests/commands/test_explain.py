from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from replay_server.commands import main

Write = Callable[[str, str], Path]
LONG = "Plan a trip to {} in spring, for two people who like the sea."
RED, GREEN = "\x1b[31m[-Paris-]\x1b[0m", "\x1b[32m{+Rome+}\x1b[0m"


@pytest.fixture
def explain(write: Write, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Explain a request that differs in one word from the only one that is recorded."""
    for name in ("NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    directory = write("trip.yaml", f"request: {body(LONG.format('Paris')).decode()}\nresponse: {{content: a}}\n")
    monkeypatch.chdir(directory.parent)

    def explain(text: str = LONG.format("Rome"), *options: str, color: bool = False, **environment: str) -> Result:
        Path("asked.json").write_bytes(body(text))
        return CliRunner().invoke(main, ["explain", "asked.json", *options], env=environment, color=color)

    return explain


def body(text: str) -> bytes:
    return orjson.dumps({"model": "m", "messages": [{"role": "user", "content": text}]})


def test_on_a_terminal_changed_words_are_coloured(explain: Callable[..., Result]) -> None:
    result = explain(color=True)

    assert result.exit_code == 1
    assert f"    Plan a trip to {RED}{GREEN} in spring" in result.stdout
    assert "near       \x1b[1mtrip.yaml#1\x1b[0m, recorded != asked at" in result.stdout


@pytest.mark.parametrize(
    ("color", "environment"),
    [(False, {}), (True, {"NO_COLOR": "1"}), (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"})],
    ids=["no terminal", "NO_COLOR", "NO_COLOR over FORCE_COLOR"],
)
def test_without_colours_the_marks_remain(
    explain: Callable[..., Result], color: bool, environment: dict[str, str]
) -> None:
    result = explain(color=color, **environment)

    assert "    Plan a trip to [-Paris-]{+Rome+} in spring" in result.stdout
    assert "\x1b" not in result.stdout


def test_colours_can_be_asked_for(explain: Callable[..., Result]) -> None:
    assert RED in explain(FORCE_COLOR="1").stdout


def test_the_end_says_how_to_record_it(explain: Callable[..., Result]) -> None:
    assert explain().stdout.splitlines()[-1] == (
        "record it: serve with --save-misses misses.jsonl, ask again, then replay-server record misses.jsonl"
        " --cassettes cassettes --upstream URL"
    )


def test_lines_in_a_file_are_recorded_from_it(explain: Callable[..., Result]) -> None:
    line = {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": orjson.loads(body("Hi"))}
    Path("misses.jsonl").write_bytes(orjson.dumps(line) + b"\n")

    result = CliRunner().invoke(main, ["explain", "misses.jsonl"])

    assert result.stdout.splitlines()[-1] == (
        "record it: replay-server record misses.jsonl --cassettes cassettes --upstream URL"
    )


def test_in_github_actions_a_miss_is_an_annotation_and_a_section_of_the_summary(
    explain: Callable[..., Result], tmp_path: Path
) -> None:
    summary = tmp_path / "summary.md"

    result = explain(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))

    assert result.stderr.startswith("::error file=cassettes/trip.yaml,line=1,title=no interaction for chat/completions")
    assert result.stderr.count("\n") == 1
    assert "[-Paris-]{+Rome+}" in summary.read_text(encoding="utf-8")


def test_in_github_actions_json_stays_json(explain: Callable[..., Result]) -> None:
    result = explain(LONG, "--json", GITHUB_ACTIONS="true")

    assert orjson.loads(result.stdout)["nearest"][0]["interaction"] == "trip.yaml#1"
    assert result.stderr.startswith("::error ")


def test_in_github_actions_a_match_is_no_annotation(explain: Callable[..., Result], tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"

    result = explain(LONG.format("Paris"), GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))

    assert (result.exit_code, result.stderr, summary.exists()) == (0, "", False)


@pytest.mark.parametrize("text", ["::set-env name=A::b", "x\n::error::y", "##[add-mask]x"])
def test_in_github_actions_a_request_gives_no_commands(explain: Callable[..., Result], text: str) -> None:
    result = explain(text, GITHUB_ACTIONS="true")

    lines = [line.strip() for line in (result.stdout + result.stderr).splitlines()]
    assert [line[:8] for line in lines if line.startswith("::")] == ["::error "]
    assert not any("##[" in line for line in lines)


def test_a_summary_that_cannot_be_written_is_a_warning(explain: Callable[..., Result], tmp_path: Path) -> None:
    result = explain(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(tmp_path))

    assert result.exit_code == 1
    assert result.stderr.endswith("warning: the summary of the step cannot be written: Is a directory\n")
