"""Which API keys are accepted."""

import base64
import hmac
from collections.abc import Mapping, Sequence

from replay_server.errors import Unauthorized

_NO_KEY = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth"
    " (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the"
    " API from your browser and are prompted for a username and password."
)


class ApiKeys:
    """The keys that are accepted; none given: any or no key is."""

    def __init__(self, accepted: Sequence[str]) -> None:
        self._accepted = [key.encode() for key in accepted]

    def check(self, headers: Mapping[str, str]) -> None:
        """Raise Unauthorized unless a request with these headers may go on."""
        if not self._accepted:
            return
        key = _key(headers)
        if not key:
            raise Unauthorized(_NO_KEY)
        given = key.encode(errors="surrogateescape")
        # Every key is compared, each in constant time: the time taken tells nothing of them.
        if not sum(hmac.compare_digest(given, accepted) for accepted in self._accepted):
            raise Unauthorized(f"Incorrect API key provided: {_masked(key)}.", code="invalid_api_key")


def _key(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return _password(token) if scheme.lower() == "basic" else headers.get("api-key", "")


def _password(token: str) -> str:
    try:
        return base64.b64decode(token).decode().partition(":")[2]
    except ValueError:
        return ""


def _masked(key: str) -> str:
    """A key as the API shows it: nothing of a short one."""
    return key[:4] + "*" * (len(key) - 8) + key[-4:] if len(key) > 16 else "*" * len(key)
