"""Reads the OpenAPI description of an API that is to be mounted: JSON or YAML."""

from pathlib import Path

import orjson

from replay_server.cassettes.yaml import YamlError, documents
from replay_server.endpoints.described.api import Api, BadDescription
from replay_server.errors import UsageError
from replay_server.interaction import Json


def read_description(path: Path) -> Api:
    """The API that a file describes. Raises UsageError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"--openapi {path}: cannot be read: {error.strerror}") from None
    try:
        api = Api(_parsed(data, path), path.name)
        api.check()
    except BadDescription as error:
        raise UsageError(f"--openapi {path}: {error}") from None
    return api


def _parsed(data: bytes, path: Path) -> Json:
    try:
        value: Json = orjson.loads(data)  # whatever it is called: quick, and of YAML it takes only what is JSON too
    except orjson.JSONDecodeError as error:
        if path.suffix == ".json":
            raise UsageError(f"--openapi {path}: is no JSON: {error}") from None
        return _parsed_yaml(data, path)
    return value


def _parsed_yaml(data: bytes, path: Path) -> Json:
    try:
        found = [document.value for document in documents(data)]
    except YamlError as error:
        raise UsageError(f"--openapi {path}:{error.line}: {error.problem}") from None
    if len(found) != 1:
        raise UsageError(f"--openapi {path}: must be a single document, not {len(found)}")
    return found[0]
