"""Why a request matches what it matches, for people: a pure value that each place shows in its own way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from replay_server.cassettes.agreement import picture
from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import Candidate, Disagreement, Keyed, Match
from replay_server.cassettes.nearest import NEAREST, Near, near_to
from replay_server.endpoints.base import Resource
from replay_server.interaction import Interaction, Json, Request
from replay_server.keys import Difference, part_hashes
from replay_server.replay.remedies import Remedy, of_other_endpoints, remedies
from replay_server.replay.view import View, whole
from replay_server.replay.words import compare, written
from replay_server.terminal import BOLD, coloured, printable

if TYPE_CHECKING:
    from replay_server.cassettes.matchers import Matched, NearMatcher

_DIFFERENCES_SHOWN = 5
_LONG_TEXT = 40
_LONGEST_LINE = 240


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One of the nearest interactions, and what would make the request match it."""

    near: Near
    remedies: tuple[Remedy, ...]

    @property
    def interaction(self) -> Interaction:
        """The interaction."""
        return self.near.interaction

    @property
    def first(self) -> str:
        """Its name, and the first difference."""
        if not self.near.differences:
            return f"{self.interaction.id}, which this session does not use"
        return f"{self.interaction.id}, recorded != asked at {self.near.differences[0]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A request, its key, and what became of it. `record` ends it: how to record the request."""

    asked: Keyed
    found: Match | list[Disagreement]
    directory: str = ""
    interactions: int = 0
    near: tuple[Neighbour, ...] = ()
    matched: "Matched | None" = None
    """The matcher that answers, where no key does."""
    near_matchers: tuple["NearMatcher", ...] = ()
    elsewhere: tuple[Remedy, ...] = ()
    """Interactions of other endpoints that were asked the same."""
    record: str = ""

    @property
    def matches(self) -> bool:
        """Whether an interaction answers."""
        return self.answering is not None

    @property
    def answering(self) -> Interaction | None:
        """The interaction that answers, by its key or as a matcher."""
        if isinstance(self.found, Match):
            return self.found.interaction
        return self.matched.interaction if self.matched else None

    @property
    def title(self) -> str:
        """What happened, and to which request."""
        endpoint, key = self.asked.request.endpoint, self.asked.key[:16]
        if self.answering:
            return printable(f"{self.answering.id} answers {endpoint} (key {key})")
        return printable(
            f"no interaction for {endpoint} (key {key}) in {self.directory} ({self.interactions} interactions)"
        )

    def short(self) -> str:
        """A few lines, for an error message: what is nearest, where it differs, and what to do."""
        if self.matches:
            return self.title
        lines = [self.title, self._nearest(), *self._others(), *self._advice(), self.record]
        return "\n".join(filter(None, lines))

    def line(self) -> str:
        """One line, for a log."""
        if self.matches:
            return self.title
        return " - ".join([self.title, self._nearest(), *self._advice()])

    def lines(self, *, color: bool = False) -> Iterator[str]:
        """All of it, as text."""
        yield f"endpoint   {printable(self.asked.request.endpoint)}"
        yield f"key        {self.asked.key}"
        yield "canonical"
        canonical = orjson.dumps(self.asked.canonical, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
        yield from (f"  {printable(line)}" for line in canonical.splitlines())
        yield "parts"
        for name, digest in part_hashes(self.asked.canonical, self.asked.shape).items():
            yield f"  {digest}  {printable(name)}"
        yield from self._match_lines() if self.matches else self._miss_lines(color)

    def as_json(self) -> dict[str, Json]:
        """All of it, for programs."""
        return {
            "endpoint": self.asked.request.endpoint,
            "key": self.asked.key,
            "canonical": dict(self.asked.canonical),
            "shape": dict(self.asked.shape),
            "parts": dict(part_hashes(self.asked.canonical, self.asked.shape)),
            "match": self.answering.id if self.answering else None,
            "matcher": _matched_json(self.matched) if self.matched else None,
            "drift": list(self.found.drift) if isinstance(self.found, Match) else [],
            "nearest": [_neighbour_json(found) for found in self.near],
            "nearest_matchers": [_near_matcher_json(near) for near in self.near_matchers],
            "elsewhere": [_remedy_json(remedy) for remedy in self.elsewhere],
            "record": self.record or None,
        }

    def markdown(self) -> str:
        """All of a miss, for a page."""
        from replay_server.replay.markdown import explanation_markdown  # only a page needs it

        return explanation_markdown(self)

    def _nearest(self) -> str:
        if not self.near:
            return printable(f"nearest: none, as no cassette holds a request for {self.asked.request.endpoint}")
        return _clipped(f"nearest: {self.near[0].first}")

    def _others(self) -> Iterator[str]:
        for found in self.near[1:]:
            yield _clipped(f"then: {found.interaction.id} ({picture(found.near.parts)})")
        for near in self.near_matchers[:1]:
            yield _clipped(f"nearest matcher: {near.interaction.id}, {near.failing[0]}")

    def _advice(self) -> list[str]:
        """What is sure to help."""
        return [_advice(remedy) for remedy in (*(self.near[0].remedies if self.near else ()), *self.elsewhere)]

    def _match_lines(self) -> Iterator[str]:
        if isinstance(self.found, Match):
            yield f"matches    {printable(self.found.interaction.id)}"
            if self.found.drift:
                yield f"drift      {', '.join(map(printable, self.found.drift))}"
        elif self.matched is not None:
            yield f"matches    {printable(self.matched.interaction.id)}, a matcher: no key is the same"
            yield from (printable(f"  {name} = {text!r}") for name, text in self.matched.groups.items())

    def _miss_lines(self, color: bool) -> Iterator[str]:
        yield "matches    nothing"
        for found in self.near:
            yield from _neighbour_lines(found, color)
        for near_matcher in self.near_matchers:
            yield f"near       {printable(near_matcher.interaction.id)}, a matcher, but for"
            yield from (printable(f"  {failing}") for failing in near_matcher.failing)
        for remedy in self.elsewhere:
            yield f"mend       {printable(str(remedy))}"
        if self.record:
            yield printable(self.record)


def _clipped(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= _LONGEST_LINE else f"{shown[: _LONGEST_LINE - 1]}…"


def _advice(remedy: Remedy) -> str:
    """In a line; half of something to paste is of no use."""
    if len(remedy.paste) > _LONGEST_LINE:
        return f"{_clipped(remedy.text)}: replay-server explain shows how"
    return _clipped(remedy.text) + (f": {printable(remedy.paste)}" if remedy.paste else "")


# As text -------------------------------------------------------------------------------------------------------------


def _neighbour_lines(found: Neighbour, color: bool) -> Iterator[str]:
    differences = found.near.differences
    where = ", recorded != asked at" if differences else ", which this session does not use"
    yield f"near       {coloured(printable(found.interaction.id), BOLD, color)}{where}"
    for difference in differences[:_DIFFERENCES_SHOWN]:
        yield printable(f"  {difference}")
        if words := _words(difference, color):
            yield f"    {words}"
    if len(differences) > _DIFFERENCES_SHOWN:
        yield f"  … and {len(differences) - _DIFFERENCES_SHOWN} more"
    yield f"  parts    {printable(picture(found.near.parts))}"
    yield from (f"  mend     {printable(str(remedy))}" for remedy in found.remedies)


def _words(difference: Difference, color: bool) -> str:
    """Long texts, word by word."""
    left, right = difference.left, difference.right
    if not isinstance(left, str) or not isinstance(right, str) or max(len(left), len(right)) <= _LONG_TEXT:
        return ""
    return written(compare(left, right), color=color)


# As JSON -------------------------------------------------------------------------------------------------------------


def _neighbour_json(found: Neighbour) -> dict[str, Json]:
    parts: list[Json] = [{"name": part.name, "role": part.role, "sign": part.sign} for part in found.near.parts]
    return {
        "interaction": found.interaction.id,
        "line": found.interaction.line,
        "parts": parts,
        "differences": [_difference_json(difference) for difference in found.near.differences],
        "remedies": [_remedy_json(remedy) for remedy in found.remedies],
    }


def _difference_json(difference: Difference) -> dict[str, Json]:
    """A side that has nothing there is left out."""
    sides = {"recorded": difference.left, "asked": difference.right}
    return {
        "path": difference.path,
        **{
            name: side
            for name, side in sides.items()
            if side is None or isinstance(side, bool | int | float | str | list | dict)
        },
        "words": _words(difference, color=False) or None,
    }


def _remedy_json(remedy: Remedy) -> dict[str, Json]:
    return {"kind": remedy.kind, "text": remedy.text, "paste": remedy.paste or None}


def _matched_json(matched: "Matched") -> dict[str, Json]:
    return {"interaction": matched.interaction.id, "groups": dict(matched.groups)}


def _near_matcher_json(near: "NearMatcher") -> dict[str, Json]:
    return {"interaction": near.interaction.id, "failing": list(near.failing)}


# Explaining ----------------------------------------------------------------------------------------------------------


def explain_request(library: Library, resource: Resource, request: Request, record: str = "") -> Explanation:
    """What a request matches in a library, else the three nearest interactions."""
    return explain(whole(library), library.key(resource, request), record)


def explain(view: View, asked: Keyed, record: str = "") -> Explanation:
    """The same of what a session sees."""
    found = view.find(asked, {})  # neither a request in a file nor one in the journal has headers
    if isinstance(found, Match):
        return Explanation(asked=asked, found=found)
    if not isinstance(found, list):
        return Explanation(asked=asked, found=[], matched=found)
    return explain_miss(view, asked, found, record=record)


def explain_miss(
    view: View,
    asked: Keyed,
    disagreements: list[Disagreement],
    headers: Mapping[str, str] | None = None,
    record: str = "",
) -> Explanation:
    """Why no interaction answers a request: what is nearest to it, and what would help.

    `disagreements` is what the view found. Also for requests that have been answered otherwise, generated say, long
    ago.
    """
    library = view.cassettes
    near = (*_out_of_reach(library, asked), *view.nearest(asked, disagreements))[:NEAREST]
    return Explanation(
        asked=asked,
        found=disagreements,
        directory=library.directory,
        interactions=len(library),
        near=tuple(Neighbour(found, remedies(library, found, asked)) for found in near),
        near_matchers=tuple(view.nearest_matchers(asked, headers or {}, NEAREST)),
        elsewhere=tuple(of_other_endpoints(library, asked)),
        record=record,
    )


def _out_of_reach(library: Library, asked: Keyed) -> Iterator[Near]:
    """The interaction that would answer, had the session not been told to do without it."""
    found = library.find(asked)
    if isinstance(found, Match):
        interaction = found.interaction
        resource = asked.resource
        keyed = library.key(resource, resource.from_cassette(interaction.request))
        yield near_to(Candidate(interaction, keyed), asked, library.config.match_on)
