"""What comes before an answer: thoughts, and what tools did that the API itself runs."""

import base64
import re
from dataclasses import replace

from replay_server.fallback import json_text
from replay_server.fallback.draw import FINEST, Draw
from replay_server.fallback.prose import Prose
from replay_server.fallback.tokens import count, split
from replay_server.fallback.topic import Topic
from replay_server.interaction import HostedTool, Json, Reasoning, TextWanted, ToolUse

SUMMARY = "summary"
MOST_PARTS = 2
MCP_TOOL = "search"
SIZE = re.compile(r"(\d{1,4})x(\d{1,4})")
DEFAULT_SIZE = "1024x1024"
LONGEST_SIDE = 4096


def thoughts(wanted: TextWanted, topic: Topic, draw: Draw) -> tuple[tuple[Reasoning, ...], int]:
    """What is told of the thoughts before an answer, and how many tokens they were."""
    if not wanted.thinks:
        return (), 0
    prose = Prose(topic, draw)
    texts = [f"**About {topic.phrase}**\n\n{prose.sentence()}" for _ in range(draw.between(1, MOST_PARTS))]
    shown = texts if wanted.summary else [""]
    told = tuple(Reasoning(SUMMARY, text, tuple(split(text)) if wanted.stream else None) for text in shown)
    return told, sum(map(count, texts))


def use(tool: HostedTool, topic: Topic, draw: Draw) -> ToolUse:
    """What a tool was asked, and what it gave."""
    prose, query = Prose(topic, draw), topic.request or topic.phrase
    match tool.kind:
        case "web_search":
            return ToolUse(
                tool=tool, input=query, output=f"https://example.com/{'-'.join(topic.words[:4]) or 'search'}"
            )
        case "code_interpreter":
            number = draw.below(1000)
            return ToolUse(tool=tool, input=f"# {topic.phrase}\nresult = {number}\nprint(result)", output=f"{number}\n")
        case "image_generation":
            size, painted = _picture(tool, draw)
            return ToolUse(tool=replace(tool, size=size), input=prose.sentence(), output=painted)
        case "mcp":
            output = None if tool.asks_first else prose.sentence()
            name = tool.names[0] if tool.names else MCP_TOOL
            return ToolUse(tool=tool, name=name, input=json_text.compact(_arguments(query)), output=output)
        case _:
            return ToolUse(tool=tool, input=query, output=prose.sentence())


def _arguments(query: str) -> Json:
    return {"query": query}


def _picture(tool: HostedTool, draw: Draw) -> tuple[str, str]:
    """The size that was painted, and the picture in base64."""
    from replay_server.fallback.pictures import picture  # few answers have one

    size = tool.size if SIZE.fullmatch(tool.size) else DEFAULT_SIZE
    width, height = (min(max(int(number), 1), LONGEST_SIDE) for number in size.split("x"))
    painted = picture(f"{draw.below(FINEST):x}", width, height, tool.format)
    return f"{width}x{height}", base64.b64encode(painted).decode()
