"""`POST /embeddings`, asked by the client that people use, over a socket."""

import base64
import json
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import openai
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from replay_server.endpoints.base import BadField
from replay_server.endpoints.embeddings import RESOURCE
from replay_server.fallback import Generator
from replay_server.interaction import Vector, VectorsReply
from replay_server.stamp import Stamp
from tests.server.test_http import post

DESCRIBED = Draft202012Validator(json.loads((Path(__file__).parents[1] / "data/openapi/embeddings.json").read_text()))
SMALL, LARGE, ADA = "text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"
KEY = "ab" * 32


@pytest_asyncio.fixture
async def client(serve: Any) -> AsyncIterator[openai.AsyncOpenAI]:
    server = await serve()
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
        yield client


def generated(body: dict[str, Any]) -> Any:
    """The answer that a miss gets."""
    request = RESOURCE.from_cassette(body)
    RESOURCE.validate(request)
    reply = Generator().generate(RESOURCE.wanted(request), KEY)
    return json.loads(RESOURCE.render(request, reply, Stamp(KEY)).body)


def floats(text: str) -> list[float]:
    data = base64.b64decode(text)
    return list(struct.unpack(f"<{len(data) // 4}f", data))


# Generated -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "length"),
    [
        ({"model": SMALL}, 1536),
        ({"model": LARGE}, 3072),
        ({"model": ADA}, 1536),
        ({"model": "somebody-elses"}, 1536),
        ({"model": SMALL, "dimensions": 7}, 7),
        ({"model": LARGE, "dimensions": 256}, 256),
    ],
    ids=["small", "large", "ada", "unknown", "odd", "shortened"],
)
async def test_a_vector_has_the_dimensions_of_its_model_or_those_asked_for(
    client: openai.AsyncOpenAI, asked: Any, length: int
) -> None:
    for encoding in ("float", "base64"):
        answer = await client.embeddings.create(input="A lighthouse.", encoding_format=encoding, **asked)

        assert [(item.index, item.object) for item in answer.data] == [(0, "embedding")]
        vector = answer.data[0].embedding
        assert len(floats(vector) if isinstance(vector, str) else vector) == length


async def test_the_client_finds_nothing_wrong_with_numbers(serve: Any) -> None:
    server = await serve()

    # Of base64 it says so itself: it validates before it decodes.
    async with openai.AsyncOpenAI(
        base_url=f"{server.url}/v1", api_key="any", _strict_response_validation=True
    ) as strict:
        answer = await strict.embeddings.create(model=SMALL, input="A lighthouse.", encoding_format="float")

    assert answer.object == "list"


async def test_base64_holds_the_numbers_as_32_bit_floats_least_byte_first(client: openai.AsyncOpenAI) -> None:
    numbers = await client.embeddings.create(model=SMALL, input="A lighthouse.", encoding_format="float")
    text: Any = await client.embeddings.create(model=SMALL, input="A lighthouse.", encoding_format="base64")
    unsaid = await client.embeddings.create(model=SMALL, input="A lighthouse.")

    assert floats(text.data[0].embedding) == numbers.data[0].embedding
    assert unsaid == numbers


@pytest.mark.parametrize(
    ("given_input", "count", "tokens"),
    [
        ("Three words here", 1, 3),
        (["One.", "And two."], 2, 5),
        ([1, 2, 3, 4], 1, 4),
        ([[1, 2], [3], [4, 5, 6]], 3, 6),
    ],
    ids=["text", "texts", "tokens are one input", "several token arrays"],
)
async def test_each_input_gets_a_vector_and_its_tokens_are_counted(
    client: openai.AsyncOpenAI, given_input: Any, count: int, tokens: int
) -> None:
    answer = await client.embeddings.create(model=SMALL, input=given_input)

    assert [item.index for item in answer.data] == list(range(count))
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (tokens, tokens)


async def test_an_input_has_the_same_vector_whatever_is_asked_beside_it(client: openai.AsyncOpenAI) -> None:
    alone = await client.embeddings.create(model=SMALL, input="A lighthouse.")
    among = await client.embeddings.create(model=SMALL, input=["A cat.", "A lighthouse."])

    assert among.data[1].embedding == alone.data[0].embedding


async def test_the_answer_names_the_version_of_the_model(client: openai.AsyncOpenAI) -> None:
    models = [(await client.embeddings.create(model=model, input="x")).model for model in (SMALL, ADA)]

    assert models == [SMALL, "text-embedding-ada-002-v2"]


