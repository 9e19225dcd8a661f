"""Completing a hand-written reply: usage, and logprobs and deltas where they are wanted. On the path of every hit."""

from dataclasses import replace

from replay_server.fallback.draw import Draw
from replay_server.fallback.logprobs import logprobs
from replay_server.fallback.tokens import Count, count, prompt_tokens, split
from replay_server.interaction import Choice, Reasoning, TextReply, TextWanted, ToolCall, Usage


def complete(wanted: TextWanted, reply: TextReply, key: str, tokens_of: Count = count) -> TextReply:
    """The reply with nothing changed that its author wrote. `tokens_of` counts what it costs, and cuts nothing."""
    choices = reply.choices
    if wanted.stream or wanted.logprobs is not None:
        choices = tuple(_complete_choice(wanted, choice, Draw(key, "logprobs", i)) for i, choice in enumerate(choices))
    elif reply.usage is not None:
        return reply
    return replace(reply, choices=choices, usage=reply.usage or usage_of(wanted, reply.choices, tokens_of))


def usage_of(wanted: TextWanted, choices: tuple[Choice, ...], tokens_of: Count = count) -> Usage:
    """The tokens of all prompts, and of all that the choices say."""
    return Usage(
        prompt_tokens=sum(prompt_tokens(prompt, tokens_of) for prompt in wanted.prompts),
        completion_tokens=sum(choice_tokens(choice, tokens_of) for choice in choices),
    )


def choice_tokens(choice: Choice, tokens_of: Count = count) -> int:
    """The tokens of content, refusal, tool calls and reasoning."""
    total = tokens_of(choice.content) if choice.content else 0
    if choice.refusal:
        total += tokens_of(choice.refusal)
    calls = (*choice.tool_calls, choice.function_call) if choice.function_call else choice.tool_calls
    for call in calls:
        total += tokens_of(call.name) + tokens_of(call.arguments)
    return total + sum(tokens_of(part.text) for part in choice.reasoning)


def _complete_choice(wanted: TextWanted, choice: Choice, draw: Draw) -> Choice:
    content = choice.content
    if wanted.logprobs is not None and content and choice.logprobs is None:
        judged = logprobs(split(content), wanted.logprobs, draw, starts_text=wanted.echo)
        choice = replace(choice, logprobs=judged)
    if not wanted.stream:
        return choice
    said = content if content is not None else choice.refusal
    deltas = tuple(split(said)) if choice.deltas is None and said is not None else choice.deltas
    choice = replace(choice, deltas=deltas, tool_calls=tuple(map(_cut_arguments, choice.tool_calls)))
    return _cut_rare(choice) if choice.function_call or choice.reasoning else choice


def _cut_rare(choice: Choice) -> Choice:
    legacy = choice.function_call and _cut_arguments(choice.function_call)
    return replace(choice, function_call=legacy, reasoning=tuple(map(_cut_reasoning, choice.reasoning)))


def _cut_reasoning(part: Reasoning) -> Reasoning:
    return part if part.deltas is not None else replace(part, deltas=tuple(split(part.text)))


def _cut_arguments(call: ToolCall) -> ToolCall:
    return call if call.deltas is not None else replace(call, deltas=tuple(split(call.arguments)))
