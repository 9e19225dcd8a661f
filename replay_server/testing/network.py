"""No connection to anywhere but this machine: what a test tries all the same fails, and is named."""

import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from replay_server.server.access import is_loopback

_SERVER_THREADS = "replay-server"
"""A server that records asks its upstream, which its user has named."""


class NetworkBlocked(RuntimeError):
    """Something tried to leave this machine."""


class _Guard:
    """Judges addresses. `allowed`: regular expressions of hosts, each matched from its start."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = [re.compile(pattern) for pattern in allowed]
        self._resolved: set[str] = set()
        self.tried: list[str] = []

    def connecting(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """The method of a socket, for allowed addresses only. An address that is no pair lies on this machine."""

        def guarded(sock: socket.socket, *arguments: Any) -> Any:
            address = arguments[-1]
            if isinstance(address, tuple) and sock.family in (socket.AF_INET, socket.AF_INET6):
                try:
                    self._check(str(address[0]), address[1])
                except NetworkBlocked:
                    sock.close()  # its owner expects other errors, and would leave it open
                    raise
            return act(sock, *arguments)

        return guarded

    def resolving(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """`socket.getaddrinfo`, for allowed names only: a message then has the name, and no DNS server is asked."""

        def guarded(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
            name = host.decode(errors="replace") if isinstance(host, bytes) else host
            if name and not _is_address(name):
                self._check(name, port)
            found = act(host, port, *arguments, **options)
            self._resolved.update(str(each[4][0]) for each in found if name and not _is_address(name))
            return found

        return guarded

    def _check(self, host: str, port: Any) -> None:
        if self._is_allowed(host) or threading.current_thread().name.startswith(_SERVER_THREADS):
            return
        tried = f"{host}:{port}"
        self.tried.append(tried)
        raise NetworkBlocked(
            f"Network is disabled: the test tried to reach {tried}; let it go there with"
            f" --allowed-hosts {host}, or @pytest.mark.block_network(allowed_hosts=[{host!r}])"
        )

    def _is_allowed(self, host: str) -> bool:
        return is_loopback(host) or host in self._resolved or any(pattern.match(host) for pattern in self._allowed)


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return True
    return False


@contextmanager
def blocked(allowed: Sequence[str] = ()) -> Iterator[list[str]]:
    """Let nothing leave this machine but to allowed hosts. Yields what has been tried, as it comes."""
    guard = _Guard(allowed)
    with pytest.MonkeyPatch.context() as patch:
        for method in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, method, guard.connecting(getattr(socket.socket, method)))
        patch.setattr(socket, "getaddrinfo", guard.resolving(socket.getaddrinfo))
        yield guard.tried
