"""Status and headers of a response in a cassette: which of an upstream's are kept, and what they may be."""

from collections.abc import Mapping

from replay_server.endpoints.base import BadField
from replay_server.endpoints.short_form import optional
from replay_server.interaction import Json, JsonObject

JSON = "application/json"
EVENT_STREAM = "text/event-stream; charset=utf-8"

# What clients act on or show. An allow-list: a header that nobody thought of may hold a secret.
_KEPT = frozenset(
    {
        "x-request-id",
        "openai-processing-ms",
        "openai-version",
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
    }
)
_KEPT_PREFIX = "x-ratelimit-"
# They describe how the answer travels, and the server writes them itself.
_OWN = ("content-length", "transfer-encoding", "connection", "content-encoding", "date")


def write_head(status: int, headers: Mapping[str, str], content_type: str) -> dict[str, Json]:
    """`status` and `headers` as they stand in a cassette, without what is usual: 200, and this content type."""
    kept: dict[str, Json] = {
        name.lower(): value for name, value in headers.items() if _is_kept(name.lower(), value, content_type)
    }
    head: dict[str, Json] = {} if status == 200 else {"status": status}
    return {**head, "headers": kept} if kept else head


def _is_kept(name: str, value: str, content_type: str) -> bool:
    if _breaks(value) or not _is_name(name):
        return False
    return name in _KEPT or name.startswith(_KEPT_PREFIX) or (name == "content-type" and value != content_type)


def read_status(fields: JsonObject) -> int:
    """The status of a response; 200 where it is absent."""
    status = optional(fields, "status", int)
    if status is not None and not 200 <= status <= 599:
        raise BadField(("status",), f"must be an HTTP status from 200 to 599, not {status}")
    return 200 if status is None else status


def read_headers(fields: JsonObject) -> Mapping[str, str]:
    """The headers of a response, with names in lower case."""
    headers: dict[str, str] = {}
    for name, value in (optional(fields, "headers", dict) or {}).items():
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise BadField(("headers", name), f"must be a text, not {value!r}")
        if name.lower() in _OWN:
            raise BadField(("headers", name), "is written by the server: remove it")
        if not _is_name(name) or _breaks(str(value)):
            raise BadField(("headers", name), "is no HTTP header: a name of letters and -, a value of one ASCII line")
        headers[name.lower()] = str(value)
    return headers


def _is_name(name: str) -> bool:
    return name.isascii() and name.replace("-", "").replace("_", "").isalnum()


def _breaks(value: str) -> bool:
    return not (value.isascii() and value.isprintable())
