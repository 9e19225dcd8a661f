"""What a fault with a status says: the API's own error, and when to ask again."""

import pytest

from replay_server.faults.errors import error_of, retry_headers
from replay_server.faults.reading import parse_fault


@pytest.mark.parametrize(
    ("text", "type", "code", "message"),
    [
        ("status=401", "invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
        ("status=404", "invalid_request_error", "model_not_found", "The model `m` does not exist or you do not "),
        ("status=429", "requests", "rate_limit_exceeded", "Rate limit reached for m. Please try again later."),
        (
            "status=429, code=insufficient_quota",
            "insufficient_quota",
            "insufficient_quota",
            "You exceeded your current",
        ),
        ("status=500", "server_error", None, "The server had an error while processing your request."),
        ("status=503", "server_error", "overloaded", "The engine is currently overloaded, please try again later."),
        ("status=408", "server_error", None, "Request Timeout."),
        ("status=418", "invalid_request_error", None, "I'm a Teapot."),
        ("status=599", "server_error", None, "Error 599."),
        ("status=429, type=tokens, message=No {model}.", "tokens", "rate_limit_exceeded", "No {model}."),
        ("error_event", "server_error", None, "The server had an error while processing your request."),
    ],
)
def test_an_error_is_that_of_the_api_but_for_what_the_fault_says(
    text: str, type: str, code: str | None, message: str
) -> None:
    error = error_of(parse_fault(text), "m")

    assert (error.type, error.code, error.param) == (type, code, None)
    assert error.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("status=429", {}),
        ("status=429, retry_after=2", {"retry-after": "2"}),
        ("status=429, retry_after=1500ms", {"retry-after": "2", "retry-after-ms": "1500"}),
        ("status=400, should_retry=true", {"x-should-retry": "true"}),
    ],
)
def test_headers_say_when_to_ask_again(text: str, headers: dict[str, str]) -> None:
    assert retry_headers(parse_fault(text)) == headers
