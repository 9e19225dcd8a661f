"""The cassettes of this project: made by its scripts, and replayed in strict mode."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from replay_server.cassettes.library import Library
from replay_server.cassettes.response_head import JSON
from replay_server.endpoints.base import Resource, Uploading
from replay_server.interaction import JsonObject
from replay_server.record.run import Options, record
from replay_server.record.script import Script, read_script
from tests.conftest import CASSETTES

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
            headers = await _ask(f"{server.url}/v1/{candidate.interaction.endpoint}", candidate.keyed.resource, asked)

            assert headers["x-replay-interaction"] == candidate.interaction.id


async def _ask(url: str, resource: Resource, asked: JsonObject) -> Mapping[str, str]:
    content_type, data = resource.sent(asked) if isinstance(resource, Uploading) else (JSON, orjson.dumps(asked))
    headers = {"content-type": content_type}
    async with aiohttp.ClientSession() as session, session.post(url, data=data, headers=headers) as response:
        return response.headers
