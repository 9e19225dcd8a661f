"""The objects of one session under the paths of an API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from replay_server.endpoints.described.collections import Collection
from replay_server.endpoints.described.lives import beginning, new_id, unsaid
from replay_server.endpoints.described.routing import filled
from replay_server.endpoints.objects import Kept
from replay_server.endpoints.operation import Call, New
from replay_server.interaction import Json, JsonObject

_THERE_FROM_THE_START = 2
"""Objects of a collection whose members no request makes: the events of a job, the users of an organization."""


@dataclass(frozen=True, slots=True)
class Store:
    """The members of a collection at one place: the runs of one thread."""

    call: Call
    api: str
    collection: Collection
    parameters: Mapping[str, str]

    @property
    def kind(self) -> str:
        """Their kind in the session: no other API has it."""
        path = self.collection.path
        return f"{self.api} {filled(path, self.parameters) or path}"

    async def all(self) -> Sequence[Kept]:
        """All of them, those made first in front."""
        await self._begin()
        return await self.call.objects.all(self.kind)

    async def get(self, id: str) -> Kept | None:
        """One of them."""
        await self._begin()
        return await self.call.objects.get(self.kind, id)

    async def put(self, kept: Kept) -> Kept:
        """Keep one."""
        await self.call.objects.put(self.kind, kept)
        return kept

    async def remove(self, id: str) -> None:
        """Forget one."""
        await self.call.objects.remove(self.kind, id)

    async def looked_at(self, id: str) -> int:
        """How often somebody asked for it before; from now on once more."""
        return await self.call.objects.number(f"{self.kind} looked at {id}")

    async def add(self, said: JsonObject, content: bytes = b"") -> Kept:
        """Keep a new one, of which so much was said."""
        if not self.collection.creates:  # then it is one of those that were there from the start
            await self.call.objects.number(f"{self.kind} began")
        return await self.put(self._new(await self.call.new(self.kind), said, content))

    def _new(self, new: New, said: JsonObject, content: bytes) -> Kept:
        nulls = unsaid(self.collection.shown or {}) if self.collection.creates else {}
        known = {**nulls, **self.facts(new.created), **_without_nulls(said)}
        given = said.get(self.collection.parameter, said.get("id"))
        if isinstance(given, str | int) and not isinstance(given, bool) and given != "":
            return Kept(str(given), {**known, "id": said.get("id", given)}, content)
        known["id"] = new_id(new, self.collection.shown or {}, self.collection.path)
        if self.collection.parameter == "version":  # they are counted, and have ids beside that
            return Kept(str(new.number + 1), {**known, "version": str(new.number + 1)}, content)
        return Kept(str(known["id"]), known, content)

    def facts(self, created: int) -> dict[str, Json]:
        """What holds for each of them."""
        begun = beginning(self.collection.shown or {}, created, self.collection.path)
        return {"created_at": created, **begun, **self.parameters}

    async def _begin(self) -> None:
        if self.collection.creates or await self.call.objects.number(f"{self.kind} began"):
            return
        for _ in range(_THERE_FROM_THE_START):
            await self.add({})


def _without_nulls(said: JsonObject) -> JsonObject:
    """What was left out in words is left out."""
    return {name: value for name, value in said.items() if value is not None}
