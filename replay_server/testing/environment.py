"""The environment of a test: every client that reads it asks the server."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_KEYS = ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "ANTHROPIC_API_KEY")
_KEY = "replay-server"
_HERE = "127.0.0.1,localhost"


@contextmanager
def pointing_at(url: str, *, keep_keys: bool) -> Iterator[None]:
    """Set the variables of the clients. `keep_keys`: an upstream wants the keys that are there."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):  # the second one is older, and LangChain's
            patch.setenv(name, f"{url}/v1")
        for name in ("AZURE_OPENAI_ENDPOINT", "ANTHROPIC_BASE_URL"):
            patch.setenv(name, url)
        for name in _KEYS:
            if not (keep_keys and os.environ.get(name)):
                patch.setenv(name, _KEY)
        for name in ("NO_PROXY", "no_proxy"):  # no proxy knows this machine's ports
            patch.setenv(name, ",".join(filter(None, (os.environ.get(name), _HERE))))
        yield
