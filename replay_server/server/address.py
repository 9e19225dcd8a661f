"""What a URL path asks for, under all the prefixes that clients use."""

import re
from dataclasses import dataclass, field
from urllib.parse import quote

from replay_server.errors import BadRequest

SESSION_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

_SESSION_PREFIX = "/__replay/s/"
_DEPLOYMENT = re.compile(r"/openai/deployments/(?P<deployment>[^/]+)(?P<rest>/.+)")
_PREFIXES = ("/openai/v1/", "/v1/")


@dataclass(frozen=True, slots=True)
class Address:
    """A path without its prefixes. `session` is None where the path names none."""

    path: str
    session: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)


def locate(path: str) -> Address:
    """Take session, version and Azure's deployment off a path. Raises BadRequest for a session id that is none."""
    session = None
    if path.startswith(_SESSION_PREFIX):
        session, _, rest = path.removeprefix(_SESSION_PREFIX).partition("/")
        path = f"/{rest}"
        session_id(session)
    if deployment := _DEPLOYMENT.fullmatch(path):
        return Address(deployment["rest"], session, {"deployment": deployment["deployment"]})
    for prefix in _PREFIXES:
        if path.startswith(prefix):
            return Address(path[len(prefix) - 1 :], session)
    return Address(path, session)


def session_id(text: str) -> str:
    """The id of a session. Raises BadRequest."""
    if not SESSION_ID.fullmatch(text):
        raise BadRequest(
            f"the session id {text[:128]!r} is not 1 to 128 letters, digits, dots, underscores and hyphens",
            code="invalid_session",
        )
    return text


def header_value(text: str) -> str:
    """`text` as a header can carry it: percent-encoded where it is not plain ASCII."""
    return text if text.isascii() and text.isprintable() else quote(text, safe=" /#,._-")
