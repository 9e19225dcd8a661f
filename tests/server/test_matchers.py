"""Matchers as a client meets them, over a socket."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import openai
import pytest
import pytest_asyncio

from tests.commands.test_commands import serving, url_of
from tests.server.test_http import post

Write = Callable[[str, str], Path]

CASSETTE = """\
request: {model: gpt-4o, messages: [{role: user, content: The weather in Rome?}]}
response: {content: By its key.}
---
match:
  model: gpt-4*
  last_user: {regex: "weather in (?P<city>[A-Z][a-z]+)"}
response:
  content: It rains in {{ city }}.
---
match:
  last_user: {regex: "look up (?P<city>[A-Z]\\\\w*)"}
  has_tool_result: false
  json: "tools[?function.name == 'get_weather']"
response:
  tool_calls:
    - name: get_weather
      arguments: {city: "{{ city }}", days: "{{ turn + 1 }}", note: "for {{ header['x-team'] | default('all') }}"}
---
match:
  has_tool_result: true
response:
  deltas: ["In {{ arguments.city }}: ", "{{ tool_result }}."]
---
match:
  last_user: {contains: structured}
response:
  json: {model: "{{ model }}", temperature: "{{ request.temperature }}", all: "{{ model }} at {{ turn }}"}
---
match:
  last_user: {contains: "again"}
response:
  - content: First to {{ last_user }}
  - error: {status: 429, message: "{{ model }} is busy", headers: {retry-after: "{{ turn }}"}}
repeat: cycle
---
match:
  last_user: recorded
response:
  body: {said: "{{ as it came }}"}
---
match:
  last_user: broken
response:
  content: "{{ request.metadata.user }}"
---
match:
  endpoint: completions
  last_user: {regex: "^(?P<start>\\\\w+) upon"}
response:
  content: "{{ start }} again"
---
match:
  endpoint: POST /rerank
  json: body.input
response:
  body: {data: []}
---
match:
  header: {x-team: red}
response:
  content: To the red team.
