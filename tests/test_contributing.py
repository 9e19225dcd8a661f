"""CONTRIBUTING.md's worked example is followed, step by step, in a copy of the package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import replay_server
from tests.test_docs import FENCE, FILE

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PACKAGE = Path(replay_server.__file__).parent
TABLE = "replay_server/endpoints/table.py"


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the steps have been done."""
    copy = tmp_path_factory.mktemp("checkout")
    shutil.copytree(PACKAGE, copy / "replay_server")
    shutil.copytree(ROOT / "cassettes", copy / "cassettes")
    (copy / "tests" / "endpoints").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "conftest.py", copy / "tests")
    for fence in FENCE.finditer(GUIDE):
        if file := FILE.match(fence["text"]):
            (copy / file["name"]).write_text(fence["text"], encoding="utf-8")
        elif fence["language"] == "diff":
            patch(copy / TABLE, fence["text"])
    return copy


def patch(path: Path, diff: str) -> None:
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if not line.startswith("+"))
    after = "".join(line[1:] for line in lines)
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, "the diff does not fit the route table"
    path.write_text(text.replace(before, after), encoding="utf-8")


def run(copy: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_test_of_the_guide_passes(followed: Path) -> None:
    options = ["-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", "-W", "ignore::DeprecationWarning"]

    printed = run(followed, "-m", "pytest", "tests", *options)

    assert re.search(r"\b4 passed", printed)


def test_the_commands_know_the_endpoint_of_the_guide(followed: Path) -> None:
    assert "all well" in run(followed, "-m", "replay_server", "check")
    assert "rerank.yaml#1" in run(followed, "-m", "replay_server", "list")


def test_the_api_page_shows_the_endpoint_of_the_guide(followed: Path) -> None:
    program = (
        "from replay_server.endpoints.table import all_routes\n"
        "from replay_server.server.openapi import document\n"
        "print(sorted(document(all_routes())['paths']))"
    )

    assert "'/rerank'" in run(followed, "-c", program)


def test_the_guide_names_files_that_are_there() -> None:
    named = set(re.findall(r"`((?:replay_server|tests|docs)/[\w/]+\.\w+)`", GUIDE))

    # The gate runs the tests beside an installed package.
    assert [name for name in sorted(named) if not ((ROOT / name).exists() or (PACKAGE.parent / name).exists())] == []
