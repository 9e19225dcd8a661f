"""Images, to the client that people use: real pictures, in the answer, behind a URL, and as they come into being."""

import base64
import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import openai
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from replay_server.fallback.pictures import picture
from replay_server.server.run import RunningServer
from tests.described import EVENTS, faults
from tests.server.clients import strict_client

Write = Callable[[str, str], Path]

CAT = picture("cat", 64, 64)
UPLOAD = ("cat.png", CAT, "image/png")


async def post(url: str, **options: Any) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, **options) as response,
    ):
        return response.status, await response.json()


def shown(data: bytes | str) -> tuple[str | None, tuple[int, int]]:
    image = Image.open(io.BytesIO(base64.b64decode(data) if isinstance(data, str) else data))
    image.load()
    return image.format, image.size


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
async def test_a_picture_has_the_size_and_the_format_that_were_asked(client: openai.AsyncOpenAI, form: Any) -> None:
    answer = await client.images.generate(model="gpt-image-1", prompt="A cat.", size="1536x1024", output_format=form)

    assert answer.data is not None
    assert [shown(image.b64_json or "") for image in answer.data] == [(form.upper(), (1536, 1024))]
    assert (answer.size, answer.output_format, answer.quality) == ("1536x1024", form, "medium")
    assert answer.usage is not None
    assert answer.usage.output_tokens == 1568


async def test_each_picture_of_an_answer_and_of_a_prompt_is_another(client: openai.AsyncOpenAI) -> None:
    pictures = [
        image.b64_json
        for prompt in ("A cat.", "A dog.")
        for image in (await client.images.generate(model="gpt-image-1", prompt=prompt, n=3)).data or []
    ]

    assert len(set(pictures)) == 6


async def test_a_url_leads_to_the_picture_without_a_key(serve: Any) -> None:
    server = await serve(api_keys=("secret",))
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="secret") as client:
        answer = await client.images.generate(model="dall-e-3", prompt="A cat.", size="1792x1024")

    (image,) = answer.data or []
    assert image.url is not None
    assert image.url.startswith(f"{server.url}/__replay/images/")
    async with aiohttp.ClientSession() as session, session.get(image.url) as response:
        assert (response.status, response.content_type) == (200, "image/png")
        assert shown(await response.read()) == ("PNG", (1792, 1024))


async def test_a_url_outlives_its_server(serve: Any) -> None:
    first, second = await serve(), await serve()
    async with strict_client(first) as client:
        (image,) = (await client.images.generate(model="dall-e-2", prompt="A cat.", size="256x256")).data or []
    assert image.url is not None

    async with aiohttp.ClientSession() as session:
        seen = [await (await session.get(url)).read() for url in (image.url, image.url.replace(first.url, second.url))]

    assert seen[0] == seen[1]


async def test_a_url_names_the_host_that_the_client_asked(server: RunningServer) -> None:
    headers = {"host": "images.test:8080", "x-forwarded-proto": "https"}

    _, answer = await post(f"{server.url}/v1/images/generations", json={"prompt": "x"}, headers=headers)

    assert answer["data"][0]["url"].startswith("https://images.test:8080/__replay/images/")


