"""The error with which a fault answers: the API's own text for a status, and the headers that tell when to come again.

Source of the texts: the API's guide to error codes, and recorded answers.
"""

from collections.abc import Iterator
from http import HTTPStatus

from replay_server.errors import ApiError
from replay_server.faults.fault import Fault
from replay_server.faults.limits import Refusal

_REFUSED = "invalid_request_error"
_SERVER = "server_error"
_FAILED = "The server had an error while processing your request. Sorry about that!"
_QUOTA = (
    "You exceeded your current quota, please check your plan and billing details. For more information on this error,"
    " read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors."
)
_NANOSECONDS = 1_000_000_000

# Message, type, code.
_KNOWN: dict[int, tuple[str, str, str | None]] = {
    401: ("Incorrect API key provided.", _REFUSED, "invalid_api_key"),
    403: ("Country, region, or territory not supported", "request_forbidden", "unsupported_country_region_territory"),
    404: ("The model `{model}` does not exist or you do not have access to it.", _REFUSED, "model_not_found"),
    409: ("The resource was updated by another request.", _REFUSED, None),
    422: ("Unable to process the request despite the format being correct.", _REFUSED, None),
    429: ("Rate limit reached for {model}. Please try again later.", "requests", "rate_limit_exceeded"),
    500: (_FAILED, _SERVER, None),
    503: ("The engine is currently overloaded, please try again later.", _SERVER, "overloaded"),
}


def error_of(fault: Fault, model: str) -> ApiError:
    """The error that a fault says, with what it leaves open as the API has it. Without a status: one of a stream."""
    status = fault.status or 500
    message, kind, code = _usual(status, fault.code)
    return ApiError(
        fault.message or message.replace("{model}", model),
        status=status,
        type=fault.type or kind,
        code=fault.code or code,
    )


def _usual(status: int, code: str | None) -> tuple[str, str, str | None]:
    if status == 429 and code == "insufficient_quota":
        return _QUOTA, code, code
    if status in _KNOWN:
        return _KNOWN[status]
    kind = _SERVER if status >= 500 or status == 408 else _REFUSED
    return f"{_phrase(status)}.", kind, None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Error {status}"


def limit_error(refusal: Refusal, model: str) -> ApiError:
    """The error of a client that has asked too much."""
    return ApiError(refusal.message(model), status=429, type=refusal.kind, code="rate_limit_exceeded")


def retry_headers(fault: Fault) -> dict[str, str]:
    """What tells a client whether and when to ask again."""
    headers = {} if fault.retry_after is None else dict(_retry_after(round(fault.retry_after * _NANOSECONDS)))
    if fault.should_retry is not None:
        headers["x-should-retry"] = str(fault.should_retry).lower()
    return headers


def refusal_headers(refusal: Refusal) -> dict[str, str]:
    """The same for a client that has asked too much."""
    return {} if refusal.wait is None else dict(_retry_after(refusal.wait))


def _retry_after(wait: int) -> Iterator[tuple[str, str]]:
    """In whole seconds for every client, and in milliseconds where these say less: the API's own clients read both."""
    yield "retry-after", str(-(-wait // _NANOSECONDS))
    if wait % _NANOSECONDS:
        yield "retry-after-ms", str(-(-wait // 1_000_000))
