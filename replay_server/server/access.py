"""Who may use the control API: this machine alone, or whoever has an admin key.

A web page in a developer's browser reaches this machine too. So the `Origin` of a request must be this machine, and
without keys its `Host` too: a name that an attacker's DNS server points at 127.0.0.1 is neither.
"""

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from replay_server.errors import ApiError
from replay_server.server.api_keys import ApiKeys

_CONTROL = re.compile(r"/__replay/(?!s/[^/]*/.|images/)")
_PROXIED = ("forwarded", "x-forwarded-for")


def is_control(path: str) -> bool:
    """Whether a path belongs to the control API: all of `/__replay/` but the API within a session, and pictures."""
    return _CONTROL.match(path) is not None


def is_loopback(host: str) -> bool:
    """Whether a name or an address can only be this machine."""
    name = host.strip("[]").lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


class Access:
    """Decides by peer, headers and key. `host` is the address that the server listens on."""

    def __init__(self, host: str, admin_keys: tuple[str, ...]) -> None:
        self._host = host
        self._keys = ApiKeys(admin_keys) if admin_keys else None

    def check(self, peer: str | None, headers: Mapping[str, str]) -> None:
        """Raise an ApiError unless a request from this address with these headers may go on."""
        host = headers.get("host", "")
        if self._keys is not None:
            self._keys.check(headers)
        else:
            self._check_peer(peer, headers)
            self._check_host(_name(f"//{host}"))
        origin = headers.get("origin")
        if origin is not None and not is_loopback(_name(origin)) and _name(origin) != _name(f"//{host}"):
            raise _forbidden(f"a page of {origin[:100]!r} may not use the control API")

    def _check_peer(self, peer: str | None, headers: Mapping[str, str]) -> None:
        if peer is None or not is_loopback(peer):
            raise _forbidden("the control API answers this machine only: serve with --admin-key KEY to let others in")
        if any(name in headers for name in _PROXIED):
            raise _forbidden("the control API answers no proxy: serve with --admin-key KEY to use it through one")

    def _check_host(self, name: str) -> None:
        if not is_loopback(name) and name != self._host:
            raise _forbidden(f"the control API is not called {name[:100]!r}: ask for 127.0.0.1")


LOOPBACK_ONLY = Access("127.0.0.1", ())
"""Without keys."""


def _name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _forbidden(problem: str) -> ApiError:
    return ApiError(problem, status=403, code="control_forbidden")
