"""`--openapi FILE`: other described APIs, answered below the path of their servers as OpenAI's own operations are."""

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from replay_server.errors import UsageError
from replay_server.server.run import RunningServer
from replay_server.settings import Settings, Upstream
from tests.conftest import Serve

PETS = """\
openapi: 3.0.3
info: {title: Pets, version: '1'}
servers:
  - url: https://pets.example/api/v3
paths:
  /pets:
    parameters:
      - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 50}}
    get:
      operationId: listPets
      responses:
        '200':
          description: All of them.
          content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}
    post:
      operationId: addPet
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}
      responses:
        '201':
          description: The new one.
          content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}
  /pets/{petId}:
    parameters:
      - {name: petId, in: path, required: true, schema: {type: integer}}
    get:
      operationId: getPet
      responses: {'200': {$ref: '#/components/responses/Pet'}}
    put:
      operationId: updatePet
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
      responses: {'200': {$ref: '#/components/responses/Pet'}}
    delete:
      operationId: deletePet
      responses: {'204': {description: Gone.}}
  /models/{model}:
    get:
      operationId: getBreed
      responses: {'200': {$ref: '#/components/responses/Pet'}}
components:
  responses:
    Pet:
      description: A pet.
      content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}
  schemas:
    Pet:
      type: object
      required: [name]
      properties:
        id: {type: integer, format: int64}
        name: {type: string}
        tag: {type: string, nullable: true}
        age: {type: integer, minimum: 0, exclusiveMinimum: true}
        friend: {$ref: '#/components/schemas/Pet'}
"""
BASE = "/api/v3"


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    path = tmp_path / "pets.yaml"
    path.write_text(PETS)
    return path


async def ask(url: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as http, http.request(method, url + path, json=body) as response:
        text = await response.text()
        return response.status, json.loads(text) if text else None


async def test_objects_of_a_mounted_api_are_made_listed_changed_and_deleted(serve: Serve, pets: Path) -> None:
    server = await serve(openapi=(pets,))

    made = await ask(server.url, "POST", f"{BASE}/pets", {"name": "Rex", "age": 3})
    path = f"{BASE}/pets/{made[1]['id']}"
    changed = await ask(server.url, "PUT", path, {"name": "Max"})
    shown = await ask(server.url, "GET", path)
    listed = await ask(server.url, "GET", f"{BASE}/pets?limit=5")
    gone, missing = await ask(server.url, "DELETE", path), await ask(server.url, "GET", path)

    assert (made[0], made[1]["id"], made[1]["name"], made[1]["age"], made[1]["tag"]) == (201, 1, "Rex", 3, None)
    assert (changed, listed) == (shown, (200, [shown[1]]))
    assert (shown[1]["id"], shown[1]["name"], shown[1]["age"]) == (1, "Max", 3)
    assert (gone, missing[0]) == ((204, None), 404)


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", "/pets", {"age": 3}, "missing_required_parameter"),
        ("POST", "/pets", {"name": 3}, "invalid_type"),
        ("POST", "/pets", {"name": "x", "age": 0}, "integer_below_min_value"),
        ("GET", "/pets?limit=51", None, "integer_above_max_value"),
        ("GET", "/pets/rex", None, "invalid_type"),
    ],
)
async def test_what_a_mounted_api_does_not_allow_is_refused(
    serve: Serve, pets: Path, method: str, path: str, body: Any, code: str
) -> None:
    server = await serve(openapi=(pets,))

    status, answer = await ask(server.url, method, BASE + path, body)

    assert (status, answer["error"]["code"]) == (400, code)


async def test_what_a_schema_does_not_close_is_open(serve: Serve, pets: Path) -> None:
    server = await serve(openapi=(pets,))

    status, made = await ask(server.url, "POST", f"{BASE}/pets?color=red", {"name": "Rex", "more": 1})

    assert (status, made["name"]) == (201, "Rex")


