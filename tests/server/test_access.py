"""Who may use the control API."""

import asyncio
from typing import Any

import aiohttp
import pytest

from replay_server.errors import ApiError
from replay_server.server.access import Access, is_control, is_loopback

HOST = {"host": "127.0.0.1:8080"}


def status(access: Access, peer: str | None, headers: dict[str, str]) -> int:
    try:
        access.check(peer, headers)
    except ApiError as error:
        return error.status
    return 200


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        ("127.0.0.1", HOST, 200),
        ("127.8.8.8", HOST, 200),
        ("::1", {"host": "[::1]:8080"}, 200),
        ("::ffff:127.0.0.1", {"host": "localhost:8080"}, 200),
        ("127.0.0.1", {"host": "api.localhost"}, 200),
        ("127.0.0.1", {"host": "my-machine:8080"}, 200),
        ("192.168.1.7", HOST, 403),
        ("::ffff:10.0.0.1", HOST, 403),
        (None, HOST, 403),
        ("127.0.0.1", {}, 403),
        ("127.0.0.1", {"host": "evil.example:8080"}, 403),
        ("127.0.0.1", {"host": "127.0.0.1.evil.example"}, 403),
        ("127.0.0.1", {"host": "["}, 403),
        ("127.0.0.1", {**HOST, "x-forwarded-for": "10.1.1.1"}, 403),
        ("127.0.0.1", {**HOST, "forwarded": "for=10.1.1.1"}, 403),
        ("127.0.0.1", {**HOST, "origin": "http://localhost:3000"}, 200),
        ("127.0.0.1", {**HOST, "origin": "http://evil.example"}, 403),
        ("127.0.0.1", {**HOST, "origin": "null"}, 403),
    ],
    ids=str,
)
def test_without_keys_this_machine_alone(peer: str | None, headers: dict[str, str], expected: int) -> None:
    assert status(Access("my-machine", ()), peer, headers) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Authorization": "Bearer sesame"}, 200),
        ({"Authorization": "Bearer other"}, 401),
        ({}, 401),
        ({"Authorization": "Bearer sesame", "origin": "http://replay:8080"}, 200),
        ({"Authorization": "Bearer sesame", "origin": "http://evil.example"}, 403),
    ],
    ids=str,
)
def test_with_keys_whoever_has_one(headers: dict[str, str], expected: int) -> None:
    assert status(Access("0.0.0.0", ("sesame",)), "10.0.0.1", {"host": "replay:8080", **headers}) == expected


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1", "[::1]", "a.localhost"])
def test_names_of_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "localhost.example", "0.0.0.0", "10.0.0.1", "127.0.0.1.example", "::"])
def test_other_names(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("path", "control"),
    [
        ("/__replay/journal", True),
        ("/__replay/s", True),
        ("/__replay/s/one", True),
        ("/__replay/s/one/", True),
        ("/__replay/s/one/v1/models", False),
        ("/v1/models", False),
    ],
)
def test_the_api_within_a_session_is_no_control(path: str, control: bool) -> None:
    assert is_control(path) is control


async def ask(url: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str]]:
    async with aiohttp.ClientSession() as session, session.request(method, url, headers=headers) as response:
        return response.status, {name.lower(): value for name, value in response.headers.items()}


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "PUT"])
async def test_a_page_of_another_origin_is_told_nothing(serve: Any, method: str) -> None:
    server = await serve()

    status, headers = await ask(f"{server.url}/__replay/s", method, Origin="http://evil.example")

    assert status == 403
    assert [name for name in headers if name.startswith("access-control")] == []


async def test_the_api_within_a_session_stays_open_to_pages(serve: Any) -> None:
    server = await serve()

    status, headers = await ask(f"{server.url}/__replay/s/one/v1/models", Origin="http://evil.example")

    assert (status, headers["access-control-allow-origin"]) == (200, "*")


async def test_every_address_of_this_machine_is_this_machine(serve: Any) -> None:
    server = await serve(host="0.0.0.0")
    port = server.url.rpartition(":")[2]

    reader, writer = await asyncio.open_connection("127.0.0.1", int(port), local_addr=("127.0.0.2", 0))
    writer.write(b"GET /__replay/s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_an_admin_key_is_asked_for(serve: Any) -> None:
    server = await serve(admin_keys=("sesame",), api_keys=("other",))
    url = f"{server.url}/__replay/s"

    refused, _ = await ask(url, Authorization="Bearer other")
    let_in, _ = await ask(url, Authorization="Bearer sesame")

    assert (refused, let_in) == (401, 200)
