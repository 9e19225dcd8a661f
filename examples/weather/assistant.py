"""An assistant that looks up the weather before it answers. Nothing here knows that it is tested."""

import json
from collections.abc import AsyncIterator
from typing import Any

from openai import AsyncOpenAI, OpenAI

MODEL = "gpt-4o-mini"
WEATHER = {"Paris": "rain, 12 degrees", "Rome": "sun, 24 degrees"}
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


def answer(question: str) -> str:
    """Ask the model, call the tools that it wants, and ask again."""
    messages: list[Any] = [{"role": "user", "content": question}]
    with OpenAI() as client:
        while True:
            completion = client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS)
            message = completion.choices[0].message
            if not message.tool_calls:
                return message.content or ""
            messages.append({"role": "assistant", "tool_calls": [call.model_dump() for call in message.tool_calls]})
            for call in message.tool_calls:
                city = json.loads(call.function.arguments)["city"]
                messages.append({"role": "tool", "tool_call_id": call.id, "content": WEATHER[city]})


async def spoken(question: str) -> AsyncIterator[str]:
    """The answer, word by word as it comes."""
    async with AsyncOpenAI() as client:
        stream = await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": question}], stream=True
        )
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content
