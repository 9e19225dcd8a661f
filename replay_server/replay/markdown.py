"""An explanation as Markdown: nothing that a cassette or a client says is taken for Markdown or HTML."""

import re
from collections.abc import Iterator
from string import ascii_letters, digits

from replay_server.cassettes.agreement import picture
from replay_server.keys import Difference
from replay_server.replay.explanation import Explanation, Neighbour
from replay_server.replay.words import compare, written
from replay_server.terminal import printable

_PLAIN = frozenset(f"{ascii_letters}{digits} ,;")


def plain(text: str) -> str:
    """`text` as itself: every mark that could mean something becomes its character reference."""
    return "".join(char if char in _PLAIN or not char.isascii() else f"&#{ord(char)};" for char in printable(text))


def code(text: str) -> str:
    """`text` as code within a line."""
    return f"<code>{plain(text)}</code>"


def block(text: str, language: str = "") -> str:
    """Lines as a block of code, with a fence that is longer than any within."""
    lines = [printable(line) for line in text.split("\n")]
    longest = max((len(found) for found in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *lines, fence])


def explanation_markdown(explanation: Explanation) -> str:
    """The explanation, as a section."""
    if explanation.matches:
        return f"{plain(explanation.title)}\n"
    return "\n\n".join(filter(None, [f"#### {plain(explanation.title)}", *_sections(explanation)])) + "\n"


def _sections(explanation: Explanation) -> Iterator[str]:
    if explanation.near:
        yield "\n".join(["| nearest | parts |", "|---|---|", *map(_row, explanation.near)])
        yield from _nearest(explanation.near[0])
    for near in explanation.near_matchers:
        yield f"Nearest matcher: {code(near.interaction.id)}, {plain('; '.join(near.failing))}"
    for remedy in explanation.elsewhere:
        yield plain(remedy.text)
    yield plain(explanation.record)


def _row(found: Neighbour) -> str:
    return f"| {code(found.interaction.id)} | {plain(picture(found.near.parts))} |"


def _nearest(found: Neighbour) -> Iterator[str]:
    for difference in found.near.differences[:1]:
        yield f"Recorded and asked differ at {code(difference.path)}:"
        yield _difference(difference)
    for remedy in found.remedies:
        yield plain(remedy.text) + (":" if remedy.paste else "")
        if remedy.paste:
            yield block(remedy.paste, "yaml")


def _difference(difference: Difference) -> str:
    left, right = difference.left, difference.right
    if isinstance(left, str) and isinstance(right, str):
        return block(written(compare(left, right)))
    return block(str(difference))
