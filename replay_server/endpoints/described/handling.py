"""What an operation does, by its role: it makes, lists, shows, changes or deletes objects of the session."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

from replay_server.endpoints.described.answers import Answers
from replay_server.endpoints.described.api import Described
from replay_server.endpoints.described.collections import JSON, Collection, Listing, Places, Role, parent
from replay_server.endpoints.described.lives import after, finished, next_status, uploaded
from replay_server.endpoints.described.runs import RunReply, in_thread, is_message, is_run
from replay_server.endpoints.described.store import Store
from replay_server.endpoints.objects import Kept
from replay_server.endpoints.operation import MAX_LIMIT, Call, page
from replay_server.endpoints.shapes import Shape, alternatives
from replay_server.errors import NotFound
from replay_server.interaction import Json, JsonObject, WireResponse, WireStream

Wire: TypeAlias = WireResponse | WireStream

_PAGE = 20
"""Objects on a page, where neither request nor description says how many."""
_ORDERS = {"ascending": "asc", "descending": "desc"}
_PAGING = ("after", "before", "limit", "order")


@dataclass(frozen=True)
class Handling:
    """One request being answered."""

    places: Places
    answers: Answers

    @property
    def _call(self) -> Call:
        return self.answers.call

    @property
    def _described(self) -> Described:
        return self.answers.described

    @property
    def _body(self) -> JsonObject:
        return self.answers.asked.body

    async def answer(self) -> Wire:
        """Whatever its role demands. Raises ApiError."""
        role = self.places.role(self._described)
        collection = self._collection(role)
        await self._check_parents(collection)
        if collection is None:
            return await (self._settled() if role is Role.SETTLE else self._other())
        handlers: Mapping[Role, Callable[[Store], Awaitable[Wire]]] = {
            Role.CREATE: self._create,
            Role.LIST: self._list,
            Role.RETRIEVE: self._retrieve,
            Role.UPDATE: self._update,
            Role.DELETE: self._delete,
            Role.ACT: self._act,
            Role.READ: self._read,
        }
        return await handlers[role](self._store(collection))

    def _collection(self, role: Role) -> Collection | None:
        """The collection that the operation works on, if it does on one."""
        path = self._described.path.rstrip("/")
        if role in (Role.OTHER, Role.SETTLE):
            return None
        if role in (Role.CREATE, Role.LIST):
            return self.places.collections[path]
        return self.places.collections[parent(path if path.endswith("}") else parent(path))]

    def _store(self, collection: Collection, parameters: Mapping[str, str] | None = None) -> Store:
        given = self._call.parameters if parameters is None else parameters
        return Store(self._call, self.answers.api.name, collection, given)

    # What was there --------------------------------------------------------------------------------------------------

    async def _check_parents(self, own: Collection | None) -> None:
        """Raise NotFound where something in the path is below an object that there is not."""
        if self._call.lenient:
            return
        for _, collection in self.places.above(self._described.path):
            if collection is not own and self.places.shows(collection):
                await self._found(self._store(collection))

    async def _found(self, store: Store) -> Kept:
        """The object that the path names. Raises NotFound."""
        named = self._call.parameters[store.collection.parameter]
        kept = await store.get(named)
        if kept is not None:
            return kept
        if self._call.lenient or not self.places.shows(store.collection):
            return Kept(named, {**store.facts(self._call.stamp.created), "id": named})
        noun = store.collection.path.rpartition("/")[2].removesuffix("s").replace("_", " ")
        raise NotFound(f"No {noun} found with id '{named}'.")

    def _shown(self, store: Store, kept: Kept, schema: Shape) -> Json:
        created = kept.value.get("created_at")
        moment = created if isinstance(created, int) else None
        return self.answers.made(schema, kept.value, f"{store.kind} {kept.id}", created=moment)

    # By role ---------------------------------------------------------------------------------------------------------

    async def _create(self, store: Store) -> Wire:
        listing = self.places.listing(self._described)
        if listing is not None:
            return await self._create_several(store, listing)
        kept, value = await self._added(store, self._body, self.answers.schema)
        await self._add_below(store, kept)
        return await self._created(store, kept, value)

    async def _created(self, store: Store, kept: Kept, value: Json) -> Wire:
        if self.answers.asked.streams and is_run(kept):
            return self.answers.frames(await RunReply(self.places, self.answers, store).streamed(kept))
        return self.answers.whole(value)

    async def _added(self, store: Store, said: JsonObject, schema: Shape) -> tuple[Kept, Json]:
        """A new object, and how it is shown."""
        files = self.answers.asked.files
        content = b"".join(files.values())
        facts = uploaded(str(said.get("file", "")), content) if files else {}
        kept = await store.add({**facts, **(in_thread(said) if is_message(store.collection) else said)}, content)
        value = self._shown(store, kept, schema)
        shown = value if isinstance(value, dict) else {}
        return await store.put(kept._replace(value={**kept.value, **shown})), value

    async def _create_several(self, store: Store, listing: Listing) -> Wire:
        """One object for each thing that the request lists."""
        name, listed = next(((n, v) for n, v in self._body.items() if isinstance(v, list)), ("", [None]))
        values = []
        for each in listed:
            said = each if isinstance(each, dict) else {name.removesuffix("s"): each}
            values.append((await self._added(store, said, listing.member))[1])
        return self.answers.listed(listing, values)

    async def _add_below(self, store: Store, kept: Kept) -> None:
        """What was given along with an object: the messages of a thread."""
        for below in self.places.below(store.collection):
            if below.parameter == "version" and below.creates:  # the first one comes with the object itself
                await self._store(below, {**store.parameters, store.collection.parameter: kept.id}).add({})
            given = self._body.get(below.path.rpartition("/")[2])
            if not isinstance(given, list) or below.shown is None or not below.creates:
                continue
            inner = self._store(below, {**store.parameters, store.collection.parameter: kept.id})
            for said in given:
                if isinstance(said, dict):
                    await self._added(inner, said, below.shown)

    async def _list(self, store: Store) -> Wire:
        listing = self.places.listing(self._described)
        if listing is None:
            return await self._other()
        kept = {each.id: each for each in await store.all() if self._is_wanted(each)}
        order, size = (_parameter(self._described, name) for name in ("order", "limit"))
        usual = int(size.get("default") or _PAGE)
        shown = page(
            self._paging(kept),
            [{"id": each} for each in kept],
            order="asc" if str(order.get("default")).startswith("asc") else "desc",
            limit=usual,
            most=max(usual, int(size.get("maximum") or MAX_LIMIT)),
        )
        found = [kept[str(each["id"])] for each in cast("list[JsonObject]", shown["data"])]
        values = [self._shown(store, each, listing.member) for each in found]
        return self.answers.listed(listing, values, more=shown["has_more"] is True)

    def _paging(self, kept: Mapping[str, Kept]) -> Call:
        """The call with what pages look at; leniently, a place that there is not is none."""
        query = [
            (name, _ORDERS.get(value, value) if name == "order" else value)
            for name, value in self._call.raw.query
            if not self._call.lenient or name not in _PAGING or value in kept
        ]
        return replace(self._call, raw=self._call.raw._replace(query=tuple(query)))

    def _is_wanted(self, kept: Kept) -> bool:
        """Whether an object is as the query says: `status=completed`, `metadata[k]=v`."""
        for name, wanted in self.answers.asked.query.items():
            value = kept.value.get(name)
            if isinstance(wanted, dict) and isinstance(value, dict):
                if not wanted.items() <= value.items():
                    return False
            elif isinstance(wanted, str) and isinstance(value, str) and value != wanted:
                return False
        return True

    async def _retrieve(self, store: Store) -> Wire:
        kept = await self._found(store)
        if await store.looked_at(kept.id):
            kept = await self._gone_on(store, kept)
        return self.answers.whole(self._shown(store, kept, self.answers.schema))

    async def _gone_on(self, store: Store, kept: Kept) -> Kept:
        """The object, further than when somebody looked before."""
        status = next_status(store.collection.shown or {}, kept.value.get("status"), store.collection.path)
        if status is None:
            return kept
        facts = {"status": status, **finished(status, kept.value)}
        kept = await store.put(kept._replace(value={**kept.value, **facts}))
        if status == "completed" and is_run(kept):
            await RunReply(self.places, self.answers, store).say(kept)
        return kept

    async def _update(self, store: Store) -> Wire:
        return await self._changed(store, {})

    async def _act(self, store: Store) -> Wire:
        return await self._changed(store, after(self._verb, store.collection.shown or {}, store.collection.path))

    @property
    def _verb(self) -> str:
        """What is done: `submit` of `…/submit_tool_outputs`, `cancel` of `cancelEvalRun`."""
        last = self._described.path.rstrip("/").rpartition("/")[2]
        name = self._described.operation_id if last.endswith("}") else last
        word = "".join(letter if letter.isalpha() and letter.islower() else " " for letter in name)
        return (word.split() or [""])[0]

    async def _changed(self, store: Store, facts: JsonObject) -> Wire:
        kept = await self._found(store)
        said = {name: value for name, value in self._body.items() if name not in ("id", "object")}
        kept = await store.put(kept._replace(value={**kept.value, **said, **facts}))
        return await self._created(store, kept, self._shown(store, kept, self.answers.schema))

    async def _delete(self, store: Store) -> Wire:
        kept = await self._found(store)
        await store.remove(kept.id)
        return self._gone(store, kept)

    def _gone(self, store: Store, kept: Kept) -> Wire:
        """What is said of an object that was deleted."""
        kind = kept.value.get("object")
        told: JsonObject = {"object": f"{kind}.deleted"} if isinstance(kind, str) else {}
        facts = {**kept.value, **self._call.parameters, "deleted": True, **told}
        return self.answers.whole(self.answers.made(self.answers.schema, facts, f"{store.kind} {kept.id}"))

    async def _read(self, store: Store) -> Wire:
        return self.answers.content((await self._found(store)).content)

    async def _settled(self) -> Wire:
        """The one object of its path: as it was last said to be."""
        collection = Collection(self._described.path, None, "id", creates=True, shown=self.answers.schema)
        store = self._store(collection)
        kept = await store.get("") or Kept("", store.facts(self._call.stamp.created))
        if self._described.method == "DELETE":
            await store.remove("")
            return self._gone(store, kept)
        if self._described.method != "GET":
            kept = await store.put(kept._replace(value={**kept.value, **self._body}))
        return self.answers.whole(self._shown(store, kept, self.answers.schema))

    # What is no object of its path -----------------------------------------------------------------------------------

    async def _other(self) -> Wire:
        """If it is shown as the objects of a collection are, then it is one from now on."""
        posted = self._described.method == "POST"
        holder = self.places.holding(self._described.answers.get(JSON)) if posted else None
        if holder is not None and holder.creates:
            store = self._store(holder, await self._with_parents(holder))
            return await self._created(store, *await self._added(store, self._body, self.answers.schema))
        listing = self.places.listing(self._described) if posted else None
        if listing is not None and (ids := _named(self._body)):
            done = after(self._verb, listing.member)
            return self.answers.listed(listing, [self.answers.made(listing.member, {"id": i, **done}, i) for i in ids])
        return self.answers.whole(self.answers.made(self.answers.schema, {**self._call.parameters, **self._body}))

    async def _with_parents(self, holder: Collection) -> dict[str, str]:
        """The parameters of a collection's path, its parents made where nobody names them."""
        parameters = dict(self._call.parameters)
        for name, above in self.places.above(holder.path):
            if name in parameters:
                continue
            given, said = self._body.get(name), self._body.get(name.removesuffix("_id"))
            store = self._store(above, parameters)
            kept = await store.add(said if isinstance(said, dict) else {})
            parameters[name] = given if isinstance(given, str) and given else kept.id
            for below in self.places.below(above):
                await self._add_said(below, said, parameters)
        return parameters

    async def _add_said(self, below: Collection, said: Json, parameters: Mapping[str, str]) -> None:
        """What a parent that is made on the way was said to have: the messages of its thread."""
        listed = said.get(below.path.rpartition("/")[2]) if isinstance(said, dict) else None
        for each in listed if isinstance(listed, list) and below.shown is not None else ():
            if isinstance(each, dict):
                await self._added(self._store(below, parameters), each, below.shown or {})


def _parameter(described: Described, name: str) -> Shape:
    """The plain schema of a parameter of the query."""
    found = (alternatives(each.schema) for each in described.parameters if (each.name, each.place) == (name, "query"))
    return next((shapes[0] for shapes in found if shapes), {})


def _named(body: JsonObject) -> Sequence[str]:
    """The ids that a request lists."""
    listed = next((value for name, value in body.items() if name.endswith("ids") and isinstance(value, list)), [])
    return [each for each in listed if isinstance(each, str)]
