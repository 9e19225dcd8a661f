"""`tools/openapi_pack.py`: facts of a description, the same bytes each time, and nothing of its prose."""

import json
import lzma
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from replay_server.endpoints.described import openai

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "openapi_pack.py"
PACKED = Path(openai.__file__).parent / "openai-all.json.xz"

DESCRIPTION: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Notes", "version": "7", "description": "All about notes."},
    "servers": [{"url": "https://notes.example/v1", "description": "Here."}],
    "tags": [{"name": "Notes", "description": "What they are."}],
    "paths": {
        "/title": {
            "get": {
                "operationId": "getTitle",
                "summary": "Get it.",
                "tags": ["Notes"],
                "x-code": "none",
                "responses": {"200": {"description": "It.", "content": {"application/json": {"schema": {}}}}},
            }
        }
    },
    "components": {
        "schemas": {
            "title": {
                "title": "Title",
                "description": "Is a word.",
                "type": "object",
                "properties": {"description": {"type": "string", "description": "Prose.", "example": "x"}},
            }
        },
        "securitySchemes": {"Key": {"type": "http", "scheme": "bearer", "description": "Yours."}},
    },
}
FACTS: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "facts", "version": "7"},
    "servers": [{"url": "https://notes.example/v1"}],
    "paths": {
        "/title": {
            "get": {
                "operationId": "getTitle",
                "responses": {"200": {"content": {"application/json": {"schema": {}}}}},
            }
        }
    },
    "components": {
        "schemas": {"title": {"type": "object", "properties": {"description": {"type": "string"}}}},
    },
}


def packed(description: object, folder: Path, name: str) -> bytes:
    source, out = folder / f"{name}.json", folder / f"{name}.xz"
    source.write_text(json.dumps(description))
    subprocess.run([sys.executable, str(TOOL), str(source), "--out", str(out)], check=True, capture_output=True)
    return out.read_bytes()


@pytest.fixture
def first(tmp_path: Path) -> bytes:
    return packed(DESCRIPTION, tmp_path, "first")


def test_facts_are_kept_and_prose_is_not(first: bytes) -> None:
    assert json.loads(lzma.decompress(first)) == FACTS


def test_the_same_description_is_packed_into_the_same_bytes(first: bytes, tmp_path: Path) -> None:
    assert packed(DESCRIPTION, tmp_path, "second") == first
    assert packed(FACTS, tmp_path, "third") == first


def test_what_is_checked_in_is_small_and_has_nothing_but_facts(tmp_path: Path) -> None:
    text = lzma.decompress(PACKED.read_bytes())

    assert lzma.decompress(packed(json.loads(text), tmp_path, "again")) == text
    assert len(PACKED.read_bytes()) < 100_000
