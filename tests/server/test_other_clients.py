"""Other clients that people use, over a socket. Their own warnings are theirs to mend."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

pytestmark = pytest.mark.filterwarnings("ignore")

HELLO: Any = [{"role": "user", "content": "Say hello."}]
WEATHER = "What is the weather in Paris and Rome?"
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


@pytest.fixture
def litellm(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The client, told to fetch nothing."""
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    module = pytest.importorskip("litellm")
    module.telemetry = False
    return module


async def test_litellm_gets_an_answer_plain_and_streamed(serve: Any, litellm: Any) -> None:
    server = await serve()
    options = {"model": "openai/gpt-4o-mini", "messages": HELLO, "api_base": f"{server.url}/v1", "api_key": "any"}

    plain = await litellm.acompletion(**options)
    stream = await litellm.acompletion(**options, stream=True)
    texts = [chunk.choices[0].delta.content or "" async for chunk in stream]

    assert plain.choices[0].message.content == "Hello! How can I help you today?"
    assert "".join(texts) == plain.choices[0].message.content


async def test_litellm_shows_what_a_miss_says(serve: Any, litellm: Any) -> None:
    server = await serve(on_miss="error")
    unknown = [{"role": "user", "content": "Nobody recorded this."}]

    # Older ones go by the error's type, newer ones by the status: neither is retried.
    with pytest.raises((litellm.NotFoundError, litellm.BadRequestError), match="no interaction for chat/completions"):
        await litellm.acompletion(
            model="openai/gpt-4o-mini", messages=unknown, api_base=f"{server.url}/v1", api_key="any"
        )


async def test_langchain_gets_text_tool_calls_and_a_stream(serve: Any) -> None:
    langchain = await asyncio.to_thread(pytest.importorskip, "langchain_openai")
    server = await serve()
    model = langchain.ChatOpenAI(model="gpt-4o-mini", base_url=f"{server.url}/v1", api_key="any")

    text = await model.ainvoke("Say hello.")
    called = await model.bind_tools([TOOL]).ainvoke(WEATHER)
    streamed = [chunk.content async for chunk in model.astream("Say hello.")]

    assert text.content == "Hello! How can I help you today?"
    assert [call["args"] for call in called.tool_calls] == [{"city": "Paris"}, {"city": "Rome"}]
    assert "".join(streamed) == text.content


@pytest.mark.parametrize("as_tokens", [False, True], ids=["texts", "token arrays"])
async def test_langchain_finds_the_nearest_text(serve: Any, as_tokens: bool, tiktoken_cache: Path) -> None:
    langchain = await asyncio.to_thread(pytest.importorskip, "langchain_openai")
    server = await serve()
    texts = ["The cat purrs on the sofa.", "Interest rates rose again.", "Bake the bread for an hour."]

    async with httpx.AsyncClient() as http:
        embedder = langchain.OpenAIEmbeddings(
            model="text-embedding-3-small",
            base_url=f"{server.url}/v1",
            api_key="any",
            check_embedding_ctx_length=as_tokens,
            http_async_client=http,
        )
        vectors = await embedder.aembed_documents(texts)
        asked = await embedder.aembed_query("How long do I bake bread?")

    near = [sum(a * b for a, b in zip(asked, vector, strict=True)) for vector in vectors]
    assert near.index(max(near)) == 2


async def test_langchain_is_answered_by_the_responses_api(serve: Any) -> None:
    langchain = await asyncio.to_thread(pytest.importorskip, "langchain_openai")
    server = await serve()
    model = langchain.ChatOpenAI(model="gpt-5", base_url=f"{server.url}/v1", api_key="any", use_responses_api=True)

    called = await model.bind_tools([TOOL], tool_choice="get_weather").ainvoke("The weather in Bergen?")
    text = await model.ainvoke("Say hello.")
    streamed = [chunk async for chunk in model.astream("Say hello.")]

    assert [call["args"] for call in called.tool_calls] == [{"city": "Bergen"}]
    assert text.text == "".join(chunk.text for chunk in streamed) != ""


async def test_agents_call_tools_and_hand_over(serve: Any) -> None:
    agents = await asyncio.to_thread(pytest.importorskip, "agents")
    server = await serve()
    asked = []

    @agents.function_tool
    def get_weather(city: str) -> str:
        asked.append(city)
        return f"It snows in {city}."

    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any") as client:
        model = agents.OpenAIResponsesModel("gpt-5", client)
        reporter = agents.Agent(name="Reporter", model=model, tools=[get_weather, agents.WebSearchTool()])
        desk = agents.Agent(name="Desk", model=model, handoffs=[reporter])
        quiet = agents.RunConfig(tracing_disabled=True)

        answer = await agents.Runner.run(reporter, "What is the weather in Bergen?", run_config=quiet)
        handed_over = await agents.Runner.run(desk, "Transfer me to the reporter.", run_config=quiet)
        stream = agents.Runner.run_streamed(reporter, "What is the weather in Oslo today?", run_config=quiet)
        events = [event.type async for event in stream.stream_events()]

    assert asked == ["Bergen", "Oslo"]
    assert answer.final_output
    assert handed_over.last_agent is reporter
    assert (stream.final_output != "", "raw_response_event" in events) == (True, True)
