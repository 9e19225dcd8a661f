"""Every error knows what a client is answered with."""

from collections.abc import Iterator

import pytest

from replay_server import errors
from replay_server.errors import ApiError, ReplayServerError

SOURCES = {"error", "miss"}


def subclasses(kind: type[ReplayServerError]) -> Iterator[type[ReplayServerError]]:
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from subclasses(child)


@pytest.mark.parametrize("kind", [ReplayServerError, *subclasses(ReplayServerError)])
def test_an_error_has_a_status_a_source_and_an_explanation(kind: type[ReplayServerError]) -> None:
    assert 400 <= kind.status <= 599
    assert kind.source in SOURCES
    assert kind.__doc__


@pytest.mark.parametrize("kind", [ApiError, *subclasses(ApiError)])
def test_an_api_error_has_the_fields_of_the_api(kind: type[ApiError]) -> None:
    error = kind("what is wrong", param="p", code="c")

    assert (error.message, error.type, error.param, error.code) == ("what is wrong", "invalid_request_error", "p", "c")
    assert str(error) == "what is wrong"
    assert kind("x", status=418).status == 418
