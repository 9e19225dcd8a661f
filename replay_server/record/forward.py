"""Sending a client's request on to an upstream, and its answer back: as they are, but for what is between two hosts."""

import asyncio
import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from replay_server.cassettes.decoding import CODINGS, has_brotli
from replay_server.errors import ApiError
from replay_server.interaction import RawRequest
from replay_server.record.capture import words
from replay_server.record.recording import Recording
from replay_server.terminal import printable

# Source: RFC 9110, section 7.6.1, and what is said anew for each connection.
_BETWEEN_HOSTS = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"),
        *("transfer-encoding", "upgrade", "host", "expect"),
    }
)
# aiohttp has undone the coding of the request, and counts its length anew.
_NOT_FORWARDED = _BETWEEN_HOSTS | {"content-length", "content-encoding", "accept-encoding"}
_OURS = "x-replay-"
_KEY_HEADERS = ("authorization", "api-key", "x-api-key")
# Source: Anthropic's API reference; the version is the newest one. OpenAI's own messages are below /v1/threads.
_ANTHROPIC = re.compile(r"/v1/messages(?:/|$)")
_ANTHROPIC_VERSION = "2023-06-01"
_LONGEST_CONNECT = 30.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_LONGEST_EPILOGUE = 1.0

log = logging.getLogger("replay_server")


class Forwarder:
    """Asks upstreams. `silence` is the longest one that is borne, in seconds."""

    def __init__(self, silence: float) -> None:
        self._silence = silence
        # No proxy of the environment, no cookies of other clients: what is asked for is what is called.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=min(_LONGEST_CONNECT, silence), sock_read=silence),
            auto_decompress=False,
            trust_env=False,
            skip_auto_headers=("user-agent", "accept", "accept-encoding", "content-type"),
        )

    async def send(self, url: str, raw: RawRequest, api_key: str | None) -> aiohttp.ClientResponse:
        """The head of the upstream's answer. Raises ApiError where there is none."""
        target, method, data = URL(url), raw.method, raw.body
        headers = forwarded_headers(raw.headers, api_key, target.path)
        for _ in range(_MOST_REDIRECTS):
            response = await self._send_once(method, target, headers, data)
            location = response.headers.get("location", "")
            if response.status not in _REDIRECTS or not location:
                return response
            response.close()
            target = _redirected(target, location)
            if response.status == 303:
                method, data = "GET", b""
        raise _bad_gateway(f"{_shown(target)} redirects again and again", "upstream_redirects")

    async def _send_once(self, method: str, url: URL, headers: CIMultiDict[str], data: bytes) -> aiohttp.ClientResponse:
        try:
            return await self._session.request(method, url, headers=headers, data=data or None, allow_redirects=False)
        except TimeoutError:
            message = f"the upstream {_shown(url)} gave no sign of life in {self._silence:g} s"
            raise ApiError(message, status=504, type="server_error", code="upstream_timeout") from None
        except (aiohttp.ClientError, OSError) as error:
            raise _bad_gateway(f"the upstream {_shown(url)} {reason(error)}", "upstream_unreachable") from None

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


def forwarded_headers(headers: Mapping[str, str], api_key: str | None, path: str) -> CIMultiDict[str]:
    """A client's headers as the upstream gets them at `path`; with `api_key` in place of the client's own."""
    dropped = _NOT_FORWARDED | _named_in_connection(headers)
    kept = CIMultiDict(
        (name, value)
        for name, value in headers.items()
        if name.lower() not in dropped and not name.lower().startswith(_OURS)
    )
    if accepted := _accepted(headers.get("accept-encoding", "")):
        kept["accept-encoding"] = accepted
    if api_key is not None:
        _replace_key(kept, api_key, path)
    return kept


def _named_in_connection(headers: Mapping[str, str]) -> set[str]:
    return {name.strip().lower() for name in headers.get("connection", "").split(",")}


def _accepted(asked: str) -> str:
    """The codings that the client takes, without those that could not be undone for the recording."""
    codings = (*CODINGS, "br") if has_brotli() else CODINGS
    offered = [word.strip() for word in asked.split(",")]
    return ", ".join(word for word in offered if word.partition(";")[0].strip().lower() in (*codings, "identity"))


