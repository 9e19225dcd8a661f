"""Asking a real API, with retries. What it answers is kept as bytes, a stream with the times of its frames."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

import aiohttp
import orjson
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_random_exponential

from replay_server.cassettes.sse import frame_data, split_frames
from replay_server.endpoints.base import Resource
from replay_server.errors import UsageError
from replay_server.interaction import Answered, Json, JsonObject, TimedFrame
from replay_server.terminal import counted

_RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
_LONGEST_WAIT = 120.0
"""Seconds. An upstream that asks for more patience is given up on sooner by the limit of attempts."""
_WORDS_SHOWN = 300


class AnswerFailed(Exception):
    """There is no answer worth saving. The message has the upstream's own words where it had any."""

    def __init__(self, message: str, *, retried: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retried = retried
        self.retry_after = retry_after


def upstream_url(text: str) -> str:
    """The base of an upstream's paths; `/v1` where it names no path. Raises UsageError."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or not _has_port(parts):
        raise UsageError(f"--upstream {text!r} is no URL: it must start with http:// or https:// and name a host")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError("--upstream must be a plain URL: give the key by the variable that --api-key-env names")
    return text.rstrip("/") if parts.path.strip("/") else f"{text.rstrip('/')}/v1"


def _has_port(parts: SplitResult) -> bool:
    """Whether the port, if there is one, can be one."""
    try:
        return parts.port != 0
    except ValueError:
        return False


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
            raise AnswerFailed(f"{self._url}: {_reason(error)}", retried=True) from None


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


def _reason(error: Exception) -> str:
    if isinstance(error, asyncio.TimeoutError):
        return "gave no sign of life in time"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "broke off in the middle of its answer"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot be connected to: {error.os_error.strerror or error.os_error}"
    return str(error) or type(error).__name__


def _read_plain(response: aiohttp.ClientResponse, body: bytes) -> Answered:
    headers = _headers(response)
    if response.status != 200:
        raise AnswerFailed(
            f"the upstream answered {response.status}: {_words(body)}",
            retried=response.status in _RETRIED and headers.get("x-should-retry") != "false",
            retry_after=_retry_after(headers),
        )
    if response.content_type != "application/json":
        raise AnswerFailed(f"the upstream answered {response.content_type}, not JSON: {_words(body)}")
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise AnswerFailed(f"the upstream answered what is not JSON ({error}): {_words(body)}", retried=True) from None
    return Answered(response.status, headers, body)


async def _read_stream(response: aiohttp.ClientResponse, resource: Resource, started: float) -> Answered:
    frames: list[TimedFrame] = []
    rest, before = b"", started
    async for data in response.content.iter_any():
        *whole, rest = _pieces(rest + data)
        now = time.monotonic()
        for frame in whole:
            frames.append(TimedFrame(now - before, frame))
            before = now
    if rest:
        frames.append(TimedFrame(time.monotonic() - before, rest))
    _check_stream(frames, resource)
    return Answered(response.status, _headers(response), b"".join(frame.data for frame in frames), tuple(frames))


def _pieces(data: bytes) -> list[bytes]:
    """Whole frames, and what there is of the next one: maybe nothing."""
    pieces = split_frames(data)
    return [*pieces, b""] if data.endswith((b"\n\n", b"\r\n\r\n")) else pieces


def _check_stream(frames: list[TimedFrame], resource: Resource) -> None:
    """Raise AnswerFailed for a stream that tells of an error or did not come to its end."""
    data = [found for frame in frames if (found := frame_data(frame.data)) is not None]
    for text in data:
        error = _error_in(text)
        if error is not None:
            raise AnswerFailed(f"the upstream's stream tells of an error: {error}", retried=True)
    if not data or not resource.ends_stream(data[-1]):
        raise AnswerFailed(f"the upstream's stream broke off after {counted(len(frames), 'event')}", retried=True)


def _error_in(text: bytes) -> str | None:
    try:
        chunk: Json = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    error = chunk.get("error") if isinstance(chunk, dict) else None
    return _words(orjson.dumps(error)) if error else None


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _words(body: bytes) -> str:
    """The upstream's own words: the message of its error object, else the beginning of what it said."""
    try:
        value: Json = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = None
    error = value.get("error", value) if isinstance(value, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    text = message if isinstance(message, str) else body.decode(errors="replace")
    return text.strip()[:_WORDS_SHOWN] or "(nothing)"


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
