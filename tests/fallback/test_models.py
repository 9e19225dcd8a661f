import pytest

from replay_server.errors import NotFound
from replay_server.fallback import Generator
from replay_server.interaction import ModelsReply, ModelsWanted, TextReply, TextWanted

KEY = "00" * 32


def test_known_models_are_listed_by_name() -> None:
    assert Generator(("gpt-b", "gpt-a", "gpt-b")).generate(ModelsWanted(), KEY) == ModelsReply(
        models=("gpt-a", "gpt-b")
    )


@pytest.mark.parametrize(("listed", "model"), [(False, "anything"), (True, "gpt-a")])
def test_model_is_found(listed: bool, model: str) -> None:
    generator = Generator(("gpt-a",), listed=listed)

    assert generator.generate(ModelsWanted(model=model), KEY) == ModelsReply(models=(model,))


def test_only_listed_models_exist_if_so_told() -> None:
    with pytest.raises(NotFound) as raised:
        Generator(("gpt-a",), listed=True).generate(ModelsWanted(model="gpt-x"), KEY)

    error = raised.value
    assert (error.message, error.param, error.code) == ("The model 'gpt-x' does not exist", "model", "model_not_found")


@pytest.mark.parametrize("reply", [ModelsReply(models=("b", "a")), TextReply(choices=())])
def test_completing_for_models_changes_nothing(reply: ModelsReply | TextReply) -> None:
    assert Generator().complete(ModelsWanted(), reply, KEY) is reply
    assert Generator().complete(TextWanted(prompts=()), ModelsReply(models=()), KEY) == ModelsReply(models=())