async def test_stream_says_nothing_here(serve: Any) -> None:
    server = await serve()

    status, headers, answer = await post(f"{server.url}/v1/embeddings", {"model": SMALL, "input": "x", "stream": True})

    assert (status, headers["content-type"]) == (400, "application/json")
    assert answer["error"]["message"] == "Unknown parameter: 'stream'."


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
TOKENS = st.lists(st.integers(0, 200_000), min_size=1, max_size=20)
INPUTS = st.one_of(TEXT, TOKENS, st.lists(TEXT, min_size=1, max_size=4), st.lists(TOKENS, min_size=1, max_size=4))
REQUESTS = st.fixed_dictionaries(
    {"model": st.sampled_from([SMALL, LARGE, "other"]), "input": INPUTS},
    optional={"dimensions": st.integers(1, 40), "encoding_format": st.just("float"), "user": TEXT},
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(REQUESTS)
def test_any_right_request_gets_what_the_description_says(body: dict[str, Any]) -> None:
    answer = generated(body)

    assert [error.message for error in DESCRIBED.iter_errors(answer)] == []
    for item in answer["data"]:
        assert sum(number * number for number in item["embedding"]) == pytest.approx(1, abs=1e-5)
    encoded = generated({**body, "encoding_format": "base64"})["data"]
    assert [floats(item["embedding"]) for item in encoded] == [item["embedding"] for item in answer["data"]]


# Recorded ------------------------------------------------------------------------------------------------------------


async def test_a_cassette_gives_its_vectors_in_either_encoding(client: openai.AsyncOpenAI) -> None:
    texts = ["A cat sleeps on the sofa.", "The kitten naps.", "Interest rates rose again."]

    numbers = await client.embeddings.create(model=SMALL, input=texts, encoding_format="float")
    text: Any = await client.embeddings.create(model=SMALL, input=texts, encoding_format="base64")

    assert [item.embedding for item in numbers.data] == [[0.8, 0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]
    assert floats(text.data[0].embedding) == pytest.approx([0.8, 0.6, 0.0])


async def test_a_cassette_may_name_the_text_whose_vector_it_means(client: openai.AsyncOpenAI) -> None:
    raw = await client.embeddings.with_raw_response.create(model=SMALL, input="Which animal purrs?")
    other = await client.embeddings.create(model=SMALL, input="The cat is an animal that purrs.")

    assert raw.headers["x-replay-interaction"] == "embedding.yaml#2"
    assert raw.parse().data[0].embedding == other.data[0].embedding


RECORDED = """
recorded: {at: '2026-11-25'}
endpoint: embeddings
request: {model: text-embedding-3-small, input: Hi.%s}
response:
  style: indent 2
  body:
    object: list
    data: [{object: embedding, index: 0, embedding: %s}]
    model: text-embedding-3-small
    usage: {prompt_tokens: 2, total_tokens: 2}
"""
NUMBERS = RECORDED % (", encoding_format: float", "[0.25, -0.5]")
ENCODED = RECORDED % (", encoding_format: base64, dimensions: 2", "AACAPgAAAL8=")


async def test_a_recorded_answer_is_replayed_byte_for_byte(serve: Any, write: Callable[[str, str], Path]) -> None:
    server = await serve(write("e.yaml", ENCODED), on_miss="error")
    asked = {"model": SMALL, "input": ["Hi."], "encoding_format": "base64", "dimensions": 2, "user": "u"}

    status, headers, body = await post(f"{server.url}/v1/embeddings", asked, parse=False)

    assert (status, headers["x-replay-source"], headers["x-replay-drift"]) == (200, "cassette", "user")
    assert b'\n      "embedding": "AACAPgAAAL8="\n' in body


@pytest.mark.parametrize(
    ("more", "difference"),
    [
        ({"encoding_format": "base64"}, "encoding_format: (absent) != 'base64'"),
        ({"dimensions": 2}, "dimensions: (absent) != 2"),
        ({"dimensions": 1536}, ""),
        ({"encoding_format": "float"}, ""),
    ],
    ids=["another encoding", "other dimensions", "the model's dimensions", "the default encoding"],
)
async def test_a_recorded_answer_fits_its_encoding_and_dimensions_only(
    serve: Any, write: Callable[[str, str], Path], more: Any, difference: str
) -> None:
    server = await serve(write("e.yaml", NUMBERS), on_miss="error")

    status, headers, body = await post(f"{server.url}/v1/embeddings", {"model": SMALL, "input": "Hi.", **more})

    if difference:
        assert status == 404
        assert difference in body["error"]["message"]
    else:
        assert (status, "x-replay-drift" in headers) == (200, False)


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [("Hi.", ["Hi."]), ([5, 6], [[5, 6]]), ([[5.0, 6]], [5, 6])],
    ids=["a text", "tokens", "numbers that are integral"],
)
def test_a_list_of_one_input_has_the_key_of_that_input(recorded: Any, asked: Any) -> None:
    ours, theirs = (RESOURCE.from_cassette({"model": SMALL, "input": value}) for value in (recorded, asked))

    assert RESOURCE.canonical(ours) == RESOURCE.canonical(theirs)


@pytest.mark.parametrize("embedding", [[0.25, -0.5], "AACAPgAAAL8="], ids=["numbers", "base64"])
def test_a_recorded_body_is_read_as_its_vectors(embedding: Any) -> None:
    body = {"data": [{"embedding": embedding}], "model": "m", "usage": {"prompt_tokens": 2, "total_tokens": 2}}

    reply: Any = RESOURCE.read_body(body)

    assert [list(vector.values) for vector in reply.vectors] == [[0.25, -0.5]]
    assert (reply.prompt_tokens, reply.model) == (2, "m")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ([], "it has no data"),
        ({"data": [{"embedding": None}]}, "neither a list of numbers nor base64"),
        ({"data": [{"embedding": "§"}]}, "is not base64"),
        ({"data": [{"embedding": [1, "x"]}]}, "neither a list of numbers nor base64"),
    ],
    ids=["a list", "null", "no base64", "a text among numbers"],
)
def test_another_body_is_no_list_of_embeddings(body: Any, problem: str) -> None:
    with pytest.raises(BadField, match=problem):
        RESOURCE.read_body(body)


