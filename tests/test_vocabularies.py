"""OpenAI's vocabularies count as tiktoken does, and nothing is ever fetched."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tiktoken
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replay_server import vocabularies
from replay_server.cassettes.config import read_config
from replay_server.errors import CassetteError
from replay_server.vocabularies import VOCABULARIES, counter, file_name, pack, pieces, read_tokens, unpack
from tests.commands.test_commands import run
from tests.server.test_http import post

NAMES = list(VOCABULARIES)
TEXTS = {
    "English": "The quick brown fox jumps over the lazy dog. It's 12:30, isn't it?",
    "code": "def f(x):\n    return {'a': [x ** 2, None]}\n\n\n# done\t\t!\n/usr/bin",
    "other scripts": "猫は動物です。 Привет, мир! شكرا 👩‍👩‍👧 café naïve",
    "spaces": "  a   b \r\n\r\n   c\n ",
    "special tokens": "<|endoftext|> is text here",
    "nothing": "",
}
PIECE = st.sampled_from(["a", "Bc", " x", " ", "\n", "\r\n", "!", "/", "'s", "12", "é", "猫", "_", "\t", " Word"])


@pytest.fixture(autouse=True)
def _loaded_anew() -> Iterator[None]:
    """What one test has loaded, in its own way, is not another's."""
    yield
    counter.cache_clear()


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has tiktoken read a file fails."""

    def fetch(path: str) -> bytes:
        raise AssertionError(f"tiktoken asks for {path}")

    monkeypatch.setattr("tiktoken.load.read_file", fetch)


# Counting ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", [*TEXTS.values(), "\n".join(TEXTS.values()) * 60], ids=[*TEXTS, "all, many times"])
def test_a_vocabulary_counts_as_tiktoken_does(name: str, text: str, tiktoken_cache: Path) -> None:
    encoding = tiktoken.get_encoding(VOCABULARIES[name].name)

    assert counter(name)(text) == len(encoding.encode_ordinary(text))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(PIECE, min_size=20, max_size=80).map("".join))
@pytest.mark.parametrize("name", NAMES)
def test_a_cut_where_words_or_lines_begin_changes_no_token(name: str, tiktoken_cache: Path, text: str) -> None:
    encoding = tiktoken.get_encoding(VOCABULARIES[name].name)

    for cut in range(1, len(text)):
        left = pieces(text, cut)[0]
        if len(left) < cut:  # else there was no such place before it
            right = encoding.encode_ordinary(text[len(left) :])
            assert encoding.encode_ordinary(left) + right == encoding.encode_ordinary(text)


def test_pieces_are_the_text() -> None:
    text = "One two three.\n" * 1000 + "x" * 12_000

    cut = pieces(text)

    assert "".join(cut) == text
    assert max(map(len, cut)) == 5000


@pytest.mark.parametrize("run", ["a", " ", "^", "\n", "猫"])
def test_a_long_run_is_counted_and_not_given_up_on(run: str) -> None:
    assert counter("o200k")(run * 400_000) > 1000


# Files ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_packed_files_are_those_of_tiktoken(name: str, tiktoken_cache: Path) -> None:
    tokens = read_tokens((tiktoken_cache / file_name(VOCABULARIES[name])).read_bytes())

    packed = (Path(vocabularies.__file__).parent / f"{name}.xz").read_bytes()

    assert list(unpack(packed)) == tokens
    assert list(unpack(pack(tokens[:300]))) == tokens[:300]


@pytest.mark.parametrize("kept", ["", "broken"], ids=["no cache", "a broken cache"])
def test_nothing_is_fetched(kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None) -> None:
    file = tmp_path / file_name(VOCABULARIES["cl100k"])
    file.write_text(kept)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path) if kept else "")

    assert counter("cl100k")("Hello, world!") == 4
    assert file.read_text() == kept


def test_the_cache_of_tiktoken_goes_before_the_packed_file(
    tiktoken_cache: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    monkeypatch.setattr(vocabularies, "unpack", lambda data: pytest.fail("the packed file was read"))

    assert counter("cl100k")("Hello, world!") == 4


# In replay.yaml ------------------------------------------------------------------------------------------------------


def test_an_estimate_is_the_default() -> None:
    assert read_config("replay.yaml", b"models: [m]").tokens == "estimate"


@pytest.mark.parametrize("name", ["estimate", *NAMES])
def test_each_way_to_count_can_be_named(name: str) -> None:
    assert read_config("replay.yaml", f"tokens: {name}".encode()).tokens == name


def test_another_way_to_count_is_an_error() -> None:
    with pytest.raises(CassetteError) as raised:
        read_config("replay.yaml", b"models: [m]\ntokens: p50k\n")

    assert str(raised.value) == "replay.yaml:2: tokens: 'p50k' is none of estimate, o200k, cl100k"


def test_a_missing_extra_stops_the_start(write: Callable[[str, str], Path], tmp_path: Path) -> None:
    (tmp_path / "tiktoken.py").write_text("raise ImportError('not installed')")
    directory = write("replay.yaml", "tokens: o200k\n")
    package = Path(vocabularies.__file__).parents[2]

    code, out, err = run("serve", "--cassettes", str(directory), PYTHONPATH=f"{tmp_path}:{package}")

    problem = "tokens: o200k needs the package tiktoken: pip install 'replay-server[tokens]'"
    assert (code, out, err) == (2, "", f"replay-server: {directory}/replay.yaml:1: {problem}\n")


# Usage ---------------------------------------------------------------------------------------------------------------

CASSETTE = """
request:
  model: gpt-4o
  messages: [{role: user, name: Ann, content: Translate antidisestablishmentarianism!}]
