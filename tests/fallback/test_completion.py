from dataclasses import replace

import pytest

from replay_server.fallback import Generator, split
from replay_server.interaction import Choice, Prompt, TextReply, TextWanted, TokenLogprob, ToolCall, Usage

KEY = "5c" * 32
WANTED = TextWanted(prompts=(Prompt(text="Weather in Paris?", framing_tokens=7),))
CALL = ToolCall(name="get_weather", arguments='{"city":"Paris"}')
TEXT = Choice(content="It is sunny.")


def complete(choice: Choice, wanted: TextWanted = WANTED) -> Choice:
    reply = Generator().complete(wanted, TextReply(choices=(choice,)), KEY)
    assert isinstance(reply, TextReply)
    return reply.choices[0]


@pytest.mark.parametrize(
    ("choice", "tokens"),
    [
        (TEXT, 4),
        (Choice(refusal="I cannot do that."), 5),
        (Choice(tool_calls=(CALL, CALL)), 2 * (3 + 5)),
        (Choice(), 0),
    ],
    ids=["content", "refusal", "tool calls", "nothing"],
)
def test_usage_is_filled_in(choice: Choice, tokens: int) -> None:
    reply = Generator().complete(WANTED, TextReply(choices=(choice,)), KEY)

    assert reply == TextReply(choices=(choice,), usage=Usage(prompt_tokens=4 + 7, completion_tokens=tokens))


def test_what_the_author_wrote_stays() -> None:
    choice = Choice(
        content="It is sunny.",
        deltas=("It is ", "sunny."),
        logprobs=(TokenLogprob("It is sunny.", -1.0),),
        tool_calls=(replace(CALL, deltas=("{", '"city":"Paris"}')),),
    )
    reply = TextReply(choices=(choice,), usage=Usage(prompt_tokens=1, completion_tokens=1), id="chatcmpl-1", created=5)

    assert Generator().complete(replace(WANTED, stream=True, logprobs=3, n=2), reply, KEY) == reply


def test_reply_that_lacks_nothing_is_the_same_object() -> None:
    reply = TextReply(choices=(TEXT,), usage=Usage(prompt_tokens=1, completion_tokens=1))

    assert Generator().complete(WANTED, reply, KEY) is reply


def test_deltas_are_made_for_streams_only() -> None:
    streamed = complete(Choice(content="It is sunny.", tool_calls=(CALL,)), replace(WANTED, stream=True))

    assert streamed.deltas == tuple(split("It is sunny."))
    assert streamed.tool_calls[0].deltas == tuple(split(CALL.arguments))
    assert complete(TEXT) == TEXT


def test_refusal_is_streamed_too() -> None:
    assert complete(Choice(refusal="No, sorry."), replace(WANTED, stream=True)).deltas == ("No", ",", " sorry", ".")


def test_choice_without_text_has_no_deltas_of_its_own() -> None:
    assert complete(Choice(tool_calls=(CALL,)), replace(WANTED, stream=True)).deltas is None


def test_logprobs_are_made_for_content() -> None:
    wanted = replace(WANTED, logprobs=2)
    judged = complete(TEXT, wanted).logprobs or ()

    assert [entry.token for entry in judged] == split("It is sunny.")
    assert all(len(entry.top) == 2 for entry in judged)
    assert complete(TEXT, wanted) == complete(TEXT, wanted)
    assert complete(Choice(tool_calls=(CALL,)), wanted).logprobs is None
    assert complete(Choice(refusal="No."), wanted).logprobs is None
