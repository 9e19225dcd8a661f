"""The example project does what it shows."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PLUGINS = ("-p", "replay_server.pytest_plugin", "-p", "pytest_asyncio.plugin", "-p", "no:cacheprovider")


@pytest.mark.parametrize(
    "workers",
    [
        pytest.param((), id="one process"),
        pytest.param(("-p", "xdist.plugin", "-n", "2"), id="two workers", marks=pytest.mark.slow),
    ],
)
def test_the_tests_of_the_example_pass(tmp_path: Path, workers: tuple[str, ...]) -> None:
    shutil.copytree(ROOT / "examples" / "weather", tmp_path / "weather")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])

    run = subprocess.run(
        [sys.executable, "-m", "pytest", *PLUGINS, *workers, "-q"],
        cwd=tmp_path / "weather",
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )

    assert "5 passed" in run.stdout, run.stdout + run.stderr


TYPED = """
from openai import OpenAI

from replay_server import Entry, Nonsense, ReplayServer, ReplaySession


def test_fixture(replay_server: ReplaySession) -> None:
    ids: list[str] = replay_server.add(match={"model": "*"}, response={"content": "Hi"})
    (entry,) = replay_server.assert_called(times=1, interaction=ids[0])
    called: Entry = entry


async def test_server() -> None:
    async with ReplayServer("cassettes", on_mis="error") as server:
        OpenAI(base_url=server.session("one").base_url)
        used: int = server.journal[0].interaction
"""


@pytest.mark.slow
def test_the_tests_of_users_are_typed(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "test_typed.py").write_text(TYPED)

    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "test_typed.py"],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )

    assert re.findall(r"py:(\d+): error: .*\[([a-z-]+)\]", checked.stdout) == [
        ("4", "attr-defined"),
        ("14", "call-arg"),
        ("16", "assignment"),
    ], checked.stdout + checked.stderr
