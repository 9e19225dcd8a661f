"""`POST /moderations`, asked by the client that people use, over a socket."""

import json
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
from replay_server.endpoints.moderation_request import CATEGORIES
from replay_server.endpoints.moderations import RESOURCE
from replay_server.fallback import Generator
from replay_server.fallback.harm import PHRASES
from replay_server.interaction import Verdict, VerdictsReply
from replay_server.stamp import Stamp
from tests.server.test_http import post

DESCRIBED = Draft202012Validator(json.loads((Path(__file__).parents[1] / "data/openapi/moderations.json").read_text()))
KEY = "ab" * 32
PHOTO: Any = {"type": "image_url", "image_url": {"url": "https://example.com/photo.png"}}
SAYS: Any = {"type": "text", "text": "A photo of a lighthouse."}
SEEN = [name for name, kinds in CATEGORIES.items() if "image" in kinds]


@pytest_asyncio.fixture
async def client(serve: Any) -> AsyncIterator[openai.AsyncOpenAI]:
    server = await serve()
    async with openai.AsyncOpenAI(
        base_url=f"{server.url}/v1", api_key="any", max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


def flagged(result: Any) -> list[str]:
    found = result.categories.model_dump(by_alias=True)
    assert result.flagged is any(found.values())
    return sorted(name for name, is_found in found.items() if is_found)


# Generated -----------------------------------------------------------------------------------------------------------


async def test_a_harmless_text_is_not_flagged(client: openai.AsyncOpenAI) -> None:
    answer = await client.moderations.create(input="I want to see the sea.")

    (result,) = answer.results
    assert (answer.model, answer.id[:5], len(answer.id)) == ("omni-moderation-latest", "modr-", 37)
    assert flagged(result) == []
    assert max(result.category_scores.model_dump().values()) < 0.1


@pytest.mark.parametrize(("category", "phrase"), [(name, each[0]) for name, each in PHRASES.items()], ids=list(PHRASES))
async def test_a_text_is_flagged_where_it_plainly_holds_words_of_a_category(
    client: openai.AsyncOpenAI, category: str, phrase: str
) -> None:
    answer = await client.moderations.create(input=f"So they said: {phrase.upper()}!")

    (result,) = answer.results
    assert {category, category.partition("/")[0]} <= set(flagged(result))
    assert result.category_scores.model_dump(by_alias=True)[category] > 0.5


async def test_each_text_gets_a_verdict_of_its_own(client: openai.AsyncOpenAI) -> None:
    texts = ["Murder is a crime.", "The murderous heat went on.", "I like him."]

    answer = await client.moderations.create(input=texts, model="text-moderation-latest")
    alone = await client.moderations.create(input=texts[0])

    assert [flagged(result) for result in answer.results] == [["violence"], [], []]
    assert answer.results[0] == alone.results[0]
    assert answer.model == "text-moderation-007"


@pytest.mark.parametrize(
    ("parts", "seen", "unseen"),
    [
        ([SAYS], ["text"], ["text"]),
        ([PHOTO], ["image"], []),
        ([SAYS, PHOTO], ["text", "image"], ["text"]),
    ],
    ids=["text", "image", "both"],
)
async def test_the_parts_of_an_input_are_judged_as_one(
    client: openai.AsyncOpenAI, parts: Any, seen: list[str], unseen: list[str]
) -> None:
    answer = await client.moderations.create(input=parts)

    (result,) = answer.results
    kinds = result.category_applied_input_types.model_dump(by_alias=True)
    assert kinds == {name: seen if name in SEEN else unseen for name in CATEGORIES}


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
PARTS = st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": TEXT}), min_size=1, max_size=3)
INPUTS = st.one_of(
    TEXT,
    st.sampled_from([phrase for each in PHRASES.values() for phrase in each]),
    st.lists(TEXT, min_size=1, max_size=3),
    PARTS,
    PARTS.map(lambda parts: [*parts, PHOTO]),
)
REQUESTS = st.fixed_dictionaries(
    {"input": INPUTS}, optional={"model": st.sampled_from(["omni-moderation-latest", "text-moderation-stable", "m"])}
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(REQUESTS)
def test_any_right_request_gets_what_the_description_says(body: dict[str, Any]) -> None:
    request = RESOURCE.from_cassette(body)
    RESOURCE.validate(request)
    reply = Generator().generate(RESOURCE.wanted(request), KEY)
    answer = json.loads(RESOURCE.render(request, reply, Stamp(KEY)).body)

    assert [error.message for error in DESCRIBED.iter_errors(answer)] == []
    for result in answer["results"]:
        by_score = {name: score >= 0.5 for name, score in result["category_scores"].items()}
        assert (result["categories"], result["flagged"]) == (by_score, any(by_score.values()))
    assert (
        Generator().complete(RESOURCE.wanted(request), RESOURCE.read_reply(RESOURCE.write_reply(reply)), KEY) == reply
    )


# Recorded ------------------------------------------------------------------------------------------------------------


async def test_a_cassette_says_what_is_flagged(client: openai.AsyncOpenAI) -> None:
    raw = await client.moderations.with_raw_response.create(
        input=["Have a nice day.", "Have a nice fight."], model="omni-moderation-latest"
    )

    assert raw.headers["x-replay-interaction"] == "moderation.yaml#2"
    assert [flagged(result) for result in raw.parse().results] == [[], ["violence"]]


@pytest.mark.parametrize(
    "asked",
    [
        {"input": "What a charming remark."},
        {"input": ["What a charming remark."], "model": "omni-moderation-latest"},
        {"input": [{"type": "text", "text": "What a charming remark."}]},
    ],
    ids=["text", "list, and the default model", "part"],
)
async def test_one_text_is_one_key_however_it_is_sent(client: openai.AsyncOpenAI, asked: Any) -> None:
    answer = await client.moderations.create(**asked)

    assert [flagged(result) for result in answer.results] == [["harassment"]]
    assert answer.results[0].category_scores.harassment == 0.81


async def test_a_cassette_of_an_image_flags_it(client: openai.AsyncOpenAI) -> None:
    parts: Any = [
        {"type": "text", "text": "A photo from the film set."},
        {"type": "image_url", "image_url": {"url": "https://example.com/set.png"}},
    ]

    answer = await client.moderations.create(input=parts, model="omni-moderation-latest")

    assert flagged(answer.results[0]) == ["violence", "violence/graphic"]
    assert answer.results[0].category_applied_input_types.violence == ["text", "image"]


@pytest.mark.parametrize(
    ("response", "found"),
    [
        ("{scores: {hate: 0.5, sexual: 0.49}}", ["hate"]),
        ("{scores: {hate: 0.9}, flagged: []}", []),
        ("{flagged: [self-harm/intent], id: modr-1, model: m}", ["self-harm/intent"]),
    ],
    ids=["scores alone", "flagged goes before scores", "flagged alone"],
)
async def test_flagged_is_what_the_cassette_says_or_what_its_scores_tell(
    serve: Any, write: Callable[[str, str], Path], response: str, found: list[str]
) -> None:
    server = await serve(write("m.yaml", f"endpoint: moderations\nrequest: {{input: x}}\nresponse: {response}\n"))

    _, _, answer = await post(f"{server.url}/v1/moderations", {"input": "x"})

    (result,) = answer["results"]
    assert [name for name, is_found in result["categories"].items() if is_found] == found
    assert result["flagged"] is bool(found)


async def test_a_matcher_hears_the_texts_of_an_input(serve: Any, write: Callable[[str, str], Path]) -> None:
    matcher = "match: {endpoint: moderations, any_message: {contains: lighthouse}}\nresponse: {flagged: [hate]}\n"
    server = await serve(write("m.yaml", matcher), on_miss="error")

    _, headers, _ = await post(f"{server.url}/v1/moderations", {"input": [SAYS, PHOTO]})

    assert headers["x-replay-source"] == "matcher"


def test_a_recorded_body_is_read_as_its_verdicts() -> None:
    entry = {"flagged": True, "categories": {"hate": True, "sexual": False}, "category_scores": {"hate": 0.7}}

    reply = RESOURCE.read_body({"id": "modr-1", "model": "m", "results": [entry]})

    verdict = Verdict(flagged=("hate",), scores={"hate": 0.7})
    assert reply == VerdictsReply(verdicts=(verdict,), id="modr-1", model="m")


def test_another_body_is_no_moderation() -> None:
    with pytest.raises(BadField, match="it has no results"):
        RESOURCE.read_body({"data": []})


@pytest.mark.parametrize(
    "reply",
    [
        VerdictsReply(verdicts=(Verdict(flagged=("hate",)),)),
        VerdictsReply(verdicts=(Verdict(flagged=()), Verdict(scores={"hate": 0.25}))),
    ],
    ids=["one", "two"],
)
def test_what_is_written_is_read_again(reply: VerdictsReply) -> None:
    assert RESOURCE.read_reply(RESOURCE.write_reply(reply)) == reply


# Refused -------------------------------------------------------------------------------------------------------------

REFUSED = {
    "no input": ({}, "Missing required parameter: 'input'.", "input", "missing_required_parameter"),
    "a number": (
        {"input": 5},
        "Invalid type for 'input': expected one of a string, array of strings, or array of objects, but got an integer "
        "instead.",
        "input",
        "invalid_type",
    ),
    "no texts": (
        {"input": []},
        "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        "input",
        "empty_array",
    ),
    "a part of another type": (
        {"input": [{"type": "video"}]},
        "Invalid value: 'video'. Supported values are: 'image_url' and 'text'.",
        "input[0].type",
        "invalid_value",
    ),
    "an image without its address": (
        {"input": [{"type": "image_url"}]},
        "Missing required parameter: 'input[0].image_url'.",
        "input[0].image_url",
        "missing_required_parameter",
    ),
    "two images": ({"input": [PHOTO, PHOTO]}, "Number of images (2) exceeds maximum of 1", "input", "too_many_images"),
    "another parameter": (
        {"input": "x", "n": 1},
        "Unknown parameter: 'n'.",
        "n",
        "unknown_parameter",
    ),
}


@pytest.mark.parametrize(("body", "message", "param", "code"), REFUSED.values(), ids=REFUSED)
async def test_a_request_is_refused_as_the_live_api_does(
    serve: Any, body: Any, message: str, param: str, code: str
) -> None:
    server = await serve()

    status, _, answer = await post(f"{server.url}/v1/moderations", body)

    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    assert (status, answer) == (400, {"error": error})
