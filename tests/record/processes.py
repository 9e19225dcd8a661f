"""Recording servers as processes of their own."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def serving(
    cassettes: Path, *options: str, launcher: Sequence[str] = ("-m", "replay_server"), **environment: str
) -> AsyncIterator[tuple[subprocess.Popen[str], str]]:
    """A server as a process, and its URL. It is killed at the end, if it still runs."""
    process = subprocess.Popen(
        [sys.executable, *launcher, "serve", "--cassettes", str(cassettes), "--port", "0", *options],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = await asyncio.to_thread(process.stdout.readline)
        started = re.search(r"(http://[\w.:]+)/v1", line)
        assert started, f"it did not start: {line!r}"
        yield process, started[1]
    finally:
        process.kill()
        await asyncio.to_thread(process.communicate)
