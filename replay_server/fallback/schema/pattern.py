"""Text that matches a pattern, written from its tree and checked against the pattern itself."""

from replay_server.fallback.draw import Draw
from replay_server.fallback.schema.dialect import compiled, pythonic
from replay_server.fallback.schema.regex import Again, AnyOf, Either, Group, Node, Repeat, Sequence, parse

TRIES = 80
LONGEST = 20_000
EXTRA = 4
"""How many more repetitions than needed are written, at most, where the length leaves it open."""


def write(pattern: str, draw: Draw, least: int = 0, most: int | None = None) -> str | None:
    """A text that the pattern is found in, of a length between `least` and `most`; None if none was found."""
    node, search = parse(pythonic(pattern)), compiled(pattern).search
    for attempt in range(TRIES + min(least, LONGEST)):
        text = _Writer(draw, _extra(attempt, least), exact=attempt % 2 == 1).text(node)
        if len(text) > LONGEST:
            return None
        fits = least <= len(text) and (most is None or len(text) <= most)
        if fits and search(text):
            return text
    return None


def _extra(attempt: int, least: int) -> int:
    """Grows from attempt to attempt, so that each length is tried; starts where the length may be right at once."""
    return (attempt // 2 + EXTRA) % (EXTRA + TRIES // 2 + least)


class _Writer:
    def __init__(self, draw: Draw, extra: int, exact: bool) -> None:
        self._draw = draw
        self._extra = extra
        self._exact = exact
        self._length = 0
        self._groups: dict[str, str] = {}

    def text(self, node: Node) -> str:
        match node:
            case AnyOf():
                self._length += 1
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
            if self._length > LONGEST:
                break
            parts.append(self.text(node.part))
        return "".join(parts)

    def _remembered(self, node: Group) -> str:
        text = self.text(node.part)
        self._groups[str(node.number)] = text
        if node.name is not None:
            self._groups[node.name] = text
        return text
