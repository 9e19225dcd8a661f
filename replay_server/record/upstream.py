"""Asking real APIs, with retries. What they answer is kept as bytes, a stream with the times of its frames."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_random_exponential

from replay_server import __version__
from replay_server.endpoints.base import Resource
from replay_server.endpoints.http_form import NotKept
from replay_server.endpoints.outgoing import outgoing
from replay_server.errors import ApiError
from replay_server.interaction import Answered, JsonObject, RawRequest
from replay_server.record.capture import Capture, NotWhole, is_event_stream, is_json, words
from replay_server.record.forward import Forwarder, reason
from replay_server.record.upstream_url import target
from replay_server.settings import Upstream as Address

_RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
_LONGEST_WAIT = 120.0
"""Seconds. An upstream that asks for more patience is given up on sooner by the limit of attempts."""
_LARGEST = 2**30
"""Bytes of an answer, decoded: what it is compared in, and written from, is memory."""
_HEADERS = {"accept": "*/*", "accept-encoding": "gzip, deflate, br", "user-agent": f"replay-server/{__version__}"}


class AnswerFailed(Exception):
    """There is no answer worth saving. The message has the upstream's own words where it had any."""

    def __init__(self, message: str, *, retried: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retried = retried
        self.retry_after = retry_after


def only_success(status: int) -> bool:
    """Whether an answer with this status is what was asked for."""
    return status == 200


class Upstream:
    """Real APIs, whichever of them takes a request. `attempts` counts the first one too.

    `note` is told when a request is tried again, and why.
    """

    def __init__(
        self,
        forwarder: Forwarder,
        addresses: Sequence[Address],
        *,
        attempts: int,
        note: Callable[[str], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._forwarder = forwarder
        self._addresses = addresses
        self._attempts = attempts
        self._note = note
        self._sleep = sleep

    async def ask(
        self, resource: Resource, fields: JsonObject, takes: Callable[[int], bool] = only_success
    ) -> Answered:
        """Ask for an answer with a status that `takes` takes, and again where that may help. Raises AnswerFailed."""
        url, raw, api_key = self._outgoing(resource, fields)
        async for attempt in AsyncRetrying(
            stop=stop_after_attempt(self._attempts),
            wait=_wait,
            retry=retry_if_exception(lambda error: isinstance(error, AnswerFailed) and error.retried),
            sleep=self._sleep,
            before_sleep=self._tell_of_wait,
            reraise=True,
        ):
            with attempt:
                return await self._ask_once(resource, url, raw, api_key, takes)
        raise AssertionError("tenacity gives an answer or raises")

    def _outgoing(self, resource: Resource, fields: JsonObject) -> tuple[str, RawRequest, str | None]:
        """The URL, the request and the key that are sent."""
        try:
            raw = outgoing(resource, fields)
        except NotKept as error:
            raise AnswerFailed(str(error)) from None
        found = target(self._addresses, raw, resource.from_cassette(fields).model)
        if found is None:
            raise AnswerFailed("no --upstream takes it: add one that does")
        address, url = found
        return url, raw._replace(headers={**_HEADERS, **raw.headers}), address.api_key

    def _tell_of_wait(self, state: RetryCallState) -> None:
        """Say why nothing seems to happen."""
        error = state.outcome.exception() if state.outcome else None
        again = f"attempt {state.attempt_number + 1} of {self._attempts} in {state.upcoming_sleep:.1f} s"
        self._note(f"{again}: {error}")

    async def _ask_once(
        self, resource: Resource, url: str, raw: RawRequest, api_key: str | None, takes: Callable[[int], bool]
    ) -> Answered:
        started = time.monotonic()
        try:
            async with await self._forwarder.send(url, raw, api_key) as response:
                capture = Capture(response.status, _headers(response), started=started, largest=_LARGEST)
                await _read(response, capture, resource)
                return _judged(response, capture, resource, takes)
        except ApiError as error:
            raise AnswerFailed(error.message, retried=error.code != "upstream_redirects") from None
        except NotWhole as error:
            raise AnswerFailed(str(error), retried=error.retried) from None
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise AnswerFailed(f"{url}: {reason(error)}", retried=True) from None


@asynccontextmanager
async def open_upstream(
    addresses: Sequence[Address], *, silence: float, attempts: int, note: Callable[[str], None]
) -> AsyncIterator[Upstream]:
    """Upstreams, with their connections. `silence` is the longest one that is borne, in seconds."""
    forwarder = Forwarder(silence)
    try:
        yield Upstream(forwarder, addresses, attempts=attempts, note=note)
    finally:
        await forwarder.close()


def _wait(state: RetryCallState) -> float:
    """As long as the upstream asks for, else longer each time."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, AnswerFailed) and error.retry_after is not None:
        return min(error.retry_after, _LONGEST_WAIT)
    return wait_random_exponential(multiplier=0.5, max=30)(state)


async def _read(response: aiohttp.ClientResponse, capture: Capture, resource: Resource) -> None:
    """Read to the end. What goes wrong behind a stream's last event costs nothing."""
    try:
        async for data in response.content.iter_any():
            capture.take(data, time.monotonic())
    except (TimeoutError, aiohttp.ClientError, OSError):
        if not capture.has_ended(resource):
            raise


def _judged(
    response: aiohttp.ClientResponse, capture: Capture, resource: Resource, takes: Callable[[int], bool]
) -> Answered:
    """The answer, where it is one that is taken. Raises AnswerFailed or NotWhole."""
    now, headers = time.monotonic(), _headers(response)
    if not takes(response.status):
        body = capture.answered(resource, now, even_broken=True).body
        raise AnswerFailed(
            f"the upstream answered {response.status}: {words(body)}",
            retried=response.status in _RETRIED and headers.get("x-should-retry") != "false",
            retry_after=_retry_after(headers),
        )
    answered = capture.answered(resource, now)
    if resource.routes[0].operation_id and not (is_json(headers) or is_event_stream(headers)):
        raise AnswerFailed(f"the upstream answered {response.content_type}, not JSON: {words(answered.body)}")
    return answered


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: milliseconds, seconds or a date, as client libraries read them."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    asked = headers.get("retry-after")
    seconds = _number(asked)
    if seconds is not None:
        return max(0.0, seconds)
    return None if asked is None else _seconds_until(asked)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _seconds_until(date: str) -> float | None:
    try:
        return max(0.0, (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
