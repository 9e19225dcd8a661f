"""A server on this project's cassettes, and a client that takes no answer but those of the API's own form."""

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest_asyncio

from replay_server.server.run import RunningServer
from tests.server.clients import strict_client


@pytest_asyncio.fixture
async def server(serve: Any) -> RunningServer:
    running: RunningServer = await serve()
    return running


@pytest_asyncio.fixture
async def client(server: RunningServer) -> AsyncIterator[openai.AsyncOpenAI]:
    async with strict_client(server) as client:
        yield client
