"""Trying a running server from outside, as a client would."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import orjson

from replay_server.interaction import Json
from replay_server.terminal import printable

_GREETING = "Hello! Is anybody there?"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried. `detail` is what was seen, or what was wrong."""

    name: str
    passed: bool
    detail: str
    unreachable: bool = False


class _Unexpected(Exception):
    """The server answered something else."""


async def run_smoke(url: str, *, model: str, api_key: str, seconds: float) -> list[Check]:
    """Try health, models, a completion, a chat and a stream. `seconds` is the longest time for each."""
    async with aiohttp.ClientSession(
        headers={"authorization": f"Bearer {api_key}"}, timeout=aiohttp.ClientTimeout(total=seconds)
    ) as session:
        client = _Client(session, url.rstrip("/").removesuffix("/v1"), model)
        health = await _run(client.health)
        if health.unreachable:
            return [health]
        return [
            health,
            *[await _run(check) for check in (client.models, client.completion, client.chat, client.stream)],
        ]


async def _run(check: Callable[[], Awaitable[str]]) -> Check:
    name = check.__name__
    try:
        return Check(name, True, printable(await check()))
    except _Unexpected as error:
        return Check(name, False, printable(str(error)))
    except aiohttp.ClientConnectorError as error:
        reason = error.os_error.strerror or str(error.os_error)
        return Check(name, False, printable(f"cannot connect to {error.host}:{error.port}: {reason}"), unreachable=True)
    except TimeoutError:
        return Check(name, False, "no answer in time")
    except (aiohttp.ClientError, ValueError) as error:  # ValueError: a URL that is none, an answer that is no JSON
        return Check(name, False, printable(f"{error or type(error).__name__}"))


class _Client:
    def __init__(self, session: aiohttp.ClientSession, url: str, model: str) -> None:
        self._session = session
        self._url = url
        self._model = model

    async def health(self) -> str:
        health = await self._get("/healthz")
        return f"version {health.get('version')}, {health.get('interactions')} interactions"

    async def models(self) -> str:
        models = _list(await self._get("/v1/models"), "data")
        return f"{len(models)} listed"

    async def completion(self) -> str:
        status, body = await self._post("/v1/completions", {"prompt": _GREETING, "max_tokens": 8})
        return _missed(status, body) or _expect_text(_first(body, "choices").get("text"))

    async def chat(self) -> str:
        status, body = await self._post("/v1/chat/completions", {"messages": [{"role": "user", "content": _GREETING}]})
        message = _first(body, "choices").get("message") if status == 200 else None
        return _missed(status, body) or _expect_text(message.get("content") if isinstance(message, dict) else None)

    async def stream(self) -> str:
        asked = {"model": self._model, "messages": [{"role": "user", "content": _GREETING}], "stream": True}
        async with self._session.post(f"{self._url}/v1/chat/completions", json=asked) as response:
            text = await response.text()
            if response.content_type != "text/event-stream":
                return _missed(response.status, _object(text))
        events = [line for line in text.splitlines() if line.startswith("data: ")]
        if not events or events[-1] != "data: [DONE]":
            raise _Unexpected(f"the stream has {len(events)} events and does not end with [DONE]")
        return f"{len(events)} events"

    async def _get(self, path: str) -> dict[str, Json]:
        async with self._session.get(self._url + path) as response:
            text = await response.text()
        if response.status != 200:
            raise _Unexpected(_status(response.status, text))
        return _object(text)

    async def _post(self, path: str, asked: dict[str, Json]) -> tuple[int, dict[str, Json]]:
        async with self._session.post(self._url + path, json={"model": self._model, **asked}) as response:
            return response.status, _object(await response.text())


def _object(text: str) -> dict[str, Json]:
    value = orjson.loads(text)
    if not isinstance(value, dict):
        raise _Unexpected(f"answered {text[:80]!r}")
    return value


def _missed(status: int, body: dict[str, Json]) -> str:
    """What to say of an answer that is no success: a miss is well answered; anything else is unexpected."""
    if status == 200:
        return ""
    error = body.get("error")
    if isinstance(error, dict) and error.get("code") == "cassette_miss":
        return "answered as a miss: the server is strict"
    raise _Unexpected(_status(status, str(error.get("message") if isinstance(error, dict) else body)))


def _status(status: int, text: str) -> str:
    return f"answered {status}: {text[:200]}"


def _list(body: dict[str, Json], name: str) -> list[Json]:
    values = body.get(name)
    if not isinstance(values, list):
        raise _Unexpected(f"the answer has no {name}")
    return values


def _first(body: dict[str, Json], name: str) -> dict[str, Json]:
    values = _list(body, name) if name in body else []
    return values[0] if values and isinstance(values[0], dict) else {}


def _expect_text(text: Json) -> str:
    if not isinstance(text, str) or not text:
        raise _Unexpected("the answer has no text")
    return repr(text if len(text) <= 60 else text[:59] + "…")