@pytest.mark.parametrize("name", ["x.png", "x-0x9.png", "x-9x4097.png", "x-9x9.gif", "-9x9.png", "a%2fb-9x9.png"])
async def test_no_other_name_is_a_picture(server: RunningServer, name: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/__replay/images/{name}") as response:
        assert (response.status, (await response.json())["error"]["type"]) == (404, "invalid_request_error")


async def test_a_stream_shows_the_picture_before_it_is_done(client: openai.AsyncOpenAI) -> None:
    asked: Any = {"model": "gpt-image-1", "prompt": "A cat."}
    stream = await client.images.generate(**asked, stream=True, partial_images=2)
    events = [event async for event in stream]
    plain = await client.images.generate(**asked)

    partial = "image_generation.partial_image"
    assert [event.type for event in events] == [partial, partial, "image_generation.completed"]
    assert [shown(event.b64_json) for event in events] == [("PNG", (1024, 1024))] * 3
    assert len({event.b64_json for event in events}) == 3
    assert plain.data is not None
    assert events[-1].b64_json == plain.data[0].b64_json


async def test_edits_are_known_by_the_images_that_are_sent(client: openai.AsyncOpenAI) -> None:
    asked: Any = {"model": "gpt-image-1", "prompt": "Make it blue."}
    raws = [
        await client.images.with_raw_response.edit(image=image, **asked)
        for image in (UPLOAD, [UPLOAD], ("other.png", CAT, "image/png"), ("cat.png", CAT + b"x", "image/png"))
    ]

    keys = [raw.headers["x-replay-key"] for raw in raws]
    assert keys[0] == keys[1] == keys[2] != keys[3]
    usage = raws[0].parse().usage
    assert usage is not None
    assert usage.input_tokens_details.image_tokens == 323


async def test_an_edit_is_streamed_by_events_of_its_own(client: openai.AsyncOpenAI) -> None:
    stream = await client.images.edit(
        image=[UPLOAD, UPLOAD], mask=UPLOAD, model="gpt-image-1", prompt="x", stream=True, partial_images=1
    )

    assert [event.type async for event in stream] == ["image_edit.partial_image", "image_edit.completed"]


async def test_an_edit_may_name_its_images_in_json(server: RunningServer) -> None:
    asked = {"model": "gpt-image-1", "prompt": "x", "images": [{"file_id": "file-1"}]}

    status, answer = await post(f"{server.url}/v1/images/edits", json=asked)

    assert (status, faults("createImageEdit", answer)) == (200, [])


@pytest.mark.filterwarnings("ignore:deprecated")
async def test_variations_are_pictures_of_the_size_asked(client: openai.AsyncOpenAI) -> None:
    answer = await client.images.create_variation(image=UPLOAD, n=2, size="256x256", response_format="b64_json")

    assert [shown(image.b64_json or "") for image in answer.data or []] == [("PNG", (256, 256))] * 2


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no prompt": ({}, "prompt", "missing_required_parameter"),
    "an empty prompt": ({"prompt": ""}, "prompt", "empty_string"),
    "a long prompt": ({"prompt": "x" * 1001}, "prompt", "string_above_max_length"),
    "a size that the model does not have": ({"prompt": "x", "size": "10x10"}, "size", "invalid_value"),
    "too many": ({"prompt": "x", "n": 11}, "n", "integer_above_max_value"),
    "an unknown format": (
        {"prompt": "x", "model": "gpt-image-1", "output_format": "gif"},
        "output_format",
        "invalid_value",
    ),
    "a URL of a GPT model": (
        {"prompt": "x", "model": "gpt-image-1", "response_format": "url"},
        "response_format",
        "unknown_parameter",
    ),
    "a stream of DALL·E": ({"prompt": "x", "model": "dall-e-3", "stream": True}, "stream", "unknown_parameter"),
    "a side that is no multiple of 16": (
        {"prompt": "x", "model": "gpt-image-2", "size": "100x100"},
        "size",
        "invalid_value",
    ),
    "a transparent JPEG": (
        {"prompt": "x", "background": "transparent", "output_format": "jpeg"},
        "background",
        "invalid_value",
    ),
    "an unknown parameter": ({"prompt": "x", "seed": 1}, "seed", "unknown_parameter"),
}


@pytest.mark.parametrize(("asked", "param", "code"), REFUSED.values(), ids=REFUSED)
async def test_a_request_is_refused_as_the_api_does(
    server: RunningServer, asked: dict[str, Any], param: str, code: str
) -> None:
    status, answer = await post(f"{server.url}/v1/images/generations", json=asked)

    error = answer["error"]
    assert (status, error["type"], error["param"], error["code"]) == (
        400,
        "invalid_request_error",
        param,
        code,
    )


FORM = "multipart/form-data; boundary=b"
PROMPT = b'--b\r\ncontent-disposition: form-data; name="prompt"\r\n\r\nx\r\n'
TEXT = b'--b\r\ncontent-disposition: form-data; name="image"; filename="a.txt"\r\ncontent-type: text/plain\r\n\r\nx\r\n'
BROKEN = {
    "cut short": (FORM, PROMPT[:60], None, "Could not parse multipart form"),
    "not ended": (FORM, PROMPT, None, "Could not parse multipart form"),
    "no boundary": ("multipart/form-data", PROMPT + b"--b--\r\n", None, "Could not parse multipart form"),
    "text": ("text/plain", b"x", None, "Unsupported content type: 'text/plain'."),
    "nothing": ("", b"", None, "Unsupported content type: "),
    "no image": (FORM, PROMPT + b"--b--\r\n", "image", "Missing required parameter: 'image'."),
    "no picture": (FORM, PROMPT + TEXT + b"--b--\r\n", "image", "Invalid file 'image': unsupported mimetype"),
}


@pytest.mark.parametrize(("content_type", "body", "param", "message"), BROKEN.values(), ids=BROKEN)
async def test_a_broken_form_is_refused(
    server: RunningServer, content_type: str, body: bytes, param: str | None, message: str
) -> None:
    status, answer = await post(f"{server.url}/v1/images/edits", data=body, headers={"content-type": content_type})

    assert (status, answer["error"]["param"]) == (400, param)
    assert answer["error"]["message"].startswith(message)


# Cassettes -----------------------------------------------------------------------------------------------------------

SHORT = """\
endpoint: images/generations
request:
  model: gpt-image-1
  prompt: A cat.
response:
  images:
    - seed: cat
    - revised_prompt: Another cat.
    - b64_json: iVBORw0KGgo=
"""


