"""Asking a real API, with retries. What it answers is kept as bytes, a stream with the times of its frames."""

import asyncio
import math
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
import orjson
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_random_exponential

from replay_server.endpoints.base import Resource
from replay_server.interaction import Answered, JsonObject
from replay_server.record.capture import FrameCutter, NotWhole, check_stream, words

_RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
_LONGEST_WAIT = 120.0
"""Seconds. An upstream that asks for more patience is given up on sooner by the limit of attempts."""


class AnswerFailed(Exception):
    """There is no answer worth saving. The message has the upstream's own words where it had any."""

    def __init__(self, message: str, *, retried: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retried = retried
        self.retry_after = retry_after


class Upstream:
    """A real API. `silence` is the longest one that is borne, in seconds; `attempts` counts the first one too.

    `note` is told when a request is tried again, and why.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        api_key: str | None,
        *,
        silence: float,
        attempts: int,
        note: Callable[[str], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._session = session
        self._url = url
        self._headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=silence, sock_read=silence)
        self._attempts = attempts
        self._note = note
        self._sleep = sleep

    async def ask(self, resource: Resource, body: JsonObject) -> Answered:
        """Ask, and again where that may help. Raises AnswerFailed."""
        async for attempt in AsyncRetrying(
            stop=stop_after_attempt(self._attempts),
            wait=_wait,
            retry=retry_if_exception(lambda error: isinstance(error, AnswerFailed) and error.retried),
            sleep=self._sleep,
            before_sleep=self._tell_of_wait,
            reraise=True,
        ):
            with attempt:
                return await self._ask_once(resource, body)
        raise AssertionError("tenacity gives an answer or raises")

    def _tell_of_wait(self, state: RetryCallState) -> None:
        """Say why nothing seems to happen."""
        error = state.outcome.exception() if state.outcome else None
        again = f"attempt {state.attempt_number + 1} of {self._attempts} in {state.upcoming_sleep:.1f} s"
        self._note(f"{again}: {error}")

    async def _ask_once(self, resource: Resource, body: JsonObject) -> Answered:
        method, url = resource.routes[0].method, self._url + resource.routes[0].path
        headers = {**self._headers, "content-type": "application/json"}
        started = time.monotonic()
        try:
            async with self._session.request(
                method,
                url,
                data=orjson.dumps(body) if method == "POST" else None,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                if response.content_type == "text/event-stream" and response.status == 200:
                    return await _read_stream(response, resource, started)
                return _read_plain(response, await response.read())
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise AnswerFailed(f"{self._url}: {reason(error)}", retried=True) from None


@asynccontextmanager
async def open_upstream(
    url: str, api_key: str | None, *, silence: float, attempts: int, note: Callable[[str], None]
) -> AsyncIterator[Upstream]:
    """An upstream, with its connections. No proxy of the environment is used: what is asked for is what is called."""
    async with aiohttp.ClientSession(trust_env=False) as session:
        yield Upstream(session, url, api_key, silence=silence, attempts=attempts, note=note)


def _wait(state: RetryCallState) -> float:
    """As long as the upstream asks for, else longer each time."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, AnswerFailed) and error.retry_after is not None:
        return min(error.retry_after, _LONGEST_WAIT)
    return wait_random_exponential(multiplier=0.5, max=30)(state)


def reason(error: Exception) -> str:
    """What went wrong on the way to an upstream, in a few words."""
    if isinstance(error, asyncio.TimeoutError):
        return "gave no sign of life in time"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "broke off in the middle of its answer"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot be connected to: {_words_of(error.os_error)}"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"answered what is not HTTP: {words(error.message.encode())}"
    return str(error) or type(error).__name__


def _words_of(error: OSError) -> str:
    # asyncio words it around the system's own message; what getaddrinfo says has a negative number.
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)


def _read_plain(response: aiohttp.ClientResponse, body: bytes) -> Answered:
    headers = _headers(response)
    if response.status != 200:
        raise AnswerFailed(
            f"the upstream answered {response.status}: {words(body)}",
            retried=response.status in _RETRIED and headers.get("x-should-retry") != "false",
            retry_after=_retry_after(headers),
        )
    if response.content_type != "application/json":
        raise AnswerFailed(f"the upstream answered {response.content_type}, not JSON: {words(body)}")
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise AnswerFailed(f"the upstream answered what is not JSON ({error}): {words(body)}", retried=True) from None
    return Answered(response.status, headers, body)


async def _read_stream(response: aiohttp.ClientResponse, resource: Resource, started: float) -> Answered:
    cutter = FrameCutter(started)
    async for data in response.content.iter_any():
        cutter.take(data, time.monotonic())
    cutter.end(time.monotonic())
    frames = tuple(cutter.frames)
    try:
        check_stream(frames, resource)
    except NotWhole as error:
        raise AnswerFailed(str(error), retried=error.retried) from None
    return Answered(response.status, _headers(response), b"".join(frame.data for frame in frames), frames)


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
