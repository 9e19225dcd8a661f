"""The GitHub Action: its shell runs here as a runner would run it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from openai import OpenAI

from tests.conftest import CASSETTES

ACTION = yaml.safe_load((Path(__file__).parent.parent / "action.yml").read_text())
STEPS: Mapping[str, Any] = {step["name"]: step for step in ACTION["runs"]["steps"]}
SHELL = [name for name, step in STEPS.items() if "run" in step]

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a job, with the server installed as the action does it."""
    (tmp_path / "replay-server" / "bin").mkdir(parents=True)
    command = tmp_path / "replay-server" / "bin" / "replay-server"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m replay_server "$@"\n')
    command.chmod(0o755)
    environment = {
        **os.environ,
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_ENV": str(tmp_path / "env"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    yield environment
    if (tmp_path / "replay-server.pid").exists():
        subprocess.run(["kill", "-9", (tmp_path / "replay-server.pid").read_text().strip()], capture_output=True)


def step(name: str, environment: Mapping[str, str], **inputs: str) -> subprocess.CompletedProcess[str]:
    # What GitHub runs for `shell: bash`.
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[name]["run"]]
    return subprocess.run(command, env={**environment, **inputs}, capture_output=True, text=True, timeout=60)


def variables(file: str) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in Path(file).read_text().splitlines())


@pytest.mark.slow
def test_it_starts_exports_and_stops(runner: dict[str, str]) -> None:
    started = step("start", runner, CASSETTES=str(CASSETTES), PORT="0", OPTIONS="--pace ttft=1ms")
    exported = variables(runner["GITHUB_ENV"])
    with OpenAI(base_url=exported["OPENAI_BASE_URL"], api_key=exported["OPENAI_API_KEY"]) as client:
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Say hello."}])
    stopped = step("stop", {**runner, **exported})

    assert (started.returncode, stopped.returncode) == (0, 0), started.stdout + stopped.stderr
    assert variables(runner["GITHUB_OUTPUT"]) == {"url": exported["REPLAY_SERVER_URL"]}
    report = Path(runner["RUNNER_TEMP"]) / "replay-server-report"
    assert "greeting.yaml#1     1" in stopped.stdout
    (answers,) = orjson.loads((report / "report.json").read_bytes())["answers"]
    assert (answers["source"], answers["count"]) == ("cassette", 1)
    (entry,) = orjson.loads((report / "journal.json").read_bytes())["entries"]
    assert entry["interaction"] == "greeting.yaml#1"
    assert "a miss is an error" in (report / "replay-server.log").read_text()


@pytest.mark.slow
def test_it_fails_on_what_it_is_told_to(runner: dict[str, str]) -> None:
    step("start", runner, CASSETTES=str(CASSETTES), PORT="0", OPTIONS="")

    stopped = step("stop", {**runner, **variables(runner["GITHUB_ENV"])}, FAIL_ON="miss,unused")

    assert (stopped.returncode, "--fail-on unused: " in stopped.stderr, "miss: " in stopped.stderr) == (1, True, False)
    assert STEPS["upload"]["if"].startswith("always()")


@pytest.mark.slow
def test_a_server_that_does_not_start_fails_the_job_and_says_why(runner: dict[str, str], tmp_path: Path) -> None:
    started = step("start", runner, CASSETTES=str(tmp_path / "none"), PORT="0", OPTIONS="")

    assert started.returncode == 1
    assert "does not exist, so in strict mode nothing could be answered" in started.stdout
    assert "::error title=replay-server::It did not start" in started.stdout


@pytest.mark.slow
def test_the_report_of_a_server_that_has_died_is_its_log(runner: dict[str, str]) -> None:
    step("start", runner, CASSETTES=str(CASSETTES), PORT="0", OPTIONS="")
    pid = (Path(runner["RUNNER_TEMP"]) / "replay-server.pid").read_text().strip()
    subprocess.run(["kill", "-9", pid], check=True)

    stopped = step("stop", {**runner, **variables(runner["GITHUB_ENV"])})

    assert (stopped.returncode, "::warning" in stopped.stdout) == (0, True)
    assert (Path(runner["RUNNER_TEMP"]) / "replay-server-report" / "replay-server.log").exists()


@pytest.mark.parametrize("name", SHELL)
def test_its_shell_reads_inputs_from_the_environment_alone(name: str) -> None:
    # An expression within a script would be run as a part of it.
    assert "${{" not in STEPS[name]["run"]
    subprocess.run(["bash", "-n", "-c", STEPS[name]["run"]], check=True)


def test_every_input_is_used_and_described() -> None:
    text = (Path(__file__).parent.parent / "action.yml").read_text()

    assert [name for name in ACTION["inputs"] if f"inputs.{name}" not in text] == []
    assert all(given["description"] and "default" in given for given in ACTION["inputs"].values())
