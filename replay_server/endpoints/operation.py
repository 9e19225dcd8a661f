"""Operations on what a session keeps: stored answers, files, batches. And what they are given to work with.

An operation has no key of its own: it is recorded and replayed as any request is (see `any_request`), and where nobody
has recorded it, the objects of its session answer.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from replay_server.endpoints.base import Route
from replay_server.endpoints.objects import Kept, Objects
from replay_server.endpoints.openai import parse_object
from replay_server.errors import BadRequest, NotFound
from replay_server.interaction import Json, JsonObject, RawRequest, Reply, Wanted, WireResponse, WireStream
from replay_server.stamp import Stamp

_FIRST_CREATED = 1_700_000_000


Ask = Callable[[RawRequest], Awaitable[WireResponse | WireStream]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request for an operation. `stamp` seeds what its answer needs that is not of an object."""

    raw: RawRequest
    parameters: Mapping[str, str]
    session: str
    objects: Objects
    stamp: Stamp
    generate: Callable[[Wanted, str], Reply]
    """What a model would say, made up: a key of 64 hex digits seeds it."""
    ask: Ask
    """Has another request answered, as if a client of the session had sent it."""
    lenient: bool = False
    """Nothing that can be read is refused, and any id is that of an object."""

    @property
    def query(self) -> dict[str, str]:
        """The query; of a name that comes more than once the last value."""
        return dict(self.raw.query)

    def json(self) -> dict[str, Json]:
        """The JSON object of the body, empty where there is no body. Raises BadRequest."""
        return parse_object(self.raw.body) if self.raw.body.strip() else {}

    async def found(self, kind: str, id: str, missing: str, param: str | None = None) -> Kept:
        """The object with this id. Raises NotFound, with `missing` as its message."""
        kept = await self.objects.get(kind, id)
        if kept is None:
            raise NotFound(missing, param=param)
        return kept

    async def new(self, kind: str) -> "New":
        """What a new object is made of."""
        return New(kind, self.session, await self.objects.number(kind))


class New(NamedTuple):
    """An object in the making: the `number`th of its kind in its session, from 0."""

    kind: str
    session: str
    number: int

    @property
    def created(self) -> int:
        """Seconds since 1970: later than those that were made before."""
        return _FIRST_CREATED + self.number

    @property
    def stamp(self) -> Stamp:
        """Seeds whatever else it needs."""
        return Stamp(f"{self.session} {self.kind}", self.number)

    def id(self, prefix: str, length: int) -> str:
        """Its id."""
        return self.stamp.id(prefix, length)


@dataclass(frozen=True, slots=True)
class Operation:
    """What answers a method and a path, where nobody has recorded that."""

    route: Route
    answer: Callable[[Call], Awaitable[WireResponse | WireStream]]
    made_up: bool = False
    """Whether the answer is made up: then in strict mode there is none."""


@dataclass(frozen=True, slots=True)
class Operated:
    """An operation that was found for a path, with the path's parameters."""

    operation: Operation
    parameters: Mapping[str, str] = field(default_factory=dict)


# Lists of objects ----------------------------------------------------------------------------------------------------

MAX_LIMIT = 100


def page(
    call: Call, values: Sequence[JsonObject], *, order: str = "desc", limit: int = 20, most: int = MAX_LIMIT
) -> dict[str, Json]:
    """A page of objects, of which the first was made first: `after`, `before`, `limit` and `order` are the query's.

    Raises BadRequest. Source: the list operations of OpenAI's API description 2.3.0.
    """
    query = call.query
    ordered = list(values) if _order(query.get("order", order)) == "asc" else list(reversed(values))
    ids = [str(value["id"]) for value in ordered]
    first = _place(ids, query["after"], "after") + 1 if "after" in query else 0
    last = _place(ids, query["before"], "before") if "before" in query else len(ordered)
    size = _limit(query.get("limit", str(limit)), most)
    backwards = "before" in query and "after" not in query
    shown = ordered[first:last][-size:] if backwards else ordered[first:last][:size]
    more = len(ordered[first:last]) > len(shown)
    data: list[Json] = [dict(each) for each in shown]
    first_id, last_id = (shown[0]["id"], shown[-1]["id"]) if shown else ("", "")
    return {"object": "list", "data": data, "first_id": first_id, "last_id": last_id, "has_more": more}


def _order(text: str) -> str:
    if text not in ("asc", "desc"):
        raise BadRequest(
            f"Invalid value: '{text}'. Supported values are: 'asc' and 'desc'.", param="order", code="invalid_value"
        )
    return text


def _place(ids: Sequence[str], id: str, param: str) -> int:
    if id not in ids:
        raise BadRequest(f"Invalid '{param}': no object with the id '{id}'.", param=param, code="invalid_value")
    return ids.index(id)


def _limit(text: str, most: int) -> int:
    if not text.lstrip("-").isdecimal():
        raise BadRequest(
            f"Invalid type for 'limit': expected an integer, but got '{text}' instead.",
            param="limit",
            code="invalid_type",
        )
    number = int(text[:12])
    if number < 1:
        _refuse_limit("below", "minimum", 1, number, ">=")
    if number > most:
        _refuse_limit("above", "maximum", most, number, "<=")
    return number


def _refuse_limit(side: str, bound: str, value: int, number: int, sign: str) -> None:
    raise BadRequest(
        f"Invalid 'limit': integer {side} {bound} value. Expected a value {sign} {value}, but got {number} instead.",
        param="limit",
        code=f"integer_{side}_{'min' if bound == 'minimum' else 'max'}_value",
    )


def with_metadata(call: Call, values: Sequence[JsonObject]) -> list[JsonObject]:
    """The objects whose metadata is as the query says: `metadata[k]=v`."""
    wanted = {name[9:-1]: value for name, value in call.raw.query if name.startswith("metadata[") and name[-1] == "]"}

    def has(value: JsonObject) -> bool:
        metadata = value.get("metadata")
        given = metadata if isinstance(metadata, dict) else {}
        return all(given.get(name) == text for name, text in wanted.items())

    return [value for value in values if has(value)]
