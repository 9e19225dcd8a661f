"""`--validation`: exact refuses what the live API refuses, lenient answers whatever can be read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import Serve

Write = Callable[[str, str], Path]
LENIENT = "validation: lenient\n"

REFUSED = {
    "no messages": ("POST", "/chat/completions", {"model": "gpt-4o"}),
    "no model": ("POST", "/chat/completions", {"messages": [{"role": "user", "content": "Hi"}]}),
    "nothing": ("POST", "/completions", {}),
    "a number for messages": ("POST", "/chat/completions", {"model": "gpt-4o", "messages": 7}),
    "more choices than there are": ("POST", "/completions", {"model": "gpt-4o", "prompt": "Hi", "n": 10**12}),
    "fewer than one": ("POST", "/completions", {"model": "gpt-4o", "prompt": "Hi", "n": -1}),
    "a broken schema": (
        *("POST", "/chat/completions"),
        {"model": "m", "messages": [], "response_format": {"type": "json_schema", "json_schema": {"schema": 7}}},
    ),
    "an unknown completion": ("GET", "/chat/completions/chatcmpl-x", None),
    "an unknown assistant": ("GET", "/assistants/x", None),
    "an unknown file": ("GET", "/files/x", None),
    "below what is unknown": ("POST", "/evals/x/runs", {}),
    "a page behind what is unknown": ("GET", "/assistants?after=x&limit=no", None),
    "what is no object": ("POST", "/assistants", [1]),
}


async def ask(url: str, method: str, path: str, body: Any) -> tuple[int, str, Any]:
    async with aiohttp.ClientSession() as http, http.request(method, f"{url}/v1{path}", json=body) as response:
        return response.status, response.headers["x-replay-source"], await response.json()


@pytest.mark.parametrize(("method", "path", "body"), REFUSED.values(), ids=REFUSED)
async def test_lenient_answers_what_exact_refuses(serve: Serve, method: str, path: str, body: Any) -> None:
    exact, lenient = await serve(), await serve(validation="lenient")

    refused = await ask(exact.url, method, path, body)
    status, source, _ = await ask(lenient.url, method, path, body)

    assert (400 <= refused[0] < 500, refused[1]) == (True, "error")
    assert (status < 300, source in ("generated", "state")) == (True, True)


async def test_a_body_that_cannot_be_read_is_refused_all_the_same(serve: Serve) -> None:
    server = await serve(validation="lenient")

    async with aiohttp.ClientSession() as http:
        for path in ("chat/completions", "assistants"):
            async with http.post(f"{server.url}/v1/{path}", data=b"{broken") as response:
                assert response.status == 400


async def test_an_object_of_an_unknown_id_has_that_id(serve: Serve) -> None:
    server = await serve(validation="lenient")

    _, _, thread = await ask(server.url, "GET", "/threads/thread_x", None)
    _, _, run = await ask(server.url, "POST", "/threads/thread_x/runs/run_y/cancel", None)
    _, _, gone = await ask(server.url, "DELETE", "/evals/eval_x", None)

    assert (thread["id"], thread["object"]) == ("thread_x", "thread")
    assert (run["id"], run["thread_id"], run["status"]) == ("run_y", "thread_x", "cancelled")
    assert gone == {"object": "eval.deleted", "deleted": True, "eval_id": "eval_x"}


async def test_the_option_goes_before_replay_yaml(serve: Serve, write: Write) -> None:
    directory = write("replay.yaml", LENIENT)
    by_file, by_option = await serve(directory), await serve(directory, validation="exact")

    found = await ask(by_file.url, "GET", "/assistants/x", None)
    refused = await ask(by_option.url, "GET", "/assistants/x", None)

    assert (found[0], refused[0]) == (200, 404)


@pytest.mark.parametrize("validation", ["exact", "lenient"])
async def test_a_recording_is_replayed_whatever_the_validation(serve: Serve, write: Write, validation: str) -> None:
    recorded = "endpoint: GET /evals/x\nrequest: {}\nresponse:\n  body: {recorded: true}\n"
    server = await serve(write("a.yaml", recorded), validation=validation)

    assert await ask(server.url, "GET", "/evals/x", None) == (200, "cassette", {"recorded": True})
