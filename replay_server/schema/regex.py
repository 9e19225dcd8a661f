"""Reads a regular expression of Python's syntax into a tree, as far as text can be written from it.

What only looks (anchors, look-around, flags) is left out: whoever writes text from the tree checks it against the
pattern. The tree is our own, because that of `re` is private and differs between versions of Python.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

DIGITS = "0123456789"
LOWER = "abcdefghijklmnopqrstuvwxyz"
UPPER = LOWER.upper()
PRINTABLE = LOWER + UPPER + DIGITS + " -_.,:;!?@#$%&*+=/\\|~^'\"`()[]{}<>"
ESCAPED_CLASSES = {"d": DIGITS, "w": LOWER + UPPER + DIGITS + "_", "s": " "}
CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a", "0": "\0"}
CODE_LENGTHS = {"x": 2, "u": 4, "U": 8}
MOST_OF_RANGE = 128


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of these characters."""

    characters: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Either:
    """One of these."""

    branches: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same, several times; `most` is None where there is no limit."""

    part: "Node"
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """A group that can be referred to, by number and perhaps by name."""

    part: "Node"
    number: int
    name: str | None


@dataclass(frozen=True, slots=True)
class Again:
    """What a group matched before."""

    group: str


Node: TypeAlias = AnyOf | Sequence | Either | Repeat | Group | Again
NOTHING = Sequence(())


@lru_cache(maxsize=512)
def parse(pattern: str) -> Node:
    """The tree of a pattern that compiles."""
    return _Reader(pattern).either()


class _Reader:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._groups = 0

    def either(self) -> Node:
        branches = [self._sequence()]
        while self._taken("|"):
            branches.append(self._sequence())
        return branches[0] if len(branches) == 1 else Either(tuple(branches))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            parts.append(self._repeated(self._atom()))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _repeated(self, part: Node) -> Node:
        while (bounds := self._bounds()) is not None:
            part = Repeat(part, *bounds)
            if not self._taken("?"):  # lazy or possessive: the same texts
                self._taken("+")
        return part

    def _bounds(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._taken(sign):
                return bounds
        end = self._pattern.find("}", self._at)
        if not self._pattern.startswith("{", self._at) or end < 0:
            return None
        least, comma, most = self._pattern[self._at + 1 : end].partition(",")
        if not (least + most).isdecimal():
            return None  # a brace that stands for itself
        self._at = end + 1
        return int(least or 0), int(most) if most else None if comma else int(least)

    def _atom(self) -> Node:
        match sign := self._next():
            case "(":
                return self._group()
            case "[":
                return AnyOf(self._class())
            case ".":
                return AnyOf(PRINTABLE)
            case "^" | "$":
                return NOTHING
            case "\\":
                return self._escape()
            case _:
                return AnyOf(sign)

    def _group(self) -> Node:
        if not self._taken("?"):
            return self._numbered(None)
        if self._taken("P<"):
            return self._numbered(self._until(">"))
        if self._taken("P="):
            return Again(self._until(")"))
        looks = any(self._taken(sign) for sign in ("=", "!", "<=", "<!", "#"))
        if not looks:
            self._skip_flags()
            if self._taken(")"):
                return NOTHING
        inner = self.either()
        self._taken(")")
        return NOTHING if looks else inner

    def _numbered(self, name: str | None) -> Node:
        self._groups += 1
        number = self._groups
        inner = self.either()
        self._taken(")")
        return Group(inner, number, name)

    def _skip_flags(self) -> None:
        while self._at < len(self._pattern) and self._pattern[self._at] not in ":)>":
            self._at += 1
        if not self._pattern.startswith(")", self._at):
            self._at += 1

    def _escape(self) -> Node:
        sign = self._next()
        if sign in "bBAZ":
            return NOTHING
        if sign.isdecimal() and sign != "0":
            return Again(sign)
        return AnyOf(self._escaped(sign))

    def _escaped(self, sign: str) -> str:
        """The characters that an escape stands for, both in a class and outside."""
        if sign.lower() in ESCAPED_CLASSES:
            members = ESCAPED_CLASSES[sign.lower()]
            return members if sign.islower() else _others(members)
        if sign in CODE_LENGTHS:
            code = self._pattern[self._at : self._at + CODE_LENGTHS[sign]]
            self._at += CODE_LENGTHS[sign]
            return chr(int(code, 16))
        return CONTROLS.get(sign, sign)

    def _class(self) -> str:
        negated = self._taken("^")
        members = self._member()  # a bracket right at the start stands for itself
        while not self._taken("]"):
            is_range = self._pattern.startswith("-", self._at) and not self._pattern.startswith("-]", self._at)
            if is_range:
                self._at += 1
                members += _between(members[-1], self._member())
            else:
                members += self._member()
        return _others(members) if negated else members

    def _member(self) -> str:
        sign = self._next()
        return self._escaped(self._next()) if sign == "\\" else sign

    def _next(self) -> str:
        self._at += 1
        return self._pattern[self._at - 1]

    def _taken(self, sign: str) -> bool:
        found = self._pattern.startswith(sign, self._at)
        if found:
            self._at += len(sign)
        return found

    def _until(self, sign: str) -> str:
        end = self._pattern.index(sign, self._at)
        text = self._pattern[self._at : end]
        self._at = end + len(sign)
        return text


def _between(first: str, last: str) -> str:
    return "".join(map(chr, range(ord(first), min(ord(last), ord(first) + MOST_OF_RANGE) + 1)))


def _others(members: str) -> str:
    return "".join(sign for sign in PRINTABLE if sign not in members) or "é"
