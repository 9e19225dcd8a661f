"""What the assistant says, and what it asks for on the way."""

import pytest
from assistant import answer, spoken
from openai import APIStatusError

from replay_server import ReplaySession

pytestmark = pytest.mark.cassette


@pytest.mark.parametrize("city", ["Paris", "Rome"])
def test_it_looks_before_it_answers(city: str, replay_server: ReplaySession) -> None:
    said = answer(f"Do I need an umbrella in {city}?")

    assert said == {"Paris": "Yes: it rains.", "Rome": "No, the sun shines."}[city]
    replay_server.assert_called(times=2)
    replay_server.assert_called(times=1, contains="degrees")


async def test_it_speaks_as_it_thinks() -> None:
    pieces = [piece async for piece in spoken("Tell me about clouds.")]

    assert "".join(pieces) == "Clouds are water that floats."
    assert len(pieces) > 1


@pytest.mark.cassette("refusals")
def test_it_does_not_hide_that_the_api_refuses() -> None:
    with pytest.raises(APIStatusError, match="exceeded your current quota"):
        answer("Are you there?")


@pytest.mark.cassette(on_miss="generate")
def test_it_lives_with_any_answer() -> None:
    assert isinstance(answer("Say something that nobody has recorded."), str)
