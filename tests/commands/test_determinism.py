"""The same request gets the same bytes from any process, whatever its hash seed."""

from typing import Any

import orjson

from tests.commands.test_commands import serving, url_of
from tests.server.test_http import post

UNKNOWN: list[Any] = [{"role": "user", "content": "What is the weather in Oslo, and why?"}]
TOOL: Any = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
SCHEMA: Any = {
    "type": "object",
    "properties": {"b": {"enum": ["x", "y", "z"]}, "a": {"type": "array", "items": {"type": "number"}}},
}
STRUCTURED: Any = {"type": "json_schema", "json_schema": {"name": "s", "schema": SCHEMA}}
CHATS: list[dict[str, Any]] = [
    {"messages": [{"role": "user", "content": "Say hello."}]},
    {"messages": [{"role": "user", "content": "Is the job done?"}]},
    {"messages": UNKNOWN, "n": 2, "logprobs": True, "top_logprobs": 3},
    {"messages": UNKNOWN, "tools": [TOOL], "tool_choice": "required"},
    {"messages": UNKNOWN, "response_format": STRUCTURED},
    {"messages": UNKNOWN, "temperature": 9},
]


async def answers(url: str) -> bytes:
    found = []
    for chat in CHATS:
        for stream in (False, True):
            asked = {"model": "gpt-4o-mini", **chat, "stream": stream}
            status, headers, body = await post(f"{url}/v1/chat/completions", asked, parse=False)
            del headers["date"]
            found.append([status, headers, body.decode()])
    return orjson.dumps(found, option=orjson.OPT_INDENT_2)


async def test_processes_with_other_hash_seeds_answer_alike() -> None:
    texts = []
    for seed in ("0", "1", "4242"):
        with serving(PYTHONHASHSEED=seed) as (_, line):
            texts.append(await answers(url_of(line)))

    assert texts[0] == texts[1] == texts[2]
