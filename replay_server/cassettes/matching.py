"""Which of the interactions with one key answers a request, and in what they differ from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from replay_server.cassettes.config import WHOLE_BODY, Config
from replay_server.endpoints.base import Resource
from replay_server.endpoints.table import resource_named
from replay_server.interaction import Interaction, Json, JsonObject, Request
from replay_server.keys import Difference, Volatile, canonical_json, explain, request_key, steady

if TYPE_CHECKING:
    from replay_server.cassettes.redaction.redaction import Redaction


def _steadied(canonical: JsonObject, rules: Sequence[Volatile]) -> JsonObject:
    """The prompt without its volatile text."""
    steadied = steady(dict(canonical), rules)
    return steadied if isinstance(steadied, dict) else canonical


class Keyed:
    """A request with its key, both without secrets. What only some matches need is worked out when it is asked for.

    `clean`: there is nothing to redact in what makes the key, and of `request` nothing is kept or shown but by `shown`.
    """

    _redaction: "Redaction | None" = None

    def __init__(self, resource: Resource, request: Request, config: Config, *, clean: bool = False) -> None:
        self.resource = resource
        self.request = request
        self.compared = request
        """The request with all placeholders of a rule alike: what a secret was makes no difference to a match."""
        self._config = config
        if not (clean or config.redactor.is_clean(request)):
            self._redact(request)
        canonical = resource.canonical(self.compared)
        self.canonical = _steadied(canonical, config.volatile) if config.volatile else canonical
        self.key = request_key(self.compared.endpoint, self.canonical)

    @property
    def is_clean(self) -> bool:
        """Whether it came without secrets and placeholders."""
        return self.compared is self.request

    def _redact(self, request: Request) -> None:
        from replay_server.cassettes.redaction.placeholders import unnumbered_request  # seldom needed

        self._redaction = self._config.redactor.exchange()
        self.request = self._redaction.request(request)
        self.compared = unnumbered_request(self.request)
        if self.request.endpoint != request.endpoint:  # a path that nobody knows, with a secret in it
            self.resource = resource_named(self.request.endpoint)

    @property
    def shown(self) -> Request:
        """The request as it may be kept or shown, even where `clean` was said of the key alone."""
        redactor = self._config.redactor
        return self.request if redactor.is_clean(self.request) else redactor.request(self.request)

    @property
    def redaction(self) -> "Redaction":
        """What its answer is to be redacted by: the numbers go on, and secrets of the request are known."""
        return self._redaction or self._config.redactor.exchange()

    @cached_property
    def prompt(self) -> JsonObject:
        """The fields of the key, as they came."""
        return self.resource.prompt(self.compared)

    @cached_property
    def shape(self) -> JsonObject:
        """The fields that shape the answer."""
        return self.resource.shape(self.compared)

    def shape_field(self, name: str) -> Json:
        """One of them, None where it has its default."""
        return self.resource.shape_field(self.compared, name)

    @cached_property
    def drifting(self) -> JsonObject:
        """The other fields."""
        return self.resource.drifting(self.compared)

    def drifting_field(self, name: str) -> Json:
        """One of them, None where it has its default."""
        return self.resource.drifting_field(self.compared, name)

    @cached_property
    def identity(self) -> bytes:
        """What it has in common with requests that are the same to a recorder: key, shape, other fields, and mode."""
        return canonical_json([self.key, self.shape, self.drifting, self.request.stream])


@dataclass(frozen=True, slots=True)
class Candidate:
    """An interaction with its own request, keyed."""

    interaction: Interaction
    keyed: Keyed


class Match(NamedTuple):
    """The interaction that answers, and the fields in which the request differs from it without consequence."""

    interaction: Interaction
    drift: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An interaction with the request's key that cannot answer it: the first field that would change the answer."""

    candidate: Candidate
    field: str
    recorded: Json
    asked: Json

    @property
    def difference(self) -> Difference:
        """The first place within the field where the two differ; recorded left, asked right."""
        return next(explain(self.recorded, self.asked, self.field))


