"""Nothing leaves this machine: sync, async, by name and by address."""

import asyncio
import socket
import threading
from typing import Any

import httpx
import pytest

from replay_server import ReplayServer
from replay_server.testing.network import NetworkBlocked, blocked
from tests.conftest import CASSETTES

SOMEWHERE = "203.0.113.1"  # an address for documentation: RFC 5737


def connect() -> None:
    with socket.socket() as sock:
        sock.connect((SOMEWHERE, 443))


def connect_ex() -> None:
    with socket.socket() as sock:
        sock.connect_ex((SOMEWHERE, 443))


def send() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendto(b"x", (SOMEWHERE, 443))


def get() -> None:
    httpx.get(f"https://{SOMEWHERE}")


@pytest.mark.parametrize("act", [connect, connect_ex, send, get], ids=lambda act: act.__name__)
def test_an_address_elsewhere_is_not_reached(act: Any) -> None:
    with blocked() as tried, pytest.raises(NetworkBlocked, match=r"tried to reach 203\.0\.113\.1:443"):
        act()

    assert tried == ["203.0.113.1:443"]


def test_a_name_is_not_even_resolved() -> None:
    with blocked() as tried, pytest.raises(NetworkBlocked, match=r"--allowed-hosts api\.example\.com"):
        httpx.get("https://api.example.com")

    assert tried == ["api.example.com:443"]


async def test_a_loop_does_not_get_round_it() -> None:
    with blocked() as tried:
        with pytest.raises(NetworkBlocked):
            await asyncio.open_connection(SOMEWHERE, 80)
        with pytest.raises(NetworkBlocked):
            await asyncio.open_connection("api.example.com", 80)

    assert tried == ["203.0.113.1:80", "api.example.com:80"]


def test_this_machine_is_reached() -> None:
    with ReplayServer(CASSETTES) as server, blocked() as tried:
        by_address = httpx.get(f"{server.base_url}/models", trust_env=False)
        by_name = httpx.get(f"{server.base_url}/models".replace("127.0.0.1", "localhost"), trust_env=False)

    assert (by_address.status_code, by_name.status_code, tried) == (200, 200, [])


def test_a_server_that_records_reaches_its_upstream() -> None:
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with socket.socket() as sock:
                sock.setblocking(False)
                sock.connect_ex((SOMEWHERE, 443))
        except NetworkBlocked as error:
            failed.append(error)

    with blocked():
        for name in ("replay-server", "another"):
            thread = threading.Thread(target=run, name=name)
            thread.start()
            thread.join()

    assert len(failed) == 1


def test_allowed_hosts_are_expressions_and_their_addresses_are_allowed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (SOMEWHERE, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: found)
    with blocked([r"api\."]) as tried:
        assert socket.getaddrinfo("api.example.com", 443) == found
        with socket.socket() as sock:
            sock.setblocking(False)
            sock.connect_ex((SOMEWHERE, 443))
        with pytest.raises(NetworkBlocked):
            socket.getaddrinfo("www.example.com", 443)

    assert tried == ["www.example.com:443"]


def test_sockets_are_as_before_afterwards() -> None:
    before = socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto, socket.getaddrinfo

    with blocked():
        assert socket.getaddrinfo is not before[3]

    assert (socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto, socket.getaddrinfo) == before
