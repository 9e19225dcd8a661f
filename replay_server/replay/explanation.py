"""Why a request matches what it matches, for people."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import EVERYTHING, Disagreement, Keyed, Match
from replay_server.cassettes.nearest import Near, nearest
from replay_server.endpoints.base import Resource
from replay_server.endpoints.table import ENDPOINTS, implied_endpoint, resource_named
from replay_server.errors import UsageError
from replay_server.interaction import Interaction, Json, JsonObject, Request
from replay_server.keys import part_hashes
from replay_server.replay.view import View
from replay_server.terminal import printable

if TYPE_CHECKING:
    from replay_server.cassettes.matchers import Matched, NearMatcher

_NEAREST = 3
_DIFFERENCES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Explanation:
    """A request, its key, and what became of it."""

    asked: Keyed
    found: Match | list[Disagreement]
    near: tuple[Near, ...]
    matched: "Matched | None" = None
    """The matcher that answers, where no key does."""
    near_matchers: tuple["NearMatcher", ...] = ()

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

    def as_json(self) -> dict[str, Json]:
        """The explanation for programs."""
        return {
            "endpoint": self.asked.request.endpoint,
            "key": self.asked.key,
            "canonical": dict(self.asked.canonical),
            "shape": dict(self.asked.shape),
            "parts": dict(part_hashes(self.asked.canonical, self.asked.shape)),
            "match": self.answering.id if self.answering else None,
            "matcher": _matched_json(self.matched) if self.matched else None,
            "drift": list(self.found.drift) if isinstance(self.found, Match) else [],
            "nearest": [_near_json(near) for near in self.near],
            "nearest_matchers": [_near_matcher_json(near) for near in self.near_matchers],
        }

    def lines(self) -> Iterator[str]:
        """The explanation as text."""
        yield f"endpoint   {self.asked.request.endpoint}"
        yield f"key        {self.asked.key}"
        yield "canonical"
        canonical = orjson.dumps(self.asked.canonical, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
        yield from (f"  {printable(line)}" for line in canonical.splitlines())
        yield "parts"
        for name, digest in part_hashes(self.asked.canonical, self.asked.shape).items():
            yield f"  {digest}  {name}"
        yield from self._outcome()

    def _outcome(self) -> Iterator[str]:
        if isinstance(self.found, Match):
            yield f"matches    {self.found.interaction.id}"
            if self.found.drift:
                yield f"drift      {', '.join(map(printable, self.found.drift))}"
            return
        if self.matched is not None:
            yield f"matches    {self.matched.interaction.id}, a matcher: no key is the same"
            yield from (printable(f"  {name} = {text!r}") for name, text in self.matched.groups.items())
            return
        yield "matches    nothing"
        for disagreement in self.found:
            nearly = disagreement.candidate.interaction.id
            yield printable(f"same prompt in {nearly}, but recorded != asked at {disagreement.difference}")
        for near in self.near:
            yield f"near       {near.interaction.id}, recorded != asked at"
            yield from (printable(f"  {difference}") for difference in near.differences[:_DIFFERENCES_SHOWN])
            if len(near.differences) > _DIFFERENCES_SHOWN:
                yield f"  … and {len(near.differences) - _DIFFERENCES_SHOWN} more"
        for near_matcher in self.near_matchers:
            yield f"near       {near_matcher.interaction.id}, a matcher, but for"
            yield from (printable(f"  {failing}") for failing in near_matcher.failing)


def _near_json(near: Near) -> dict[str, Json]:
    return {"interaction": near.interaction.id, "differences": [str(difference) for difference in near.differences]}


def _matched_json(matched: "Matched") -> dict[str, Json]:
    return {"interaction": matched.interaction.id, "groups": dict(matched.groups)}


def _near_matcher_json(near: "NearMatcher") -> dict[str, Json]:
    return {"interaction": near.interaction.id, "failing": list(near.failing)}


def explain_request(library: Library, resource: Resource, request: Request) -> Explanation:
    """What a request matches in a library, else the three nearest interactions."""
    return explain(View([(library, EVERYTHING)]), library.key(resource, request))


def explain(view: View, asked: Keyed) -> Explanation:
    """The same of what a session sees."""
    found = view.find(asked, {})  # neither a request in a file nor one in the journal has headers
    if isinstance(found, Match):
        return Explanation(asked, found, ())
    if not isinstance(found, list):
        return Explanation(asked, [], (), found)
    near = tuple(nearest(view.candidates, asked, _NEAREST))
    return Explanation(asked, found, near, None, tuple(view.nearest_matchers(asked, {}, _NEAREST)))


def read_requests(data: bytes, file: str, endpoint: str | None) -> Iterator[tuple[Resource, Request]]:
    """The requests of a file: the JSON body of one, or lines in OpenAI's Batch form. Raises UsageError."""
    for number, text in _json_texts(data):
        value = _read_json(text, f"{file}:{number}")
        body = value.get("body", value)
        if not isinstance(body, dict):
            raise UsageError(f"{file}:{number}: body must be an object")
        name = endpoint or _endpoint_of(value.get("url")) or implied_endpoint(body)
        if name is None:
            raise UsageError(f"{file}:{number}: has neither messages nor prompt: name the endpoint with --endpoint")
        if name not in ENDPOINTS:
            raise UsageError(f"{file}:{number}: the endpoint {name!r} is none of {', '.join(ENDPOINTS)}")
        resource = resource_named(name)
        yield resource, resource.from_cassette(body)


def _json_texts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The whole file where it is one object, else its lines; with their numbers."""
    lines = [(number, line) for number, line in enumerate(data.splitlines(), 1) if line.strip()]
    if len(lines) > 1 and all(line.strip().startswith(b"{") and line.strip().endswith(b"}") for _, line in lines):
        yield from lines
    elif lines:
        yield 1, data


def _read_json(text: bytes, where: str) -> JsonObject:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{where}: is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise UsageError(f"{where}: must be a JSON object, the body of a request")
    return value


def _endpoint_of(url: Json) -> str | None:
    return url.split("?")[0].removeprefix("/").removeprefix("v1/") if isinstance(url, str) else None
