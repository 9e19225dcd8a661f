import pytest

from replay_server.fallback import Generator
from replay_server.interaction import ModelsReply, ModelsWanted, TextReply, TextWanted

KEY = "00" * 32


def test_known_models_are_listed_by_name() -> None:
    assert Generator(("gpt-b", "gpt-a", "gpt-b")).generate(ModelsWanted(), KEY) == ModelsReply(
        models=("gpt-a", "gpt-b")
    )


def test_any_model_is_found() -> None:
    assert Generator(("gpt-a",)).generate(ModelsWanted(model="b"), KEY) == ModelsReply(models=("b",))


@pytest.mark.parametrize("reply", [ModelsReply(models=("b", "a")), TextReply(choices=())])
def test_completing_for_models_changes_nothing(reply: ModelsReply | TextReply) -> None:
    assert Generator().complete(ModelsWanted(), reply, KEY) is reply
    assert Generator().complete(TextWanted(prompts=()), ModelsReply(models=()), KEY) == ModelsReply(models=())
