"""Servers that record."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from replay_server.server.run import RunningServer
from replay_server.settings import Upstream

Recorder = Callable[..., Awaitable[RunningServer]]


@pytest.fixture
def cassettes(tmp_path: Path) -> Path:
    """Where they record to. It is not there yet."""
    return tmp_path / "cassettes"


@pytest.fixture
def recorder(serve: Any, cassettes: Path) -> Recorder:
    """Start a server that records everything new: `await recorder(upstream_url, record_mode="all", ...)`."""

    async def start(*urls: str | Upstream, **settings: Any) -> RunningServer:
        upstreams = tuple(Upstream("", url) if isinstance(url, str) else url for url in urls)
        return await serve(cassettes, **{"upstreams": upstreams, "record_mode": "new_episodes", **settings})

    return start