response:
  content: Antidisestablishmentarianism, supercalifragilistic.
"""
MESSAGES: Any = [{"role": "user", "name": "Ann", "content": "Translate antidisestablishmentarianism!"}]


async def test_a_chat_is_counted_by_the_formula_of_openai(serve: Any, write: Callable[[str, str], Path]) -> None:
    write("a.yaml", CASSETTE)
    server = await serve(write("replay.yaml", "tokens: o200k\n"), on_miss="error")
    tokens = counter("o200k")

    _, _, answer = await post(f"{server.url}/v1/chat/completions", {"model": "gpt-4o", "messages": MESSAGES})

    prompt = 3 + (3 + tokens("user") + tokens(MESSAGES[0]["content"]) + 1 + tokens("Ann"))
    said = tokens("Antidisestablishmentarianism, supercalifragilistic.")
    assert (answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"]) == (prompt, said)


async def test_the_generator_keeps_its_own_rule_for_what_it_says(serve: Any, write: Callable[[str, str], Path]) -> None:
    asked = {"model": "gpt-4o", "messages": MESSAGES, "max_tokens": 7}
    answers = []
    for name in ("estimate", "o200k", "cl100k"):
        server = await serve(write("replay.yaml", f"tokens: {name}\n"))
        answers.append((await post(f"{server.url}/v1/chat/completions", asked))[2])

    prompts = [answer["usage"].pop("prompt_tokens") for answer in answers]
    totals = [answer["usage"].pop("total_tokens") for answer in answers]
    assert answers[0] == answers[1] == answers[2]
    assert prompts == [total - 7 for total in totals]
    assert prompts[0] < min(prompts[1:])


async def test_embeddings_are_counted_by_the_vocabulary(serve: Any, write: Callable[[str, str], Path]) -> None:
    server = await serve(write("replay.yaml", "tokens: cl100k\n"))
    texts = ["antidisestablishmentarianism", "Hello, world!"]

    _, _, answer = await post(f"{server.url}/v1/embeddings", {"model": "text-embedding-3-small", "input": texts})

    assert answer["usage"] == {"prompt_tokens": 10, "total_tokens": 10}