@pytest.mark.parametrize(
    "reply",
    [
        VectorsReply(vectors=(Vector((0.5, 1.0)),)),
        VectorsReply(vectors=(Vector(text="a cat"),)),
        VectorsReply(vectors=(Vector((0.5,)), Vector(text="a cat"))),
    ],
    ids=["numbers", "text", "both"],
)
def test_what_is_written_is_read_again(reply: VectorsReply) -> None:
    assert RESOURCE.read_reply(RESOURCE.write_reply(reply)) == reply


# Refused -------------------------------------------------------------------------------------------------------------

NO_INPUT = "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference."
REFUSED = {
    "no model": ({"input": "x"}, "you must provide a model parameter", None, None),
    "no input": ({"model": SMALL}, "Missing required parameter: 'input'.", "input", "missing_required_parameter"),
    "empty text": ({"model": SMALL, "input": ""}, NO_INPUT, None, None),
    "empty list": ({"model": SMALL, "input": []}, NO_INPUT, None, None),
    "empty text in a list": ({"model": SMALL, "input": ["a", ""]}, NO_INPUT, None, None),
    "empty tokens in a list": ({"model": SMALL, "input": [[1], []]}, NO_INPUT, None, None),
    "a number": (
        {"model": SMALL, "input": 5},
        "Invalid type for 'input': expected one of a string, array of strings, array of integers, or array of integer "
        "arrays, but got an integer instead.",
        "input",
        "invalid_type",
    ),
    "a number among texts": (
        {"model": SMALL, "input": ["a", 1]},
        "Invalid type for 'input[1]': expected a string, but got an integer instead.",
        "input[1]",
        "invalid_type",
    ),
    "a text among token arrays": (
        {"model": SMALL, "input": [[1, 2], [3, "x"]]},
        "Invalid type for 'input[1][1]': expected an integer, but got a string instead.",
        "input[1][1]",
        "invalid_type",
    ),
    "too many inputs": (
        {"model": SMALL, "input": ["a"] * 2049},
        "Invalid 'input': array too long. Expected an array with maximum length 2048, but got an array with length "
        "2049 instead.",
        "input",
        "array_above_max_length",
    ),
    "too many tokens": (
        {"model": SMALL, "input": [7] * 8193},
        "This model's maximum context length is 8192 tokens, however you requested 8193 tokens (8193 in your prompt; 0 "
        "for the completion). Please reduce your prompt; or completion length.",
        None,
        None,
    ),
    "too many dimensions": (
        {"model": SMALL, "input": "x", "dimensions": 1537},
        "Invalid value for 'dimensions' = 1537. Must be less than or equal to 1536.",
        None,
        None,
    ),
    "more dimensions than any model has": (
        {"model": "other", "input": "x", "dimensions": 10**12},
        f"Invalid value for 'dimensions' = {10**12}. Must be less than or equal to 16384.",
        None,
        None,
    ),
    "no dimensions": (
        {"model": SMALL, "input": "x", "dimensions": 0},
        "Invalid 'dimensions': integer below minimum value. Expected a value >= 1, but got 0 instead.",
        "dimensions",
        "integer_below_min_value",
    ),
    "dimensions of an old model": (
        {"model": ADA, "input": "x", "dimensions": 8},
        "This model does not support specifying dimensions.",
        None,
        None,
    ),
    "another encoding": (
        {"model": SMALL, "input": "x", "encoding_format": "hex"},
        "Invalid value: 'hex'. Supported values are: 'float' and 'base64'.",
        "encoding_format",
        "invalid_value",
    ),
}


@pytest.mark.parametrize(("body", "message", "param", "code"), REFUSED.values(), ids=REFUSED)
async def test_a_request_is_refused_as_the_live_api_does(
    serve: Any, body: Any, message: str, param: str | None, code: str | None
) -> None:
    server = await serve()

    status, _, answer = await post(f"{server.url}/v1/embeddings", body)

    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    assert (status, answer) == (400, {"error": error})


@pytest.mark.parametrize(
    "body",
    [
        {"model": SMALL, "input": [7] * 8192},
        {"model": SMALL, "input": ["a"] * 2048, "dimensions": 1},
        {"model": SMALL, "input": " ", "dimensions": 1536.0, "encoding_format": "float", "user": "u"},
        {"model": ADA, "input": "x", "dimensions": None},
    ],
    ids=["most tokens", "most inputs", "integral floats", "null"],
)
def test_a_right_request_is_taken(body: Any) -> None:
    RESOURCE.validate(RESOURCE.from_cassette(body))
