"""The example project does what it shows."""

import os
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
