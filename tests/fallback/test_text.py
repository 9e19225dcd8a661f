import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay_server.fallback import Generator, count, prompt_tokens, split
from replay_server.interaction import Choice, Prompt, TextReply, TextWanted

KEY = "3f" * 32
OTHER_KEY = "a1" * 32
FRANCE = Prompt(text="What is the capital of France?", framing_tokens=7)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def generate(key: str = KEY, prompts: tuple[Prompt, ...] = (FRANCE,), **options: object) -> TextReply:
    reply = Generator().generate(TextWanted(prompts=prompts, **options), key)
    assert isinstance(reply, TextReply)
    return reply


def only(reply: TextReply) -> Choice:
    (choice,) = reply.choices
    return choice


def said(text: str, **options: object) -> str:
    return only(generate(prompts=(Prompt(text=text),), **options)).content or ""


def test_same_request_gets_the_same_reply() -> None:
    assert generate(logprobs=2, stream=True) == generate(logprobs=2, stream=True)


@pytest.mark.parametrize("changed", [{"key": OTHER_KEY}, {"seed": 1}, {"seed": 0}], ids=["key", "seed 1", "seed 0"])
def test_key_and_seed_change_the_text(changed: dict[str, object]) -> None:
    assert only(generate(**changed)).content != only(generate()).content


@pytest.mark.parametrize(
    "option", [{"stop": ("zebra",)}, {"logprobs": 3}, {"stream": True}, {"n": 3}, {"best_of": 4}, {"max_tokens": 9000}]
)
def test_other_options_keep_the_text(option: dict[str, object]) -> None:
    assert generate(**option).choices[0].content == only(generate()).content


def test_text_speaks_of_what_the_prompt_is_about() -> None:
    assert "the capital of France" in said(FRANCE.text)


@pytest.mark.parametrize(
    ("prompt", "sign"),
    [
        ("List the rivers of Spain", "\n1. "),
        ("How do I bake bread?", " First, "),
        ("Write a Python function that reverses a string", "```python\ndef "),
        ("Why is the sky blue?", "the sky blue"),
    ],
    ids=["list", "how", "code", "why"],
)
def test_answer_suits_the_kind_of_question(prompt: str, sign: str) -> None:
    assert sign in said(prompt)


@pytest.mark.parametrize(("wish", "low", "high"), [("in 300 words", 240, 420), ("in 40 words", 30, 140)])
def test_prompt_may_ask_for_a_length(wish: str, low: int, high: int) -> None:
    assert low <= len(said(f"Describe Rome {wish}").split()) <= high


def test_natural_answers_are_short() -> None:
    lengths = [count(said(f"Tell me about topic {word}")) for word in ("tea", "coffee", "milk", "juice", "wine")]

    assert all(20 <= length <= 150 for length in lengths), lengths


@given(texts)
@settings(max_examples=60)
def test_any_prompt_is_answered(text: str) -> None:
    wanted = TextWanted(prompts=(Prompt(text=text),), echo=True, logprobs=1, stream=True)
    choice = Generator().generate(wanted, KEY).choices[0]

    assert choice.content is not None
    assert choice.content.startswith(text)
    assert len(choice.content) > len(text) + 20


@pytest.mark.parametrize("prompt", ["", "😀", "法国的首都是什么？", "word " * 200_000, "a" * 100_000, " " * 100_000])
def test_odd_prompts_are_answered(prompt: str) -> None:
    assert 20 < len(said(prompt)) < 2000


@pytest.mark.parametrize("tokens", [0, 1, 2, 7, 20])
def test_smaller_limit_gives_a_prefix(tokens: int) -> None:
    whole = only(generate()).content or ""
    cut = generate(max_tokens=tokens)

    assert only(cut).content == "".join(split(whole)[:tokens])
    assert only(cut).finish_reason == "length"
    assert cut.usage is not None
    assert cut.usage.completion_tokens == count(only(cut).content or "") == tokens


def test_limit_that_is_not_reached_changes_nothing() -> None:
    exactly = count(only(generate()).content or "")

    assert only(generate(max_tokens=exactly)) == only(generate())
    assert only(generate()).finish_reason == "stop"