"""
TOOLS: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]


def said(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


@pytest_asyncio.fixture
async def url(serve: Any, write: Write) -> str:
    server = await serve(write("rules.yaml", CASSETTE), on_miss="error")
    return str(server.url)


@pytest_asyncio.fixture
async def client(url: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{url}/v1", api_key="any", max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


async def test_a_matcher_answers_with_values_of_the_request(client: openai.AsyncOpenAI) -> None:
    raw = await client.chat.completions.with_raw_response.create(
        model="gpt-4o", messages=said("Say, the weather in Oslo?")
    )

    assert raw.parse().choices[0].message.content == "It rains in Oslo."
    assert raw.parse().model == "gpt-4o-2024-08-06"
    assert raw.headers["x-replay-source"] == "matcher"
    assert raw.headers["x-replay-interaction"] == "rules.yaml#2"
    assert len(raw.headers["x-replay-key"]) == 16


async def test_a_key_goes_before_a_matcher(client: openai.AsyncOpenAI) -> None:
    raw = await client.chat.completions.with_raw_response.create(model="gpt-4o", messages=said("The weather in Rome?"))

    assert raw.parse().choices[0].message.content == "By its key."
    assert raw.headers["x-replay-source"] == "cassette"


async def test_a_matched_answer_is_streamed(client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(model="gpt-4", messages=said("weather in Bern"), stream=True)

    text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

    assert text == "It rains in Bern."


async def test_an_agent_is_led_through_a_tool_call(client: openai.AsyncOpenAI) -> None:
    messages = said("Please look up Lima")
    first = await client.chat.completions.create(
        model="m", messages=messages, tools=TOOLS, extra_headers={"x-team": "blue"}
    )
    (call,) = first.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert call.function.arguments == '{"city":"Lima","days":1,"note":"for blue"}'

    messages += [first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "30 degrees"}]
    second = await client.chat.completions.create(model="m", messages=messages, tools=TOOLS)

    assert second.choices[0].message.content == "In Lima: 30 degrees."


async def test_templated_tool_calls_and_deltas_are_streamed(client: openai.AsyncOpenAI) -> None:
    async with client.chat.completions.stream(model="m", messages=said("look up Lima"), tools=TOOLS) as stream:
        final = await stream.get_final_completion()

    (call,) = final.choices[0].message.tool_calls or []
    assert call.function.arguments == '{"city":"Lima","days":1,"note":"for all"}'


async def test_json_takes_values_as_they_are(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="m", messages=said("structured"), temperature=0.5)

    assert answer.choices[0].message.content == '{"model":"m","temperature":0.5,"all":"m at 0"}'


async def test_what_is_not_in_the_key_makes_another_answer(client: openai.AsyncOpenAI) -> None:
    asked: dict[str, Any] = {"model": "m", "messages": said("structured")}

    answers = [await client.chat.completions.create(**asked, temperature=value) for value in (0, 1, 0)]

    assert [answer.choices[0].message.content for answer in answers] == [
        f'{{"model":"m","temperature":{value},"all":"m at 0"}}' for value in (0, 1, 0)
    ]


async def test_a_sequence_of_a_matcher_keeps_its_place_for_each_session(url: str) -> None:
    found = []
    for session, text in (("a", "again x"), ("b", "again y"), ("a", "again z"), ("a", "once again")):
        asked = {"model": "m", "messages": said(text)}
        status, headers, body = await post(f"{url}/__replay/s/{session}/v1/chat/completions", asked)
        found.append(
            (status, body["error"]["message"], headers["retry-after"])
            if status == 429
            else (status, body["choices"][0]["message"]["content"])
        )

    assert found == [
        (200, "First to again x"),
        (200, "First to again y"),
        (429, "m is busy", "0"),
        (200, "First to once again"),
    ]


async def test_a_recorded_body_is_answered_as_it_stands(url: str) -> None:
    status, headers, body = await post(f"{url}/v1/chat/completions", {"model": "m", "messages": said("recorded")})

    assert (status, headers["x-replay-source"], body) == (200, "matcher", {"said": "{{ as it came }}"})


async def test_a_template_that_fails_names_file_and_line(url: str) -> None:
    status, headers, body = await post(f"{url}/v1/chat/completions", {"model": "m", "messages": said("broken")})

    assert (status, headers["x-replay-source"], body["error"]["code"]) == (422, "error", "template_failed")
    assert body["error"]["message"].endswith(
        "rules.yaml:44: interaction 8: response.content: the template failed: there is no 'metadata' in it"
    )


async def test_other_endpoints_have_matchers_of_their_own(url: str, client: openai.AsyncOpenAI) -> None:
    completion = await client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Once upon a time")
    status, headers, body = await post(f"{url}/v1/rerank", {"model": "m", "input": "x"})

    assert completion.choices[0].text == "Once again"
    assert (status, headers["x-replay-interaction"], body) == (200, "rules.yaml#10", {"data": []})


async def test_a_header_is_a_condition(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model="m", messages=said("Who am I?"), extra_headers={"X-Team": "red"}
    )

    assert answer.choices[0].message.content == "To the red team."


async def test_a_miss_names_the_nearest_matcher(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        await client.chat.completions.create(model="gpt-4o", messages=said("The weather at sea?"))

    assert (
        "\nnearest matcher: rules.yaml#2, last_user: must match 'weather in (?P<city>[A-Z][a-z]+)',"
        " is 'The weather at sea?'\n"
    ) in str(caught.value.body["message"] if isinstance(caught.value.body, dict) else "")


async def test_what_no_matcher_answers_is_generated(serve: Any, write: Write) -> None:
    server = await serve(write("rules.yaml", CASSETTE))

    status, headers, _ = await post(f"{server.url}/v1/chat/completions", {"model": "m", "messages": said("Hi.")})

    assert (status, headers["x-replay-source"]) == (200, "generated")


async def test_processes_with_other_hash_seeds_answer_alike(write: Write) -> None:
    directory = write("rules.yaml", CASSETTE)
    texts = []
    for seed in ("0", "4242"):
        with serving("--cassettes", str(directory), PYTHONHASHSEED=seed) as (_, line):
            for stream in (False, True):
                asked = {"model": "gpt-4", "messages": said("weather in Oslo"), "stream": stream}
                status, headers, body = await post(f"{url_of(line)}/v1/chat/completions", asked, parse=False)
                del headers["date"]
                texts.append((status, dict(headers), body))

    assert texts[:2] == texts[2:]
