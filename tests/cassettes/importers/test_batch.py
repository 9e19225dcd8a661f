"""OpenAI Batch: requests and answers, put together by their ids."""

from typing import Any

import orjson

from replay_server.cassettes.importers.batch import custom_ids, holds_answers, is_batch, read_batch
from replay_server.cassettes.importers.items import Imported, Refused


def lines(*fields: Any) -> bytes:
    return b"".join(orjson.dumps(each) + b"\n" for each in fields)


def asked(custom_id: str) -> dict[str, Any]:
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": {"model": custom_id}}


def answered(custom_id: str, status: int = 200) -> dict[str, Any]:
    response = {"status_code": status, "request_id": "r7", "body": {"id": custom_id}}
    return {"id": "batch_req_1", "custom_id": custom_id, "response": response, "error": None}


def test_requests_and_answers_are_put_together_by_their_ids() -> None:
    items = list(read_batch(lines(asked("a"), asked("b")), {"out.jsonl": lines(answered("b", 400), answered("a"))}))

    assert [(item.place, item.name) for item in items if isinstance(item, Imported)] == [
        ("line 1", "a"),
        ("line 2", "b"),
    ]
    first, second = (item.exchange for item in items if isinstance(item, Imported))
    assert (first.request.path, first.request.body) == ("/v1/chat/completions", b'{"model":"a"}')
    assert (first.answer.status, first.answer.body) == (200, b'{"id":"a"}')
    assert (second.answer.status, second.answer.body) == (400, b'{"id":"b"}')
    assert second.answer.headers == {"content-type": "application/json", "x-request-id": "r7"}


def test_errors_may_stand_in_a_file_of_their_own() -> None:
    files = {"out.jsonl": lines(answered("a")), "errors.jsonl": lines(answered("b", 500))}

    items = list(read_batch(lines(asked("a"), asked("b")), files))

    assert [item.exchange.answer.status for item in items if isinstance(item, Imported)] == [200, 500]


def test_a_line_without_a_partner_is_refused() -> None:
    expired = {"custom_id": "b", "response": None, "error": {"code": "batch_expired", "message": "too late"}}
    output = lines(expired, answered("z"), answered("z"), {"id": 1})

    items = list(read_batch(lines(asked("a"), asked("b"), asked("b")) + b"{\n[]\n", {"out.jsonl": output}))

    assert items == [
        Refused(place="out.jsonl line 3", reason="has the custom_id 'z' of out.jsonl line 2"),
        Refused(place="out.jsonl line 4", reason="has no custom_id"),
        Refused(place="line 3", reason="has the custom_id 'b' of line 2"),
        Refused(place="line 4", reason="is not JSON: unexpected end of data: line 1 column 2 (char 1)"),
        Refused(place="line 5", reason="is no mapping"),
        Refused(place="line 1", reason="has no answer: 'a' is in no file of output or errors"),
        Refused(place="line 2", reason="was not answered: too late"),
        Refused(place="out.jsonl line 2", reason="answers 'z', which no request has"),
    ]


def test_files_of_a_batch_are_told_by_their_first_line() -> None:
    requests, answers = lines(asked("a"), asked("b")), lines(answered("a"))

    assert (is_batch(requests), is_batch(answers), is_batch(b'{"a": 1}\n'), is_batch(b"x")) == (
        True,
        True,
        False,
        False,
    )
    assert (holds_answers(requests), holds_answers(answers)) == (False, True)
    assert custom_ids(requests + b"x\n") == {"a", "b"}
