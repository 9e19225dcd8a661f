"""What a session sees: what was added to it at run time, then the cassettes, as far as they may answer it."""

from collections.abc import Iterator, Mapping, Sequence
from heapq import nsmallest
from typing import TYPE_CHECKING

from replay_server.cassettes.library import Found, Library
from replay_server.cassettes.matching import EVERYTHING, Candidate, Disagreement, Keyed, Match, Scope

if TYPE_CHECKING:
    from replay_server.cassettes.matchers import Matcher, NearMatcher
    from replay_server.cassettes.nearest import Near


class View:
    """Libraries, the first before the others, each with what of it may answer."""

    def __init__(self, parts: Sequence[tuple[Library, Scope]]) -> None:
        self._parts = parts

    @property
    def cassettes(self) -> Library:
        """The library of what was loaded: the last one."""
        return self._parts[-1][0]

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

    def nearest(self, asked: Keyed, disagreements: Sequence[Disagreement]) -> "list[Near]":
        """The interactions that agree with a request in most parts, best first; `disagreements` before all others."""
        from replay_server.cassettes.nearest import agreeing, nearest  # a replay never needs it

        *added, (library, scope) = self._parts
        found = nearest(library, asked, disagreements, scope=scope)
        others = [near for part, within in added for near in nearest(part, asked, scope=within)]
        if not others:
            return found
        return sorted(found + others, key=lambda near: (near.candidate.keyed.key != asked.key, -agreeing(near)))

    def nearest_matchers(self, asked: Keyed, headers: Mapping[str, str], count: int) -> "list[NearMatcher]":
        """The matchers that fail in fewest conditions, best first."""
        libraries = ((library.matchers, scope) for library, scope in self._parts)
        found = [near for every, scope in libraries if every for near in every.nearest(asked, headers, count, scope)]
        return nsmallest(count, found, key=lambda near: len(near.failing))


def whole(library: Library) -> View:
    """All of a library."""
    return View([(library, EVERYTHING)])
