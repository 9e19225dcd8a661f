"""The settings of a server: one value, built once, from options, environment, `replay.yaml` and defaults."""

from dataclasses import dataclass, field
from pathlib import Path

from replay_server.interaction import Pace

DEFAULT_PORT = 8080
DEFAULT_MAX_BODY = 64 * 1024 * 1024
"""Bytes. The live API takes images and audio of 25 MB."""


DEFAULT_UPSTREAM_TIMEOUT = 600.0
"""Seconds without a sign of life: what the client libraries bear themselves."""


DEFAULT_SESSION_AGE = 86_400.0
"""Seconds. A session that nobody has used for a day is nobody's."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where some requests go. `selector`: a glob of model names, a path prefix that starts with `/`, or empty for all.

    `api_key` takes the place of the client's own key, an empty one too: then none is sent. None: the client's goes on.
    """

    selector: str
    url: str
    api_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server is told. `on_miss`, `pace`, `validation`: None where neither option nor environment names them."""

    cassettes: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    on_miss: str | None = None
    api_keys: tuple[str, ...] = ()
    save_misses: Path | None = None
    max_body: int = DEFAULT_MAX_BODY
    upstreams: tuple[Upstream, ...] = ()
    record_mode: str = "none"
    record_errors: bool = False
    upstream_timeout: float = DEFAULT_UPSTREAM_TIMEOUT
    pace: Pace | None = None
    admin_keys: tuple[str, ...] = ()
    session_age: float = DEFAULT_SESSION_AGE
    watch: bool = False
    validation: str | None = None
    openapi: tuple[Path, ...] = ()
    """Descriptions of other APIs, to be answered beside OpenAI's."""
