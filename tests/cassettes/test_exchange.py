"""Exchanges as documents: one for each request, its answers in their order."""

import pytest

from replay_server.cassettes.config import Config
from replay_server.cassettes.exchange import documents_of
from replay_server.interaction import Answered, Exchange, RawRequest

ASKED = RawRequest("POST", "/v1/chat/completions", {}, (), {}, b'{"model":"m","messages":[]}')


def exchange(body: bytes, **headers: str) -> Exchange:
    return Exchange(ASKED, Answered(200, headers, body))


def responses(*bodies: bytes, exact: bool) -> int:
    (text,) = documents_of([exchange(body) for body in bodies], Config(), exact=exact)
    return text.count("id: ")


@pytest.mark.parametrize(("exact", "kept"), [(False, 1), (True, 2)], ids=["that say the same", "of the same bytes"])
def test_answers_are_told_apart(exact: bool, kept: int) -> None:
    assert responses(b'{"id":"1"}', b'{"id":"2"}', b'{"id":"2"}', exact=exact) == kept


def test_answers_of_the_same_bytes_are_one_whatever_their_headers() -> None:
    answers = [exchange(b'{"id":"1"}', **{"x-request-id": number}) for number in "ab"]

    (text,) = documents_of(answers, Config(), exact=True)

    assert text.count("id: '1'") == 1
    assert "x-request-id: a" in text


def test_a_document_has_the_name_of_its_first_exchange_and_the_day() -> None:
    other = Exchange(RawRequest("GET", "/v1/models", {}, (), {}, b""), Answered(200, {}, b"{}"))

    texts = documents_of([exchange(b"{}"), other, exchange(b"{}")], Config(), "2024-01-02", names=["one", None, "two"])

    assert [text.splitlines()[0] for text in texts] == ["name: one", "endpoint: models"]
    assert all(text.endswith("recorded:\n  at: '2024-01-02'\n") for text in texts)
