"""Distinct misses, a line each in OpenAI's Batch form, for `replay-server record` to make cassettes of."""

import hashlib
import logging
from pathlib import Path
from shlex import quote

import orjson

from replay_server.cassettes.matching import Keyed
from replay_server.errors import ApiError, UsageError
from replay_server.interaction import Json
from replay_server.keys import canonical_json

log = logging.getLogger("replay_server")

MOST_REMEMBERED = 100_000
"""Distinct misses. More than anybody can record from one file."""


class MissLog:
    """Appends to a file. What stands in it already is not written again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = set(map(_digest, _prepared(path)))
        self._broken = False

    def add(self, asked: Keyed) -> None:
        """Write a miss, unless it is there or the API would refuse it: that is nothing to record.

        A file that cannot be written costs the miss, never the answer.
        """
        try:
            asked.resource.validate(asked.request)
        except ApiError:
            return
        route = asked.resource.routes[0]
        request: dict[str, Json] = {"method": route.method, "url": f"/v1{route.path}", "body": dict(asked.request.body)}
        digest = _digest(request)
        if digest in self._seen or len(self._seen) >= MOST_REMEMBERED:
            return
        self._seen.add(digest)
        try:
            with self._path.open("ab") as file:
                file.write(orjson.dumps({"custom_id": f"miss-{asked.key[:16]}-{digest[:4].hex()}", **request}) + b"\n")
        except OSError as error:
            if not self._broken:
                log.warning("%s: misses cannot be saved: %s", self._path, error.strerror)
            self._broken = True


def how_to_record(cassettes: Path, misses: Path | None) -> str:
    """How a miss is recorded, ready to paste. `misses` is the file that holds it, if there is one."""
    file = misses or Path("misses.jsonl")
    command = f"replay-server record {quote(str(file))} --cassettes {quote(str(cassettes))} --upstream URL"
    saved = "" if misses else f"serve with --save-misses {file}, ask again, then "
    return f"record it: {saved}{command}"


def _prepared(path: Path) -> list[dict[str, Json]]:
    """The lines of the file, which is made where there is none, and ends with a line. Raises UsageError."""
    try:
        with path.open("a+b") as file:
            file.seek(0)
            text = file.read()
            if text and not text.endswith(b"\n"):
                file.write(b"\n")
        found = [orjson.loads(line) for line in text.splitlines() if line.strip()]
    except OSError as error:
        raise UsageError(f"--save-misses {path}: cannot be written: {error.strerror}") from None
    except orjson.JSONDecodeError:
        raise UsageError(f"--save-misses {path}: is not JSONL: name a file of its own for the misses") from None
    return [line for line in found if isinstance(line, dict)]


def _digest(request: dict[str, Json]) -> bytes:
    return hashlib.sha256(canonical_json([request.get("url"), request.get("body")])).digest()
