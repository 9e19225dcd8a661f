"""The settings of a server: one value, built once, from options, environment, `replay.yaml` and defaults."""

from dataclasses import dataclass
from pathlib import Path

DEFAULT_PORT = 8080
DEFAULT_MAX_BODY = 64 * 1024 * 1024
"""Bytes. The live API takes images and audio of 25 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server is told. `on_miss` is None where neither option nor environment names it."""

    cassettes: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    on_miss: str | None = None
    api_keys: tuple[str, ...] = ()
    save_misses: Path | None = None
    max_body: int = DEFAULT_MAX_BODY
