"""The matchers of a library: which of them answers a request that no key did.

Of those whose conditions hold, the first wins by: most conditions, path of the cassette, place in it. Trying
thousands one after the other would take too long, so an index says which may hold: each matcher stands in it under
its rarest condition on a text, and all patterns of a kind of text are looked for in one pass.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import nsmallest
from typing import Any

from replay_server.cassettes.conditions import TEXT_FIELDS, Condition, Seen, conditions_of, model_test
from replay_server.cassettes.linear_regex import RegexSet, escaped, is_glob
from replay_server.cassettes.matching import EVERYTHING, Keyed, Scope
from replay_server.conditions import Conditions, TextTest
from replay_server.interaction import Interaction

Atom = tuple[str, TextTest]
"""A condition on a text that an index finds matchers by: which text, and the test."""


class Matcher:
    """An interaction that has conditions in place of a request."""

    def __init__(self, interaction: Interaction) -> None:
        self.interaction = interaction
        self.given = interaction.conditions or Conditions()
        self.conditions: tuple[Condition, ...] = conditions_of(self.given)

    @property
    def model(self) -> str:
        """The one model that it answers; empty where that is any, or several."""
        model = self.given.model or ""
        return "" if is_glob(model) else model

    @property
    def rank(self) -> tuple[int, str, int]:
        """Where it stands among matchers that hold: the least goes first."""
        return -len(self.conditions), self.interaction.cassette, self.interaction.place

    @cached_property
    def atoms(self) -> tuple[Atom, ...]:
        """Its conditions that an index finds it by."""
        model = None if self.given.model is None else model_test(self.given.model)
        tests = {"model": model, **{field: getattr(self.given, field) for field in TEXT_FIELDS[1:]}}
        return tuple((field, test) for field, test in tests.items() if test is not None)

    def holds(self, seen: Seen) -> bool:
        """Whether all its conditions hold."""
        return all(condition.holds(seen) for condition in self.conditions)

    def failing(self, seen: Seen) -> tuple[str, ...]:
        """How a request fails its conditions."""
        return tuple(condition.why_not(seen) for condition in self.conditions if not condition.holds(seen))


@dataclass(frozen=True, slots=True)
class Matched:
    """The matcher that answers a request, and the values that its response may use."""

    matcher: Matcher
    seen: Seen

    @property
    def interaction(self) -> Interaction:
        """What answers."""
        return self.matcher.interaction

    @property
    def groups(self) -> Mapping[str, str]:
        """The named groups of its patterns."""
        return {name: text for part in self.matcher.conditions for name, text in part.groups(self.seen).items()}

    @property
    def values(self) -> Mapping[str, Any]:
        """What templates may use: `VALUES`, and the groups."""
        spoken = self.seen.spoken
        values = {
            "model": self.seen.model,
            "last_user": spoken.last_user or "",
            "system": spoken.system or "",
            "turn": spoken.turn,
            "request": self.seen.body,
            "arguments": spoken.arguments,
            "tool_result": spoken.tool_result or "",
            "header": self.seen.open_headers,
        }
        return {**values, **self.groups}


@dataclass(frozen=True, slots=True)
class NearMatcher:
    """A matcher that nearly answers: what its conditions want, and what the request has."""

    interaction: Interaction
    failing: tuple[str, ...]


class Matchers:
    """All matchers of a library."""

    def __init__(self, interactions: Iterable[Interaction] = ()) -> None:
        by_endpoint: dict[str, list[Matcher]] = defaultdict(list)
        for interaction in interactions:
            by_endpoint[interaction.endpoint].append(Matcher(interaction))
        self._by_endpoint = {endpoint: MatcherIndex(found) for endpoint, found in by_endpoint.items()}

    def __len__(self) -> int:
        return sum(len(index.matchers) for index in self._by_endpoint.values())

    def __iter__(self) -> Iterator[Matcher]:
        return (matcher for index in self._by_endpoint.values() for matcher in index.matchers)

    @property
    def indexes(self) -> Iterable["MatcherIndex"]:
        """The matchers of each endpoint."""
        return self._by_endpoint.values()

    def find(self, asked: Keyed, headers: Mapping[str, str], scope: Scope = EVERYTHING) -> Matched | None:
        """The matcher that answers a request, of those that `scope` says."""
        index = self._by_endpoint.get(asked.request.endpoint)
        if index is None:
            return None
        seen = Seen(asked, headers)
        found = index.first(seen, scope)
        return Matched(found, seen) if found else None

    def nearest(
        self, asked: Keyed, headers: Mapping[str, str], count: int, scope: Scope = EVERYTHING
    ) -> list[NearMatcher]:
        """The matchers that fail in fewest conditions, best first."""
        index = self._by_endpoint.get(asked.request.endpoint)
        seen = Seen(asked, headers)
        matchers = [matcher for matcher in (index.matchers if index else ()) if scope.admits(matcher.interaction)]
        tried = ((matcher, matcher.failing(seen)) for matcher in matchers)
        best = nsmallest(count, tried, key=lambda found: (len(found[1]), found[0].rank))
        return [NearMatcher(matcher.interaction, failing) for matcher, failing in best]


class MatcherIndex:
    """The matchers of one endpoint, in the order in which they win."""

    def __init__(self, matchers: Iterable[Matcher]) -> None:
        self.matchers = sorted(matchers, key=lambda matcher: matcher.rank)
        users = Counter(atom for matcher in self.matchers for atom in matcher.atoms)
        self._unindexed: list[int] = []
        by_atom: dict[Atom, list[int]] = defaultdict(list)
        for place, matcher in enumerate(self.matchers):
            # Of conditions that as many have, a text that must be equal is found quickest.
            rarest = min(matcher.atoms, key=lambda atom: (users[atom], atom[1].kind != "equals"), default=None)
            (self._unindexed if rarest is None else by_atom[rarest]).append(place)
        self._fields = {field: _FieldIndex(field, by_atom) for field in TEXT_FIELDS if _uses(field, by_atom)}
        self.by_atom: Mapping[Atom, Sequence[int]] = by_atom

    def first(self, seen: Seen, scope: Scope = EVERYTHING) -> Matcher | None:
        """The matcher that answers."""
        places = self.candidates({field: seen.texts(field) for field in self._fields})
        candidates = [self.matchers[at] for at in places]
        if scope is not EVERYTHING:
            admitted = (each for each in candidates if scope.admits(each.interaction))
            candidates = sorted(admitted, key=lambda each: scope.place(each.interaction.cassette))
        return next((matcher for matcher in candidates if matcher.holds(seen)), None)

    def candidates(self, texts: Mapping[str, Sequence[str]]) -> list[int]:
        """The places of all matchers that may hold for a request with these texts, in order."""
        places = set(self._unindexed)
        for field, index in self._fields.items():
            for text in texts[field]:
                places.update(index.places(text))
        return sorted(places)


def _uses(field: str, by_atom: Mapping[Atom, Sequence[int]]) -> bool:
    return any(atom[0] == field for atom in by_atom)


class _FieldIndex:
    """Matchers by what they want of one kind of text."""

    def __init__(self, field: str, by_atom: Mapping[Atom, Sequence[int]]) -> None:
        tests = {test: places for (of, test), places in by_atom.items() if of == field}
        self._equal = {test.text: places for test, places in tests.items() if test.kind == "equals"}
        searched = [test for test in tests if test.kind != "equals"]
        self._searched = [tests[test] for test in searched]
        self._patterns = RegexSet(list(map(_pattern, searched))) if searched else None

    def places(self, text: str) -> Iterator[int]:
        """The places of those that may hold for a text."""
        yield from self._equal.get(text, ())
        if self._patterns is not None:
            for found in self._patterns.found(text):
                yield from self._searched[found]


def _pattern(test: TextTest) -> str:
    return test.text if test.kind == "regex" else escaped(test.text)
