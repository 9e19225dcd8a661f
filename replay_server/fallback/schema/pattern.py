"""Text that matches a pattern, written from its tree and checked against the pattern itself."""

from replay_server.fallback.draw import Draw
from replay_server.schema.dialect import compiled, pythonic
from replay_server.schema.regex import LOWER, Again, AnyOf, Either, Group, Node, Repeat, Sequence, parse

TRIES = 160
MOST_STEPS = 20_000
EXTRA = 4


def write(pattern: str, draw: Draw, least: int = 0, most: int | None = None) -> str | None:
    """A text that the pattern is found in, of a length between `least` and `most`; None if none was found."""
    node, search = parse(pythonic(pattern)), compiled(pattern).search
    for attempt in range(TRIES):
        writer = _Writer(draw, _extra(attempt // 2, least, draw), exact=attempt % 2 == 1)
        text = writer.text(node)
        if writer.steps > MOST_STEPS:
            return None
        if not pattern.endswith("$"):  # the end is open
            text += _letters(least - len(text), draw)
        if least <= len(text) and (most is None or len(text) <= most) and search(text):
            return text
    return None


def _letters(number: int, draw: Draw) -> str:
    return "".join(draw.choice(LOWER) for _ in range(number))


def _extra(attempt: int, least: int, draw: Draw) -> int:
    """How many repetitions are written more than needed: few; then as many as one repeat needs; then any number."""
    if attempt < EXTRA:
        return EXTRA
    if attempt < TRIES // 4:
        return max(least - attempt + EXTRA, attempt % EXTRA)
    return draw.below(least + 2 * EXTRA)


class _Writer:
    def __init__(self, draw: Draw, extra: int, exact: bool) -> None:
        self._draw = draw
        self._extra = extra
        self._exact = exact
        self.steps = 0
        self._groups: dict[str, str] = {}

    def text(self, node: Node) -> str:
        self.steps += 1
        match node:
            case AnyOf():
                return self._draw.choice(node.characters)
            case Sequence():
                return "".join(map(self.text, node.parts))
            case Either():
                return self.text(self._draw.choice(node.branches))
            case Repeat():
                return self._repeated(node)
            case Group():
                return self._remembered(node)
            case Again():
                return self._groups.get(node.group, "")

    def _repeated(self, node: Repeat) -> str:
        more = self._extra if self._exact else self._draw.below(self._extra + 1)
        times = node.least + more if node.most is None else min(node.most, node.least + more)
        parts = []
        for _ in range(times):
            if self.steps > MOST_STEPS:
                break
            parts.append(self.text(node.part))
        return "".join(parts)

    def _remembered(self, node: Group) -> str:
        text = self.text(node.part)
        self._groups[str(node.number)] = text
        if node.name is not None:
            self._groups[node.name] = text
        return text
