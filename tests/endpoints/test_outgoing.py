"""A request of a cassette as a client would send it."""

from typing import Any

import pytest

from replay_server.endpoints.address import read_request
from replay_server.endpoints.http_form import NotKept
from replay_server.endpoints.outgoing import outgoing
from replay_server.endpoints.table import resource_named

REQUESTS = {
    "chat": ("chat/completions", {"model": "m", "messages": [{"role": "user", "content": "é"}], "stream": True}),
    "completion": ("completions", {"model": "m", "prompt": "x"}),
    "all models": ("models", {}),
    "a model": ("models", {"model": "org/m"}),
    "nothing but a path": ("DELETE /files/a", {}),
    "a query": ("GET /files", {"query": {"a": ["1", "2"], "b": "ü &"}}),
    "json": ("POST /x", {"body": {"input": [1, None]}}),
    "json that is no object": ("POST /x", {"body": [1]}),
    "a form": ("POST /x", {"form": [{"name": "a", "value": "b c"}, {"name": "a", "value": ""}]}),
    "an upload": (
        "POST /files",
        {
            "form": [
                {"name": "purpose", "value": "batch"},
                {"name": "file", "filename": 'a "b".bin', "content_type": "x/y", "base64": "AP8="},
            ]
        },
    ),
    "bytes": ("PUT /x", {"raw": {"base64": "AP8="}}),
    "a text": ("PUT /x", {"raw": "no JSON"}),
}


@pytest.mark.parametrize(("endpoint", "fields"), REQUESTS.values(), ids=REQUESTS)
def test_what_is_sent_is_read_as_the_same_request(endpoint: str, fields: dict[str, Any]) -> None:
    resource = resource_named(endpoint)

    read, request = read_request(outgoing(resource, fields))

    assert (read.name, request) == (endpoint, resource.from_cassette(fields))


@pytest.mark.parametrize(
    "fields",
    [{"raw": {"sha256": "ab"}}, {"form": [{"name": "f", "filename": "g", "sha256": "ab"}]}],
    ids=["a body", "a part"],
)
def test_what_only_a_hash_is_left_of_cannot_be_sent(fields: dict[str, Any]) -> None:
    with pytest.raises(NotKept, match="only the hash was kept"):
        outgoing(resource_named("POST /x"), fields)
