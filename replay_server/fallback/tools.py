"""Which tools an answer calls, and with what.

A tool fits a prompt if they share a content word, by stem: one in the tool's name, its parameters' names or its
description, in this order of weight. A tool that must be called need not fit.
"""

import json
from collections.abc import Iterable

from replay_server.errors import BadRequest
from replay_server.fallback import json_text
from replay_server.fallback.draw import Draw
from replay_server.fallback.schema import SchemaError, require_sound, value
from replay_server.fallback.topic import Topic
from replay_server.fallback.words import TOOL_WORDS, stem, stems
from replay_server.interaction import Json, TextWanted, Tool, ToolCall

MOST_CALLS = 2
NAME_WEIGHT, PARAMETER_WEIGHT, DESCRIPTION_WEIGHT = 4, 2, 1
SAYS_NOTHING = frozenset(map(stem, TOOL_WORDS))


def choose(wanted: TextWanted, topic: Topic) -> list[Tool]:
    """The tools to call, best first; none where the answer is a text."""
    if not wanted.tools or (wanted.after_tool_result and not wanted.must_call):
        return []
    words = stems(topic.text)
    ranked = sorted(((fit(tool, words), tool) for tool in wanted.tools), key=lambda pair: -pair[0])
    chosen = [tool for score, tool in ranked if score > 0] or ([ranked[0][1]] if wanted.must_call else [])
    return chosen[: MOST_CALLS if wanted.parallel else 1]


def fit(tool: Tool, words: frozenset[str]) -> int:
    """How well a tool fits the stems of a prompt; 0: not at all."""
    parameters = tool.parameters.get("properties")
    names = " ".join(parameters) if isinstance(parameters, dict) else ""
    weighted = ((tool.name, NAME_WEIGHT), (names, PARAMETER_WEIGHT), (tool.description, DESCRIPTION_WEIGHT))
    return sum(weight * len((stems(text) - SAYS_NOTHING) & words) for text, weight in weighted)


def call(tool: Tool, topic: Topic, draw: Draw) -> ToolCall:
    """A call of the tool with arguments that are valid for it."""
    if tool.kind == "custom":
        return ToolCall(name=tool.name, arguments=topic.request or topic.phrase, kind=tool.kind)
    try:
        arguments = value(_parameters(tool), draw, topic)
    except SchemaError as problem:
        raise _bad(tool, problem) from None
    return ToolCall(name=tool.name, arguments=json_text.compact(arguments), kind=tool.kind)


def require_sound_tools(tools: Iterable[Tool]) -> None:
    """Raise BadRequest for the first tool whose parameters are no schema of an object, called or not."""
    for tool in tools:
        try:
            require_sound(_parameters(tool))
        except SchemaError as problem:
            raise _bad(tool, problem) from None


def _parameters(tool: Tool) -> dict[str, Json]:
    kind = tool.parameters.get("type", "object")
    if kind != "object":
        raise SchemaError(f"schema must be a JSON Schema of 'type: \"object\"', got 'type: {json.dumps(kind)}'.")
    return {**tool.parameters, "type": "object"}


def _bad(tool: Tool, problem: SchemaError) -> BadRequest:
    message = f"Invalid schema for function '{tool.name}': {problem}"
    return BadRequest(message, param="tools", code="invalid_function_parameters")
