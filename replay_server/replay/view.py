"""What a session sees: what was added to it at run time, then the cassettes, as far as they may answer it."""

from collections.abc import Iterator, Mapping, Sequence
from heapq import nsmallest
from typing import TYPE_CHECKING

from replay_server.cassettes.library import Found, Library
from replay_server.cassettes.matching import Candidate, Disagreement, Keyed, Match, Scope

if TYPE_CHECKING:
    from replay_server.cassettes.matchers import Matcher, NearMatcher


class View:
    """Libraries, the first before the others, each with what of it may answer."""

    def __init__(self, parts: Sequence[tuple[Library, Scope]]) -> None:
        self._parts = parts

    def find(self, asked: Keyed, headers: Mapping[str, str]) -> Found:
        """What answers a request that has these headers."""
        nearly: list[Disagreement] = []
        for library, scope in self._parts:
            found = library.find(asked, scope)
            if isinstance(found, Match):
                return found
            if matched := library.match(asked, headers, scope):
                return matched
            nearly += found
        return nearly

    @property
    def candidates(self) -> Iterator[Candidate]:
        """All that may answer by their key."""
        for library, scope in self._parts:
            yield from (candidate for candidate in library if scope.admits(candidate.interaction))

    @property
    def matchers(self) -> "Iterator[Matcher]":
        """All that may answer as matchers."""
        for library, scope in self._parts:
            yield from (matcher for matcher in library.matchers or () if scope.admits(matcher.interaction))

    def nearest_matchers(self, asked: Keyed, headers: Mapping[str, str], count: int) -> "list[NearMatcher]":
        """The matchers that fail in fewest conditions, best first."""
        libraries = ((library.matchers, scope) for library, scope in self._parts)
        found = [near for every, scope in libraries if every for near in every.nearest(asked, headers, count, scope)]
        return nsmallest(count, found, key=lambda near: len(near.failing))