@dataclass(frozen=True, slots=True)
class Scope:
    """Which interactions may answer: those of `cassettes` come first, in this order; with `only`, no others do.

    `without` are the ids of interactions that have been taken out.
    """

    cassettes: tuple[str, ...] = ()
    only: bool = False
    without: frozenset[str] = frozenset()

    def admits(self, interaction: Interaction) -> bool:
        """Whether an interaction may answer at all."""
        if self.only and self.place(interaction.cassette) == len(self.cassettes):
            return False
        return not self.without or interaction.id not in self.without

    def place(self, file: str) -> int:
        """The place of a file among the cassettes, behind them all where it is in none."""
        places = (at for at, cassette in enumerate(self.cassettes) if is_part_of(file, cassette))
        return next(places, len(self.cassettes))


EVERYTHING = Scope()
"""What answers where nobody has said anything."""


def best(
    candidates: Sequence[Candidate], asked: Keyed, match_on: tuple[str, ...], scope: Scope = EVERYTHING
) -> Match | list[Disagreement]:
    """The candidate nearest to what is asked, by `scope` first; where none can answer, why each cannot."""
    if len(candidates) == 1:  # nearly always: there is nothing to rank
        only = _compare(candidates[0], asked, match_on)
        return only if isinstance(only, Match) else [only]
    matches, disagreements = [], []
    for candidate in candidates:
        found = _compare(candidate, asked, match_on)
        if isinstance(found, Match):
            matches.append((_rank(candidate, asked, found, scope), found))
        else:
            disagreements.append(found)
    return min(matches, key=lambda ranked: ranked[0])[1] if matches else disagreements


def _rank(
    candidate: Candidate, asked: Keyed, match: Match, scope: Scope
) -> tuple[int, bool, bool, int, bool, str, int]:
    ours, theirs = candidate.keyed.compared, asked.compared
    return (
        scope.place(candidate.interaction.cassette),
        ours.body != theirs.body,
        candidate.keyed.prompt != asked.prompt,
        len(match.drift),
        ours.stream != theirs.stream,
        candidate.interaction.cassette,
        candidate.interaction.place,
    )


TOP = "*"
"""What a session calls the files that lie in no folder."""


def is_part_of(file: str, cassette: str) -> bool:
    """Whether a file is what a session or a recorder calls `cassette`: the file of that name, or one in its folder."""
    if cassette == TOP:
        return "/" not in file
    return file.startswith(f"{cassette}/") or file in (f"{cassette}.yaml", f"{cassette}.yml")


def _compare(candidate: Candidate, asked: Keyed, match_on: tuple[str, ...]) -> Match | Disagreement:
    interaction, ours = candidate.interaction, candidate.keyed
    # What a hand-written request does not name, its writer did not care about.
    all_named = interaction.recorded or match_on == (WHOLE_BODY,)
    drift = []
    for name in _unequal(ours, asked, all_named):
        left, right = ours.shape_field(name), asked.shape_field(name)
        if not _same(left, right):
            return Disagreement(candidate, name, left, right)
        left, right = ours.drifting_field(name), asked.drifting_field(name)
        if not _same(left, right):
            if name in match_on or match_on == (WHOLE_BODY,):
                return Disagreement(candidate, name, left, right)
            drift.append(name)
    return Match(interaction, tuple(drift))


def _unequal(ours: Keyed, asked: Keyed, all_named: bool) -> list[str]:
    """The fields that are not the same as they came: few, so that only few need a closer look.

    Those of the prompt have been compared already: they are the key.
    """
    left, right, prompt = ours.compared.body, asked.compared.body, asked.canonical
    unequal = [
        name
        for name, value in left.items()
        if name not in prompt and (name not in right or not _same(value, right[name]))
    ]
    return unequal + [name for name in right if name not in left and name not in prompt] if all_named else unequal


def _same(left: Json, right: Json) -> bool:
    if left.__class__ is str or left is None:  # nearly always
        return left == right
    return left == right and canonical_json(left) == canonical_json(right)  # == alone takes True for 1
