from pathlib import Path
from typing import Any

import orjson
import pytest

from replay_server.cassettes.config import Config
from replay_server.cassettes.matching import Keyed
from replay_server.endpoints.table import resource_named
from replay_server.errors import UsageError
from replay_server.replay.miss_log import MissLog


def asked(**body: Any) -> Keyed:
    resource = resource_named("completions")
    return Keyed(resource, resource.from_cassette({"model": "m", **body}), Config())


def test_each_distinct_miss_is_a_line_in_the_batch_form(tmp_path: Path) -> None:
    path = tmp_path / "misses.jsonl"
    log = MissLog(path)
    for body in ({"prompt": "x"}, {"prompt": "y"}, {"prompt": "x"}):
        log.add(asked(**body))
    MissLog(path).add(asked(prompt="y"))

    lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert [(line["method"], line["url"], line["body"]) for line in lines] == [
        ("POST", "/v1/completions", {"model": "m", "prompt": "x"}),
        ("POST", "/v1/completions", {"model": "m", "prompt": "y"}),
    ]
    assert lines[0]["custom_id"].startswith(f"miss-{asked(prompt='x').key[:16]}-")
    assert lines[0]["custom_id"] != lines[1]["custom_id"]


def test_a_file_that_cannot_be_written_costs_no_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "misses.jsonl"
    log = MissLog(path)
    path.unlink()
    path.mkdir()

    log.add(asked(prompt="x"))
    log.add(asked(prompt="y"))

    assert [record.getMessage().endswith("Is a directory") for record in caplog.records] == [True]


def test_a_file_that_cannot_be_made_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        MissLog(tmp_path / "no such folder" / "misses.jsonl")


def test_a_last_line_without_its_end_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "misses.jsonl"
    path.write_text('{"url": "/v1/completions", "body": {}}')

    MissLog(path).add(asked(prompt="x"))

    assert len([orjson.loads(line) for line in path.read_bytes().splitlines()]) == 2


def test_what_the_api_would_refuse_is_nothing_to_record(tmp_path: Path) -> None:
    path = tmp_path / "misses.jsonl"

    MissLog(path).add(asked(prompt="x", temperature=9))

    assert path.read_bytes() == b""


def test_another_kind_of_file_is_not_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("buy milk\n")

    with pytest.raises(UsageError, match=r"notes\.txt: is not JSONL: name a file of its own"):
        MissLog(path)


def test_a_miss_is_saved_without_its_secrets(tmp_path: Path) -> None:
    path = tmp_path / "misses.jsonl"
    log = MissLog(path)
    letters = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"

    for secret in (f"sk-{letters}", f"sk-{letters[::-1]}"):
        log.add(asked(prompt=f"my key: {secret}"))

    (line,) = [orjson.loads(text) for text in path.read_bytes().splitlines()]
    assert line["body"] == {"model": "m", "prompt": "my key: <redacted:openai-key:1>"}
