"""The options of a server as people give them, on the command line and in Python: read, checked, made one value."""

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from replay_server.errors import UsageError
from replay_server.interaction import Pace
from replay_server.settings import (
    DEFAULT_MAX_BODY,
    DEFAULT_PORT,
    DEFAULT_SESSION_AGE,
    DEFAULT_UPSTREAM_TIMEOUT,
    Settings,
    Upstream,
)

ON_MISS = ("generate", "error", "upstream")
RECORD_MODES = ("none", "once", "new_episodes", "all")
VALIDATION = ("exact", "lenient")


def read_settings(
    *,
    cassettes: Path,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    on_miss: str | None = None,
    strict: bool = False,
    api_keys: Sequence[str] = (),
    admin_keys: Sequence[str] = (),
    save_misses: Path | None = None,
    max_body: int = DEFAULT_MAX_BODY,
    upstreams: Sequence[str] = (),
    api_key_variables: Sequence[str] = (),
    record_mode: str = "none",
    record_errors: bool = False,
    upstream_timeout: float = DEFAULT_UPSTREAM_TIMEOUT,
    pace: str | None = None,
    session_age: float = DEFAULT_SESSION_AGE,
    watch: bool = False,
    validation: str | None = None,
    openapi: Sequence[Path] = (),
) -> Settings:
    """The settings that options give. Raises UsageError."""
    check_word("--on-miss", on_miss, ON_MISS)
    check_word("--record-mode", record_mode, RECORD_MODES)
    check_word("--validation", validation, VALIDATION)
    if strict and on_miss == "generate":
        raise UsageError("--strict and --on-miss generate contradict each other: leave one out")
    settings = Settings(
        cassettes=cassettes,
        host=host,
        port=port,
        on_miss="error" if strict else on_miss,
        api_keys=tuple(api_keys),
        admin_keys=tuple(admin_keys),
        save_misses=save_misses,
        max_body=max_body,
        upstreams=_upstreams(upstreams, api_key_variables, api_keys),
        record_mode=record_mode,
        record_errors=record_errors,
        upstream_timeout=upstream_timeout,
        pace=None if pace is None else read_pace_option(pace),
        session_age=session_age,
        watch=watch,
        validation=validation,
        openapi=tuple(openapi),
    )
    _check_recording(settings)
    _check_watching(settings)
    return settings


def read_pace_option(text: str, option: str = "--pace") -> Pace:
    """The pace that an option names. Raises UsageError."""
    from replay_server.pace import BadPace, parse_pace  # nobody needs it who wants no pace

    try:
        return parse_pace(text)
    except BadPace as error:
        raise UsageError(f"{option}: {error}") from None


def check_word(option: str, word: str | None, words: Sequence[str]) -> None:
    """Raise UsageError for a word that is none of these, as the command line says it."""
    if word is not None and word not in words:
        raise UsageError(f"Invalid value for '{option}': {word!r} is not one of {', '.join(map(repr, words))}")


def _upstreams(upstreams: Sequence[str], variables: Sequence[str], api_keys: Sequence[str]) -> tuple[Upstream, ...]:
    if not upstreams and not variables:
        return ()
    from replay_server.record.upstream_url import read_upstreams

    found = read_upstreams(upstreams, variables, os.environ)
    if api_keys and any(upstream.api_key is None for upstream in found):
        raise UsageError(
            "--api-key guards this server, so the clients' keys are not for the upstream: name the variable of its key"
            " with --api-key-env, or pass --api-key-env '' if it needs none"
        )
    return found


def _check_recording(settings: Settings) -> None:
    if settings.upstreams:
        return
    if settings.record_mode != "none":
        raise UsageError(f"--record-mode {settings.record_mode} needs an upstream: add --upstream URL")
    if settings.on_miss == "upstream":
        raise UsageError("--on-miss upstream needs an upstream: add --upstream URL")


def _check_watching(settings: Settings) -> None:
    if settings.watch and find_spec("watchfiles") is None:
        raise UsageError("--watch needs the package watchfiles: pip install 'replay-server[watch]'")
