"""What every test shares: no environment of ours, and servers on a free port."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from replay_server.server.run import RunningServer
from replay_server.settings import Settings

pytest_plugins = ["pytester"]

CASSETTES = Path(__file__).parent.parent / "cassettes"


def size_of_cassettes() -> tuple[int, int]:
    """How many cassettes this project has of its own, and how many interactions are in them."""
    texts = [path.read_text(encoding="utf-8") for path in CASSETTES.glob("*.yaml")]
    return len(texts), sum(1 + text.count("\n---\n") for text in texts)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("REPLAY_SERVER_", "OPENAI_", "AZURE_OPENAI_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def tiktoken_cache(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The vocabularies that litellm brings along, as tiktoken caches them: nobody downloads one."""
    found = find_spec("litellm")
    assert found is not None
    assert found.origin is not None
    directory = Path(found.origin).parent / "litellm_core_utils" / "tokenizers"
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(directory))
    return directory


Serve = Callable[..., Awaitable[RunningServer]]


@pytest_asyncio.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start servers on port 0: `await serve(directory, on_miss="error", ...)`."""
    async with AsyncExitStack() as stack:

        async def start(cassettes: Path = CASSETTES, **settings: Any) -> RunningServer:
            server = RunningServer(Settings(cassettes=cassettes, port=0, **settings))
            await server.bind()
            stack.push_async_callback(server.stop)
            await server.index()
            return server

        yield start


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a cassette into a directory of the test's own, and return that directory."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / "cassettes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return tmp_path / "cassettes"

    return write