def _replace_key(headers: CIMultiDict[str], api_key: str, path: str) -> None:
    """Where the client has put its own key: OpenAI's header, Azure's, or Anthropic's. An empty one: no key at all.

    A client that has none, as we are ourselves, gets the header that the API at `path` wants.
    """
    usual = "authorization"
    if _ANTHROPIC.search(path):
        usual = "x-api-key"
        headers.setdefault("anthropic-version", _ANTHROPIC_VERSION)  # without it the API refuses every request
    used = [name for name in _KEY_HEADERS if headers.popall(name, None)]
    for name in (used or [usual]) if api_key else ():
        headers[name] = f"Bearer {api_key}" if name == "authorization" else api_key


def _redirected(url: URL, location: str) -> URL:
    """Where a redirect leads, on the same host. Raises ApiError for another one."""
    try:
        target = url.join(URL(location))
        is_elsewhere = target.origin() != url.origin()
    except ValueError:
        raise _bad_gateway(f"the upstream {_shown(url)} redirects to what is no URL", "upstream_redirects") from None
    if is_elsewhere:
        raise _bad_gateway(
            f"the upstream {_shown(url)} redirects to another host, {_shown(target)}, which is not followed:"
            " give that one as --upstream",
            "upstream_redirects",
        )
    return target


def _shown(url: URL) -> str:
    """A URL without its query, which may hold a key."""
    parts = urlsplit(str(url))
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _bad_gateway(message: str, code: str) -> ApiError:
    return ApiError(message, status=502, type="server_error", code=code)


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


class ForwardedAnswer:
    """An upstream's answer on its way to the client, and into a recording if there is one.

    `go_on` runs what is to be done when the client has left: the recording is not lost by that.
    """

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        recording: Recording | None,
        go_on: Callable[["asyncio.Task[None]"], None],
    ) -> None:
        self.status = response.status
        self.headers: Sequence[tuple[str, str]] = tuple(_returned_headers(response.headers))
        self._response = response
        self._recording = recording
        self._go_on = go_on
        self._left = False
        self._held = b""

    async def begin(self) -> None:
        """An answer without a body is whole with its head, so it is saved before that goes out."""
        if self._is_last_piece():
            await self._complete()

    async def read(self) -> bytes:
        """The next piece of the body, empty at its end. Raises ConnectionError where it breaks off.

        The last byte is given when the recording is on disk: who has the whole answer has the file, and nobody waits
        for the disk to see the rest.
        """
        if self._held:
            return await self._complete()
        try:
            data = await self._response.content.readany()
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise ConnectionError(await self._broken(reason(error))) from None
        recording = self._recording
        if recording is None:
            return data
        if data:
            recording.take(data, time.monotonic())
        if data and not (self._is_last_piece() or recording.has_ended):
            return data
        self._held = data[-1:]
        return data[:-1] or await self._complete()

    async def _complete(self) -> bytes:
        """Save what came; the byte that was held back."""
        held, self._held, recording = self._held, b"", self._recording
        if recording is not None:
            if self._is_last_piece():
                self._recording = None
                await recording.finish(None, time.monotonic())
            else:
                await recording.save_so_far()
        return held

    def _is_last_piece(self) -> bool:
        content = self._response.content
        return content.at_eof() and content.exception() is None

    async def _broken(self, why: str) -> str:
        recording, self._recording = self._recording, None
        if recording is None:
            log.warning("an answer breaks off: the upstream %s", printable(why))
        else:
            await recording.finish(why, time.monotonic())
        return f"the upstream {why}"

    def leave(self) -> None:
        """The client has gone. What is recorded is read to its end all the same."""
        if self._recording is None:
            self._response.close()
        elif not self._left:
            self._left = True
            self._go_on(asyncio.ensure_future(self._read_on()))

    async def _read_on(self) -> None:
        try:
            while (recording := self._recording) is not None:
                # What follows a last event has come with it, or hardly will.
                async with asyncio.timeout(_LONGEST_EPILOGUE if recording.is_saved else None):
                    await self.read()
        except (ConnectionError, TimeoutError):
            return  # it has been noted, and there is nobody to tell
        finally:
            self._response.close()


def _returned_headers(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    dropped = _BETWEEN_HOSTS | _named_in_connection(headers)
    # An upstream may be one of us: where its answer comes from is not where ours comes from.
    return (
        (name, value)
        for name, value in headers.items()
        if name.lower() not in dropped and not name.lower().startswith(_OURS)
    )