async def test_a_short_form_has_what_its_author_wrote(serve: Any, write: Write) -> None:
    server = await serve(write("a.yaml", SHORT), on_miss="error")
    async with strict_client(server) as client:
        answer = await client.images.generate(model="gpt-image-1", prompt="A cat.", quality="low")
        stream = await client.images.generate(model="gpt-image-1", prompt="A cat.", stream=True, partial_images=1)
        events = [event async for event in stream]

    first, second, third = answer.data or []
    assert base64.b64decode(first.b64_json or "") == picture("cat", 1024, 1024)
    assert (second.revised_prompt, shown(second.b64_json or "")) == ("Another cat.", ("PNG", (1024, 1024)))
    assert third.b64_json == "iVBORw0KGgo="
    done = [event.b64_json for event in events if event.type == "image_generation.completed"]
    assert done == [image.b64_json for image in answer.data or []]


RECORDED = """\
recorded:
  at: '2026-11-23'
endpoint: images/generations
request:
  model: gpt-image-1
  prompt: A cat.
response:
  body:
    created: 1700000000
    data:
      - b64_json: iVBORw0KGgo=
    size: 1024x1536
    usage: {input_tokens: 3, output_tokens: 4, total_tokens: 7, input_tokens_details: {text_tokens: 3, image_tokens: 0}}
"""


async def test_a_recording_serves_both_modes(serve: Any, write: Write) -> None:
    server = await serve(write("a.yaml", RECORDED), on_miss="error")
    async with strict_client(server) as client:
        plain = await client.images.generate(model="gpt-image-1", prompt="A cat.")
        stream = await client.images.generate(model="gpt-image-1", prompt="A cat.", stream=True)
        (event,) = [event async for event in stream]

    assert plain.data is not None
    assert event.type == "image_generation.completed"
    assert (event.b64_json, event.created_at, event.size) == (plain.data[0].b64_json, plain.created, "1024x1536")
    assert event.usage.total_tokens == 7


OLD = """\
endpoint: POST /images/edits
request:
  form:
    - {name: model, value: dall-e-2}
    - {name: prompt, value: Make it blue.}
    - {name: image, filename: a.png, content_type: image/png, sha256: %s, bytes: 9000}
response:
  body: {created: 1, data: [{url: "https://example.com/a.png"}]}
"""


async def test_a_form_that_was_recorded_before_its_endpoint_was_known_still_answers(serve: Any, write: Write) -> None:
    data = CAT * 20
    server = await serve(write("a.yaml", OLD % hashlib.sha256(data).hexdigest()), on_miss="error")
    async with strict_client(server) as client:
        answer = await client.images.edit(image=("b.png", data, "image/png"), model="dall-e-2", prompt="Make it blue.")

    assert [image.url for image in answer.data or []] == ["https://example.com/a.png"]


# All requests --------------------------------------------------------------------------------------------------------

gpt = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["gpt-image-1", "gpt-image-1-mini", "gpt-image-1.5"]),
        "prompt": st.text("abc é🙂", min_size=1),
    },
    optional={
        "n": st.integers(1, 2),
        "size": st.sampled_from(["auto", "1024x1024", "1536x1024", "1024x1536"]),
        "quality": st.sampled_from(["auto", "low", "medium", "high"]),
        "background": st.sampled_from(["auto", "transparent", "opaque"]),
        "output_format": st.sampled_from(["png", "webp"]),
        "partial_images": st.integers(0, 2),
    },
)
dall_e = st.fixed_dictionaries(
    {"prompt": st.text("abc é🙂", min_size=1)},
    optional={
        "model": st.sampled_from(["dall-e-2", "flux"]),
        "n": st.integers(1, 3),
        "size": st.sampled_from(["256x256", "512x512", "1024x1024"]),
        "response_format": st.sampled_from(["url", "b64_json"]),
    },
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(asked=gpt | dall_e)
async def test_every_answer_is_valid_and_both_modes_agree(server: RunningServer, asked: dict[str, Any]) -> None:
    url = f"{server.url}/v1/images/generations"
    async with aiohttp.ClientSession() as session:
        plain = await (await session.post(url, json=asked)).json()
        again = await (await session.post(url, json=asked)).json()
        body = await (await session.post(url, json={**asked, "stream": True})).read()

    assert (faults("createImage", plain), plain) == ([], again)
    if asked.get("model", "").startswith("gpt"):
        events = [orjson.loads(line[6:]) for line in body.splitlines() if line.startswith(b"data: ")]
        assert [faults("createImage", event, EVENTS) for event in events] == [[]] * len(events)
        done = [event["b64_json"] for event in events if event["type"] == "image_generation.completed"]
        assert done == [image["b64_json"] for image in plain["data"]]
