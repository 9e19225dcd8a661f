"""The library: all interactions of a directory, found by the key of a request."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, Union

from replay_server.cassettes.config import Config
from replay_server.cassettes.files import Signature, cassette_files, load_config, read_file
from replay_server.cassettes.matching import EVERYTHING, Candidate, Disagreement, Keyed, Match, Scope, best
from replay_server.cassettes.reader import read_cassette
from replay_server.endpoints.base import Resource
from replay_server.endpoints.table import resource_named
from replay_server.interaction import Interaction, RawRequest, Request

if TYPE_CHECKING:
    from replay_server.cassettes.matchers import Matched, Matchers
    from replay_server.cassettes.neighbours import Neighbours


Found: TypeAlias = Union[Match, "Matched", list[Disagreement]]
"""What answers a request, by its key or as a matcher; else the interactions that have its key, and why they cannot."""


class Prepared(NamedTuple):
    """What a cassette is to hold, with the keys of those that have one."""

    interactions: list[Interaction]
    candidates: list[Candidate]


class Library:
    """Interactions by key, then matchers. `directory` is the name that messages give it."""

    def __init__(self, directory: str, interactions: Iterable[Interaction] = (), config: Config | None = None) -> None:
        self.directory = directory
        self.config = config or Config()
        self._by_key: dict[str, list[Candidate]] = {}
        self._redacted: set[str] = set()  # keys of requests that hold a placeholder, or did
        self._with_key = 0
        self._keys: dict[str, set[str]] | None = None
        self.revision = 0  # counts the changes since it was loaded
        self.stale: dict[str, str] = {}
        """Cassettes that broke since they were loaded, with what is wrong: their last good version answers."""
        self.signatures: dict[str, Signature] = {}
        """What the files looked like that are held here, as far as anybody needs to know."""
        self.matchers: Matchers | None = None
        self._neighbours: Neighbours | None = None
        cassettes, matchers = set(), []
        for interaction in interactions:
            if interaction.conditions is None:
                self._add(self.candidate(interaction))
            else:
                matchers.append(interaction)
            cassettes.add(interaction.cassette)
        self.cassettes = len(cassettes)
        self._take_matchers(matchers)

    @classmethod
    def load(cls, directory: Path) -> "Library":
        """Read a directory; one that does not exist is empty. Raises CassetteError."""
        if not directory.exists():
            return cls(str(directory))
        return cls(str(directory), read_directory(directory), load_config(directory))

    def key(self, resource: Resource, request: Request) -> Keyed:
        """The request with its key, under the rules of this library."""
        return Keyed(resource, request, self.config)

    def look_up(
        self, resource: Resource, request: Request, raw: RawRequest, scope: Scope = EVERYTHING, *, recording: bool
    ) -> tuple[Keyed, Found]:
        """The request with its key, and what answers it: what `find` says, else a matcher.

        What has the key of recorded requests without secrets has none in what made the key, and of the rest nothing is
        kept or shown: it is not searched, and that is nearly every hit. Unless it is to be recorded itself.
        """
        asked = Keyed(resource, request, self.config, clean=True)
        found = self.find(asked, scope)
        if not recording and asked.key not in self._redacted and isinstance(found, Match):
            return asked, found
        if not self.config.redactor.came_clean(raw):
            asked = Keyed(resource, request, self.config)
            found = self.find(asked, scope)
        return asked, found if isinstance(found, Match) else self.match(asked, raw.headers, scope) or found

    def find(self, asked: Keyed, scope: Scope = EVERYTHING) -> Match | list[Disagreement]:
        """The interaction that answers; else those that have the key, and why they cannot.

        A `scope` says which of them may, and which come first.
        """
        candidates = self._by_key.get(asked.key)
        if candidates and (scope.only or scope.without):
            candidates = [candidate for candidate in candidates if scope.admits(candidate.interaction)]
        return best(candidates, asked, self.config.match_on, scope) if candidates else []

    def candidate(self, interaction: Interaction) -> Candidate:
        """An interaction with its key, under the rules of this library. It is not in it yet."""
        resource = resource_named(interaction.endpoint)
        return Candidate(interaction, self.key(resource, resource.from_cassette(interaction.request)))

    def prepared(self, interactions: Iterable[Interaction]) -> Prepared:
        """What `replace` takes, which is the slow part: a thread can do it before."""
        given = list(interactions)
        candidates = [self.candidate(interaction) for interaction in given if interaction.conditions is None]
        return Prepared(given, candidates)

    def put(self, cassette: str, interactions: Iterable[Interaction], signature: Signature | None = None) -> None:
        """Take what a cassette holds now, in place of what it held. `signature`: that of the file."""
        self.replace(cassette, self.prepared(interactions), signature)

    def replace(self, cassette: str, now: Prepared, signature: Signature | None = None) -> None:
        """The same with what has been prepared."""
        keys = self._keys_of_cassettes()
        self._remove(cassette, keys.pop(cassette, set()))
        added = {self._add(candidate) for candidate in now.candidates}
        if added:
            keys[cassette] = added
        self._put_matchers(cassette, [each for each in now.interactions if each.conditions is not None])
        self.cassettes = len(keys.keys() | {found.interaction.cassette for found in self.matchers or ()})
        self.stale.pop(cassette, None)
        self.signatures.pop(cassette, None)
        if signature is not None:
            self.signatures[cassette] = signature
        self.revision += 1

    def become(self, other: "Library") -> None:
        """Take all that another library holds, and its rules, in one step."""
        vars(self).update(vars(other), revision=self.revision + 1)

    def held(self, cassette: str) -> list[Interaction]:
        """What a cassette holds, in order."""
        keys = self._keys_of_cassettes().get(cassette, set())
        found = [candidate.interaction for key in keys for candidate in self._by_key[key]]
        found += [matcher.interaction for matcher in self.matchers or ()]
        return sorted((each for each in found if each.cassette == cassette), key=lambda each: each.place)

    @property
    def interactions(self) -> list[Interaction]:
        """All of them, matchers too."""
        found = [candidate.interaction for candidate in self]
        return found + [matcher.interaction for matcher in self.matchers or ()]

    def _keys_of_cassettes(self) -> dict[str, set[str]]:
        if self._keys is None:  # only who changes cassettes needs to know them
            self._keys = {}
            for key, candidates in self._by_key.items():
                for candidate in candidates:
                    self._keys.setdefault(candidate.interaction.cassette, set()).add(key)
        return self._keys

    def _put_matchers(self, cassette: str, matchers: list[Interaction]) -> None:
        there = [found.interaction for found in self.matchers or ()]
        others = [interaction for interaction in there if interaction.cassette != cassette]
        if matchers or len(others) < len(there):  # nearly never: recorders write none
            self._take_matchers(others + matchers)

    def _take_matchers(self, interactions: list[Interaction]) -> None:
        if interactions:
            # Loaded when there is one: most libraries have none.
            from replay_server.cassettes.matchers import Matchers

            self.matchers = Matchers(interactions)
        else:
            self.matchers = None

    def _remove(self, cassette: str, keys: Iterable[str]) -> None:
        for key in keys:
            if self._neighbours is not None:
                for candidate in self._by_key[key]:
                    if candidate.interaction.cassette == cassette:
                        self._neighbours.remove(candidate)
            left = [found for found in self._by_key[key] if found.interaction.cassette != cassette]
            self._with_key -= len(self._by_key[key]) - len(left)
            if left:
                self._by_key[key] = left
            else:
                del self._by_key[key]

    def match(self, asked: Keyed, headers: Mapping[str, str], scope: Scope = EVERYTHING) -> "Matched | None":
        """The matcher that answers a request that no key does."""
        return self.matchers.find(asked, headers, scope) if self.matchers else None

    def __iter__(self) -> Iterator[Candidate]:
        return (candidate for candidates in self._by_key.values() for candidate in candidates)

    def __len__(self) -> int:
        return self._with_key + len(self.matchers or ())

    def has_endpoint(self, endpoint: str) -> bool:
        """Whether any interaction is of this endpoint."""
        return any(candidate.interaction.endpoint == endpoint for candidate in self)

    @property
    def neighbours(self) -> "Neighbours":
        """Where to look for what is nearest to a miss: made at the first one, and kept up from then on."""
        if self._neighbours is None or self._neighbours.worn:
            from replay_server.cassettes.neighbours import Neighbours  # a replay never needs it

            self._neighbours = Neighbours(self)
        return self._neighbours

    @property
    def models(self) -> tuple[str, ...]:
        """The models that the cassettes name, in order."""
        named = {candidate.keyed.request.model for candidate in self}
        return tuple(sorted(named.union(matcher.model for matcher in self.matchers or ()) - {""}))

    def _add(self, candidate: Candidate) -> str:
        keyed = candidate.keyed
        self._by_key.setdefault(keyed.key, []).append(candidate)
        self._with_key += 1
        if not keyed.is_clean:
            self._redacted.add(keyed.key)
        if self._neighbours is not None:
            self._neighbours.add(candidate)
        return keyed.key


def read_directory(directory: Path) -> Iterator[Interaction]:
    """The interactions of all cassettes of a directory, in order. Raises CassetteError."""
    for name, path in cassette_files(directory):
        # Messages name the whole path, so that an editor or a terminal can open it.
        yield from read_cassette(name, read_file(str(path), path), str(path))