async def test_nothing_below_the_prefix_of_a_mounted_api_is_openais(serve: Serve, pets: Path) -> None:
    server = await serve(openapi=(pets,))

    breed, model = await ask(server.url, "GET", f"{BASE}/models/x"), await ask(server.url, "GET", "/v1/models/gpt-4o")

    assert ("name" in breed[1], model[1]["object"]) == (True, "model")


async def test_an_api_without_servers_is_mounted_at_the_root_behind_what_is_ours(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "pets.json"
    answer = {"responses": {"200": {"description": "It.", "content": {"text/plain": {}}}}}
    paths = {"/ping": {"get": answer}, "/chat/completions": {"get": answer}}
    path.write_text(json.dumps({"openapi": "3.1.0", "info": {}, "paths": paths}))
    server = await serve(openapi=(path,))

    async with aiohttp.ClientSession() as http:
        ping = await http.get(f"{server.url}/ping")
        chat = await http.get(f"{server.url}/chat/completions")

    assert (ping.status, ping.content_type, chat.content_type) == (200, "text/plain", "application/json")
    assert "openai-version" not in ping.headers


async def test_a_mounted_api_is_recorded_matched_and_replayed(serve: Serve, pets: Path, tmp_path: Path) -> None:
    real, cassettes = await serve(openapi=(pets,)), tmp_path / "recorded"
    options: dict[str, Any] = {"openapi": (pets,), "record_mode": "new_episodes", "upstream_timeout": 5.0}
    recorder = await serve(cassettes, upstreams=(Upstream("", real.url),), **options)
    recorded = await ask(recorder.url, "POST", f"{BASE}/pets", {"name": "Rex"})
    await recorder.stop()
    replaying = await serve(cassettes, openapi=(pets,), on_miss="error")

    async with aiohttp.ClientSession() as http:
        replayed = await http.post(f"{replaying.url}{BASE}/pets", json={"name": "Rex"})
        missed = await http.post(f"{replaying.url}{BASE}/pets", json={"name": "Max"})

    assert (replayed.headers["x-replay-source"], missed.headers["x-replay-source"]) == ("cassette", "miss")
    assert await replayed.json() == recorded[1]


BROKEN = {
    "no description": ("{}", "is no OpenAPI description: `openapi` must be 3.0 or later"),
    "a list": ("[]", "is no OpenAPI description: it must be an object with openapi and paths"),
    "the old format": ('{"swagger": "2.0"}', "is a description in Swagger 2.0: convert it to OpenAPI 3"),
    "no paths": ("openapi: 3.1.0\npaths: {}", "describes no paths: `paths` must be an object with some"),
    "no responses": ("openapi: 3.1.0\npaths: {/a: {get: {}}}", "paths./a.get: has no responses: say what it answers"),
    "a reference to nothing": (
        PETS.replace("schemas/Pet'}}}\n      responses:", "schemas/Pit'}}}\n      responses:"),
        "refers to '#/components/schemas/Pit', and there is nothing: add it, or mend the reference",
    ),
    "a reference to elsewhere": (
        PETS.replace("'#/components/responses/Pet'", "'other.yaml#/Pet'"),
        "refers to 'other.yaml#/Pet', which lies outside: bundle the description into one file",
    ),
}


@pytest.mark.parametrize(("text", "problem"), BROKEN.values(), ids=BROKEN)
async def test_a_broken_description_stops_the_start(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    server = RunningServer(Settings(cassettes=tmp_path / "none", port=0, openapi=(path,)))
    await server.bind()

    with pytest.raises(UsageError) as raised:
        await server.index()
    await server.stop()

    assert str(raised.value) == f"--openapi {path}: {problem}"


async def test_broken_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("openapi: 3.1.0\npaths: [\n")
    server = RunningServer(Settings(cassettes=tmp_path / "none", port=0, openapi=(path,)))
    await server.bind()

    with pytest.raises(UsageError, match=rf"^--openapi {path}:\d+: "):
        await server.index()
    await server.stop()
