"""A cassette that was written today loads in every later version, and answers what it answered then."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from replay_server.cassettes import config
from replay_server.cassettes.files import cassette_files
from replay_server.cassettes.json_style import JsonStyle
from replay_server.cassettes.match_reader import MATCH_FIELDS, TEXT_TESTS
from replay_server.cassettes.reader import DOCUMENT_FIELDS, ERROR_FIELDS, RECORDED_FIELDS
from replay_server.cassettes.recorded_form import BODY_FIELDS, RAW_FIELDS, STREAM_RESPONSE_FIELDS
from replay_server.cassettes.recorded_stream import EVENT_FIELDS, RAW_EVENT_FIELDS, STREAM_FIELDS
from replay_server.cassettes.redaction import own_rules
from replay_server.cassettes.sse import json_chunks
from replay_server.cassettes.yaml import documents
from replay_server.endpoints.embedding_form import VECTORS_FIELDS
from replay_server.endpoints.http_form import HTTP_FIELDS, PART_FIELDS
from replay_server.endpoints.moderation_form import VERDICTS_FIELDS
from replay_server.endpoints.responses_short import SHORT_FIELDS
from replay_server.endpoints.short_form import CHOICE_FIELDS, REPLY_FIELDS
from replay_server.endpoints.table import ENDPOINTS, resource_named
from replay_server.interaction import Json, Repeat
from tests.conftest import Serve

CORPUS = Path(__file__).parents[1] / "data" / "format-1"
LIBRARIES = sorted(path for path in CORPUS.iterdir() if path.is_dir())
ANSWERS = [path for library in LIBRARIES for path in sorted((library / "answers").glob("*.jsonl"))]
CHAT = resource_named("chat/completions")


def read(answers: Path) -> list[dict[str, Any]]:
    """The lines of a file, in their order."""
    return [orjson.loads(line) for line in answers.read_bytes().splitlines()]


def body_of(asked: dict[str, Any]) -> bytes | None:
    if "json" in asked:
        return orjson.dumps(asked["json"])
    return base64.b64decode(asked["base64"]) if "base64" in asked else asked.get("text", "").encode() or None


async def ask(session: aiohttp.ClientSession, url: str, asked: dict[str, Any]) -> dict[str, Any]:
    """The answer, in the terms in which the corpus has it."""
    method, path = asked["request"].split(" ", 1)
    wanted = asked["answer"]
    headers = asked.get("headers", {"content-type": "application/json"})
    async with session.request(method, url + path, data=body_of(asked), headers=headers) as response:
        body = await response.read()
    given = {
        "status": response.status,
        "source": response.headers["x-replay-source"],
        "interaction": response.headers.get("x-replay-interaction"),
        "headers": {name: response.headers.get(name) for name in wanted["headers"]},
    }
    return {name: given[name] for name in given if name in wanted} | said(body, wanted)


def said(body: bytes, wanted: dict[str, Any]) -> dict[str, Any]:
    if "text" in wanted:
        return {"text": body.decode()}
    if "base64" in wanted:
        return {"base64": base64.b64encode(body).decode()}
    if "streams" in wanted:
        reply: Any = CHAT.read_stream(list(json_chunks(body)))
        return {"streams": reply.choices[0].content}
    return {"says": named_in(wanted["says"], orjson.loads(body))} if "says" in wanted else {}


def named_in(wanted: Any, value: Any) -> Any:
    """`value` with those members only that `wanted` has."""
    if isinstance(wanted, dict) and isinstance(value, dict):
        return {name: named_in(member, value.get(name)) for name, member in wanted.items()}
    if isinstance(wanted, list) and isinstance(value, list) and len(wanted) == len(value):
        return [named_in(*pair) for pair in zip(wanted, value, strict=True)]
    return value


@pytest.mark.parametrize("answers", ANSWERS, ids=lambda path: f"{path.parents[1].name}/{path.stem}")
async def test_it_answers_as_on_the_day_it_was_written(serve: Serve, answers: Path) -> None:
    server = await serve(answers.parents[1] / "cassettes")
    asked = read(answers)

    async with aiohttp.ClientSession() as session:
        given = [await ask(session, server.url, each) for each in asked]

    assert given == [each["answer"] for each in asked]


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda path: path.name)
def test_every_interaction_is_asked_for(library: Path) -> None:
    asked = {each["answer"].get("interaction") for path in ANSWERS if library in path.parents for each in read(path)}
    there = {
        f"{name}#{place}"
        for name, path in cassette_files(library / "cassettes")
        for place, _ in enumerate(documents(path.read_bytes()), 1)
    }

    assert there - asked == set()


def test_no_file_was_edited_and_each_has_its_line() -> None:
    lines = (CORPUS / "SHA256SUMS").read_text().splitlines()
    there = [path for library in LIBRARIES for path in library.rglob("*") if path.is_file()]

    now = {f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(CORPUS).as_posix()}" for path in there}

    assert now == set(lines), "what was written once must load forever: put what is new into a file of its own"


# Whether there is one of every kind ----------------------------------------------------------------------------------


def values() -> Iterator[Json]:
    """Every value in the corpus, at any depth."""
    for path in CORPUS.glob("*/cassettes/**/*.y*ml"):
        for document in documents(path.read_bytes()):
            yield from within(document.value)


def within(value: Json) -> Iterator[Json]:
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from within(inner)


FIELDS = {
    "a document": (*DOCUMENT_FIELDS, *RECORDED_FIELDS),
    "an error": ERROR_FIELDS,
    "a recorded answer": (*BODY_FIELDS, *RAW_FIELDS, *STREAM_RESPONSE_FIELDS),
    "a stream": (*STREAM_FIELDS, *EVENT_FIELDS, *RAW_EVENT_FIELDS),
    "a request": (*HTTP_FIELDS, *PART_FIELDS),
    "a short form": (*CHOICE_FIELDS, *REPLY_FIELDS, "choices", "models"),
    "a response": SHORT_FIELDS,
    "vectors and verdicts": (*VECTORS_FIELDS, *VERDICTS_FIELDS),
    "a matcher": (*MATCH_FIELDS, *TEXT_TESTS, "min", "max"),
    "replay.yaml": (*config._FIELDS, *own_rules._FIELDS, *own_rules._RULE_FIELDS),
}


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_there_is_one_with_every_field(fields: tuple[str, ...]) -> None:
    used = {name for value in values() if isinstance(value, dict) for name in value}

    assert set(fields) - used == set(), "add a file to tests/data/format-1 that has them"


def test_there_is_one_of_every_style_repeat_and_endpoint() -> None:
    mappings = [value for value in values() if isinstance(value, dict)]
    styles = {word for mapping in mappings if "style" in mapping for word in str(mapping["style"]).split(", ")}
    repeats = {str(mapping["repeat"]) for mapping in mappings if "repeat" in mapping}
    texts = {str(mapping["endpoint"]).removeprefix("/v1/") for mapping in mappings if "endpoint" in mapping}

    assert styles == {str(JsonStyle(spacing)) for spacing in ("spaced", "indent 2", "indent 4")} | {"ascii", "newline"}
    assert repeats == {repeat.value for repeat in Repeat}
    assert set(ENDPOINTS) - texts - {"completions"} == set()  # that is told by its `prompt`