@given(st.integers(0, 60), st.integers(1, 4), st.integers(0, 100))
@settings(max_examples=60)
def test_text_ends_before_the_first_stop(start: int, length: int, tokens: int) -> None:
    whole = only(generate()).content or ""
    stop = whole[start : start + length]
    choice = only(generate(stop=("no such text", stop), max_tokens=tokens))

    limited = "".join(split(whole)[:tokens])
    assert choice.content == limited.partition(stop)[0]
    assert stop not in (choice.content or "")
    assert (choice.finish_reason == "stop") == (stop in limited or limited == whole)


def test_choices_of_a_request_differ_and_keep_their_order() -> None:
    prompts = (Prompt(text="Tell me about cats"), Prompt(text="Tell me about dogs"))
    choices = generate(prompts=prompts, n=5).choices

    assert len({choice.content for choice in choices}) == 10
    assert all("cats" in (choice.content or "") for choice in choices[:5])
    assert all("dogs" in (choice.content or "") for choice in choices[5:])
    assert generate(prompts=prompts, n=2).choices == choices[0:2] + choices[5:7]


def test_usage_adds_up() -> None:
    prompts = (FRANCE, Prompt(token_ids=(1, 2, 3)))
    usage = generate(prompts=prompts, n=2).usage
    contents = [choice.content or "" for choice in generate(prompts=prompts, n=2).choices]

    assert usage is not None
    assert usage.prompt_tokens == prompt_tokens(FRANCE) + 3
    assert usage.completion_tokens == sum(map(count, contents))


def test_choices_thought_up_but_not_given_are_counted() -> None:
    one, four = generate().usage, generate(best_of=4).usage
    all_four = generate(n=4).usage

    assert one is not None
    assert four is not None
    assert all_four == four
    assert four.completion_tokens > one.completion_tokens
    assert len(generate(best_of=4).choices) == 1


@pytest.mark.parametrize("prompt", [FRANCE, Prompt(token_ids=(11, 402, 7))], ids=["text", "ids"])
def test_echo_puts_the_prompt_first_and_does_not_count_it(prompt: Prompt) -> None:
    reply = generate(prompts=(prompt,), echo=True, logprobs=2, stream=True, max_tokens=5)
    choice = only(reply)
    silent = only(generate(prompts=(prompt,), echo=True, max_tokens=0))

    assert choice.content is not None
    assert choice.content.startswith(prompt.text)
    assert choice.content.startswith(silent.content or "?")
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 5
    assert choice.logprobs is not None
    assert [entry.logprob is None for entry in choice.logprobs] == [True] + [False] * (len(choice.logprobs) - 1)
    assert choice.logprobs[0].top == ()
    assert "".join(choice.deltas or ()) == "".join(entry.token for entry in choice.logprobs) == choice.content


def test_each_token_id_is_one_token_of_text() -> None:
    ids = tuple(range(200))

    assert count(only(generate(prompts=(Prompt(token_ids=ids),), echo=True, max_tokens=0)).content or "") == 200


@pytest.mark.parametrize("suffix", ["return total", "\nreturn total", ", he said."])
def test_inserted_text_lets_the_suffix_follow(suffix: str) -> None:
    inserted = said("The late invoices of March were paid.", suffix=suffix)

    assert "invoices" in inserted
    assert inserted.endswith(". ") == (suffix == "return total")


@pytest.mark.parametrize("top", [0, 1, 5, 20])
def test_logprobs_cover_the_text(top: int) -> None:
    choice = only(generate(logprobs=top))
    assert choice.logprobs is not None

    assert "".join(entry.token for entry in choice.logprobs) == choice.content
    for entry in choice.logprobs:
        assert entry.logprob is not None
        assert entry.logprob <= 0
        names, values = [name for name, _ in entry.top], [value for _, value in entry.top]
        assert len(set(names)) == len(names) == top
        assert not top or (entry.token, entry.logprob) in entry.top
        assert values == sorted(values, reverse=True)
        assert sum(map(math.exp, values)) <= 1


def test_number_of_alternatives_changes_no_probability() -> None:
    few, many = only(generate(logprobs=1)).logprobs, only(generate(logprobs=9)).logprobs

    assert [entry.logprob for entry in few or ()] == [entry.logprob for entry in many or ()]


def test_nothing_is_streamed_or_judged_unless_wanted() -> None:
    assert only(generate()).deltas is None
    assert only(generate()).logprobs is None


def test_deltas_are_the_tokens_of_the_text() -> None:
    choice = only(generate(stream=True))

    assert list(choice.deltas or ()) == split(choice.content or "")
