"""What a URL path asks for, under all the prefixes that clients use, and which resource answers it."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias, Union

from replay_server.endpoints.apis import OPENAI, Apis
from replay_server.endpoints.base import Resource
from replay_server.endpoints.table import Routed, any_resource, find, operated
from replay_server.errors import ApiError, BadRequest, MethodNotAllowed, NotFound
from replay_server.interaction import RawRequest, Request

if TYPE_CHECKING:
    from replay_server.endpoints.operation import Operated

Unrecorded: TypeAlias = Union[ApiError, "Operated"]
"""What answers a request that no resource answers, where nobody has recorded another answer."""

OWN_PAGES = ("/", "/docs", "/docs/", "/healthz", "/openapi.json", "/readyz")
"""Where the server has pages of its own: these answer a GET, whatever was recorded."""
IMAGES = "/__replay/images"
"""Where the images lie that answers name by their URL."""
SESSION_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

_SESSION_PREFIX = "/__replay/s/"
_DEPLOYMENT = re.compile(r"/openai/deployments/(?P<deployment>[^/]+)(?P<rest>/.+)")
_PREFIXES = ("/openai/v1/", "/v1/")
_PATHS_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class Address:
    """A path without its prefixes. `session` is None where the path names none; `sent` is all of it but the session."""

    path: str
    session: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    sent: str = ""


def locate(path: str) -> Address:
    """Take session, version and Azure's deployment off a path. Raises BadRequest for a session id that is none."""
    session = None
    if path.startswith(_SESSION_PREFIX):
        session, _, rest = path.removeprefix(_SESSION_PREFIX).partition("/")
        path = f"/{rest}"
        session_id(session)
    if deployment := _DEPLOYMENT.fullmatch(path):
        return Address(deployment["rest"], session, {"deployment": deployment["deployment"]}, path)
    for prefix in _PREFIXES:
        if path.startswith(prefix):
            return Address(path[len(prefix) - 1 :], session, sent=path)
    return Address(path, session, sent=path)


def session_id(text: str) -> str:
    """The id of a session. Raises BadRequest."""
    if not SESSION_ID.fullmatch(text):
        raise BadRequest(
            f"the session id {text[:128]!r} is not 1 to 128 letters, digits, dots, underscores and hyphens",
            code="invalid_session",
        )
    return text


@lru_cache(_PATHS_REMEMBERED)
def place(path: str) -> tuple[Address, Routed | None]:
    """The address of a path, and the routes that it leads to: None where no module knows it.

    Another provider's prefix, such as `/api/v1/` or `/openrouter/v1/`, is taken off where a module knows what follows.
    """
    address = locate(path)
    routed = find(address.path)
    before, _, rest = address.path.partition("/v1/")
    if routed is None and before:
        prefixed = find(f"/{rest}")
        if prefixed or operated(f"/{rest}") or OPENAI.operated(f"/{rest}"):
            return Address(f"/{rest}", address.session, address.parameters, address.sent), prefixed
    return address, routed


def path_parameters(address: Address, routed: Routed | None, method: str) -> dict[str, str]:
    """What the path itself says: an id, Azure's deployment."""
    if routed is None or method not in routed.methods:
        return address.parameters
    return routed.methods[method][1] | address.parameters


def understand(
    raw: RawRequest, address: Address, routed: Routed | None, apis: Apis = OPENAI
) -> tuple[Resource, Request, Unrecorded | None]:
    """The request as the module that knows it reads it, else as any request, with what then answers it.

    That is an operation on what the session keeps or that a description tells of, or the error of the API for what it
    does not know.
    """
    if apis.claims(address.sent):  # a prefix of another API's own: nothing below it is OpenAI's
        address, routed = Address(address.sent, address.session, sent=address.sent), None
    if routed is not None and raw.method in routed.methods:
        try:
            return routed.resource, routed.resource.parse(raw), None
        except ApiError as error:
            unrecorded: Unrecorded = error
    else:
        unrecorded = _operation_or_error(raw.method, address, routed, apis)
    resource = any_resource(raw.method, address.path, known=not isinstance(unrecorded, ApiError))
    return resource, resource.parse(raw), unrecorded


def _operation_or_error(method: str, address: Address, routed: Routed | None, apis: Apis) -> Unrecorded:
    operations = operated(address.path)
    if method not in operations:
        operations = {**apis.operated(address.path, address.sent), **operations}
    if method in operations:
        return operations[method]
    if routed is None and not operations:
        return NotFound(f"Invalid URL ({method} {address.sent})")
    return MethodNotAllowed(f"Not allowed to {method} on {address.sent}.", code="method_not_supported")


def read_request(raw: RawRequest) -> tuple[Resource, Request]:
    """A request that was recorded elsewhere, as the server reads it when a client sends it."""
    address, routed = place(raw.path)
    addressed = raw._replace(parameters=path_parameters(address, routed, raw.method))
    resource, request, _ = understand(addressed, address, routed)
    return resource, request
