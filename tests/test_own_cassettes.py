"""The cassettes of this project: made by its scripts, and replayed in strict mode."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from replay_server.cassettes.library import Library
from replay_server.record.run import Options, record
from replay_server.record.script import Script, read_script
from tests.conftest import CASSETTES
from tests.server.test_http import post

SCRIPTS = sorted((CASSETTES.parent / "scripts").glob("*.yaml"))


@pytest.mark.parametrize("from_nothing", [True, False], ids=["from nothing", "again"])
async def test_recording_the_scripts_is_an_empty_diff(tmp_path: Path, from_nothing: bool) -> None:
    if not from_nothing:
        shutil.copytree(CASSETTES, tmp_path, dirs_exist_ok=True)

    await record(_scripts(), Options(cassettes=tmp_path), print)

    assert _texts(tmp_path) == _texts(CASSETTES)


def _scripts() -> list[Script]:
    return [read_script(str(path), path.read_bytes()) for path in SCRIPTS]


def _texts(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.glob("*.yaml")}


async def test_every_interaction_is_replayed_in_strict_mode(serve: Any) -> None:
    server = await serve(on_miss="error")
    library = Library.load(CASSETTES)

    for candidate in library:
        for mode in ({}, {"stream": True}):
            asked = {**candidate.interaction.request, "stream": False, **mode}
            _, headers, _ = await post(f"{server.url}/v1/{candidate.interaction.endpoint}", asked, parse=not mode)

            assert headers["x-replay-interaction"] == candidate.interaction.id
