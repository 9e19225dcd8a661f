"""GET /metrics, read as Prometheus reads it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from replay_server.replay.measures import Histogram
from replay_server.settings import Upstream
from tests.record.upstreams import chat_events, upstream

HELLO = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello."}]}
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def scrape(http: aiohttp.ClientSession, url: str) -> Samples:
    async with http.get(f"{url}/metrics") as response:
        assert (response.status, response.content_type) == (200, "text/plain")
        families = list(text_string_to_metric_families(await response.text()))
    return {
        (each.name, tuple(sorted(each.labels.items()))): each.value for family in families for each in family.samples
    }


async def ask(http: aiohttp.ClientSession, url: str, pace: str = "instant", **fields: Any) -> bytes:
    headers = {"x-replay-pace": pace}
    async with http.post(f"{url}/v1/chat/completions", json={**HELLO, **fields}, headers=headers) as response:
        return await response.read()


def count(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((f"replay_server_{name}", tuple(sorted(labels.items()))), 0.0)


async def test_requests_are_counted_by_endpoint_source_and_status(serve: Any, http: Any) -> None:
    server = await serve()
    for fields in ({}, {"stream": True}, {"messages": "none"}):
        await ask(http, server.url, **fields)
    async with http.get(f"{server.url}/v1/made/up"):
        pass

    samples = await scrape(http, server.url)

    requests = {key[1]: value for key, value in samples.items() if key[0] == "replay_server_requests_total"}
    assert requests == {
        (("endpoint", "chat/completions"), ("source", "cassette"), ("status", "200")): 2.0,
        (("endpoint", "chat/completions"), ("source", "error"), ("status", "400")): 1.0,
        (("endpoint", "other"), ("source", "error"), ("status", "404")): 1.0,
    }


async def test_the_interactions_that_are_loaded_are_told(serve: Any, write: Any, http: Any) -> None:
    server = await serve(write("a.yaml", "match: {model: m}\nresponse: {content: Hello!}\n"))

    assert count(await scrape(http, server.url), "interactions") == 1


async def test_answers_and_streams_are_timed_from_request_to_first_byte(serve: Any, http: Any) -> None:
    server = await serve()
    for fields in ({}, {"stream": True}):
        await ask(http, server.url, **fields)
        await ask(http, server.url, "ttft=30ms", **fields)

    samples = await scrape(http, server.url)

    assert count(samples, "answer_begun_seconds_count", source="cassette") == 4
    assert count(samples, "answer_begun_seconds_bucket", source="cassette", le="0.025") <= 2
    assert count(samples, "first_event_seconds_count", source="cassette") == 2
    assert count(samples, "first_event_seconds_bucket", source="cassette", le="0.025") <= 1
    assert count(samples, "answer_begun_seconds_sum", source="cassette") >= 0.06


async def test_a_fault_that_delays_an_answer_is_in_its_time_and_one_that_spoils_it_is_not_timed(
    serve: Any, http: Any
) -> None:
    server = await serve()
    for fault in ("delay=30ms", "malformed"):
        headers = {"x-replay-fault": fault}
        async with http.post(
            f"{server.url}/v1/chat/completions", json={**HELLO, "stream": True}, headers=headers
        ) as got:
            await got.read()

    samples = await scrape(http, server.url)

    begun = {key: value for key, value in samples.items() if key[0] == "replay_server_first_event_seconds_count"}
    assert list(begun.values()) == [1]
    assert count(samples, "first_event_seconds_sum", source="cassette") >= 0.03


async def test_each_event_that_is_waited_for_has_its_lateness(serve: Any, http: Any) -> None:
    server = await serve()
    before = await scrape(http, server.url)
    frames = (await ask(http, server.url, "ttft=1ms,itl=1ms", stream=True)).count(b"data: {")

    samples = await scrape(http, server.url)

    waited = count(samples, "event_lateness_seconds_count")
    assert (count(before, "event_lateness_seconds_count"), waited) == (0.0, waited)
    assert 2 <= waited < frames


async def test_a_stream_is_open_until_it_has_ended(serve: Any, http: Any) -> None:
    server = await serve()
    headers = {"x-replay-pace": "ttft=1ms,itl=3600s"}
    async with http.post(f"{server.url}/v1/chat/completions", json={**HELLO, "stream": True}, headers=headers) as paced:
        await paced.content.readline()
        during = count(await scrape(http, server.url), "open_streams")
    async with asyncio.timeout(10):
        while count(await scrape(http, server.url), "open_streams"):
            continue  # until the server has seen that its client has left

    assert during == 1


async def test_a_stream_that_is_passed_on_is_open_and_timed_too(serve: Any, tmp_path: Any, http: Any) -> None:
    ends = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for at, frame in enumerate(chat_events("Hello!")):
            await (response.write(frame) if at == 0 else _after(ends, response, frame))
        return response

    async with upstream(answer) as url:
        server = await serve(tmp_path, upstreams=(Upstream("", url),))
        async with http.post(f"{server.url}/v1/chat/completions", json={**HELLO, "stream": True}) as passed:
            await passed.content.readline()
            during = await scrape(http, server.url)
            ends.set()
            await passed.read()

    assert count(during, "open_streams") == 1
    assert count(during, "first_event_seconds_count", source="upstream") == 1


async def _after(event: asyncio.Event, response: web.StreamResponse, frame: bytes) -> None:
    await event.wait()
    await response.write(frame)


async def test_servers_in_one_process_count_for_themselves(serve: Any, http: Any) -> None:
    one, two = await serve(), await serve()
    await ask(http, one.url)

    counts = [
        count(await scrape(http, server.url), "answer_begun_seconds_count", source="cassette") for server in (one, two)
    ]

    assert counts == [1, 0]


async def test_without_its_package_the_page_says_what_to_install(
    serve: Any, http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "replay_server.server.metrics", raising=False)
    server = await serve()

    async with http.get(f"{server.url}/metrics") as response:
        error = (await response.json())["error"]

    assert (response.status, error["code"]) == (501, "no_metrics")
    assert error["message"] == "/metrics needs the package prometheus-client: pip install 'replay-server[metrics]'"


@given(st.lists(st.floats(min_value=-1, max_value=100)))
def test_many_values_are_counted_as_each_of_them_is(values: list[float]) -> None:
    together, one_by_one = Histogram(), Histogram()

    together.observe_all(values)
    for value in values:
        one_by_one.observe(value)

    assert together.buckets() == one_by_one.buckets()
    assert together.total == pytest.approx(one_by_one.total)


def test_a_value_is_counted_at_its_bound_and_below_and_a_clock_that_was_set_back_takes_nothing_off() -> None:
    histogram = Histogram((0.1, 1.0))

    for value in (0.1, 0.5, 1.0, 2.0, -3.0):
        histogram.observe(value)

    assert histogram.buckets() == [("0.1", 2.0), ("1.0", 4.0), ("+Inf", 5.0)]
    assert histogram.total == pytest.approx(3.6)
