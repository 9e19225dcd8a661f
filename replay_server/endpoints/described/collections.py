"""What the paths of an API tell of its objects: which ones it lists, makes, shows, changes and deletes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from replay_server.endpoints.described.api import Api, Described
from replay_server.endpoints.described.routing import Routing, is_parameter
from replay_server.endpoints.shapes import Reference, Shape, alternatives

JSON = "application/json"


class Role(Enum):
    """What an operation does with the objects of its path."""

    CREATE = "create"
    LIST = "list"
    RETRIEVE = "retrieve"
    UPDATE = "update"
    DELETE = "delete"
    ACT = "act"
    """Something is done to one object: it is cancelled, say."""
    READ = "read"
    """The content of one object."""
    SETTLE = "settle"
    """The one object of a path without ids is shown, changed or deleted."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list is: `name` is the property that holds its members, empty where the answer is the list itself."""

    name: str
    member: Shape


@dataclass(frozen=True, slots=True)
class Collection:
    """Objects of one kind: those at `path`, each at `item`, whose last parameter is `parameter`."""

    path: str
    item: str | None
    parameter: str
    creates: bool
    """Whether a request makes them. Where none does, some are there from the start."""
    shown: Shape | None
    """The schema of one that is retrieved, or of a member of the list."""


class Places:
    """The objects of an API, by the templates of its paths."""

    def __init__(self, api: Api, routing: Routing) -> None:
        self._api = api
        self._templates = routing.templates

    @cached_property
    def collections(self) -> Mapping[str, Collection]:
        """By their paths."""
        return {each.path: each for each in self._collections()}

    def _collections(self) -> Iterator[Collection]:
        items = {parent(path): path for path in self._items() if self._has_objects(path)}
        lists = [path for path in self._templates if self._lists_objects(path)]
        for path in dict.fromkeys((*items, *lists)):
            item = items.get(path)
            parameter = item.rpartition("/")[2][1:-1] if item else "id"
            yield Collection(path, item, parameter, self._creates(path), self._shown(path, item))

    def _items(self) -> Iterator[str]:
        """Every path up to a parameter, whether or not there is an operation at it."""
        for path in self._templates:
            segments = path.split("/")
            yield from ("/".join(segments[: at + 1]) for at, each in enumerate(segments) if is_parameter(each))

    def _has_objects(self, item: str) -> bool:
        return item in self._templates or self._operation(parent(item), "POST") is not None

    def _lists_objects(self, path: str) -> bool:
        listing = self.listing(self._operation(path, "GET"))
        return listing is not None and "id" in properties(listing.member)

    def _creates(self, path: str) -> bool:
        return any(self._operation(path, method) is not None for method in ("POST", "PUT"))

    def _shown(self, path: str, item: str | None) -> Shape | None:
        if item and (retrieve := self._operation(item, "GET")) and JSON in retrieve.answers:
            return retrieve.answers[JSON]
        if listing := self.listing(self._operation(path, "GET")):
            return listing.member
        create = self._operation(path, "POST")
        return create.answers.get(JSON) if create else None

    def _operation(self, path: str, method: str) -> Described | None:
        template = self._templates.get(path)
        return template.operations.get(method, (None,))[0] if template else None

    def role(self, operation: Described) -> Role:
        """What an operation does."""
        path, method = operation.path.rstrip("/"), operation.method
        if is_parameter(path.rpartition("/")[2]):
            return self._role_of_item(operation)
        if path in self.collections:
            if method == "GET":
                return Role.LIST if self.listing(operation) else Role.OTHER
            return Role.CREATE if method in ("POST", "PUT") else Role.OTHER
        if self._is_settled(path):
            return Role.SETTLE
        collection = self.collections.get(parent(parent(path)))
        if collection is None or collection.item != parent(path):
            return Role.OTHER
        return self._role_below_item(operation, collection)

    def _role_of_item(self, operation: Described) -> Role:
        if operation.method in ("GET", "DELETE"):
            return Role.RETRIEVE if operation.method == "GET" else Role.DELETE
        return Role.UPDATE if operation.requests else Role.ACT

    def _role_below_item(self, operation: Described, collection: Collection) -> Role:
        answer = operation.answers.get(JSON)
        if operation.method == "GET":
            return Role.OTHER if answer is not None and len(operation.answers) == 1 else Role.READ
        return Role.ACT if answer is None or same(answer, collection.shown) else Role.OTHER

    def _is_settled(self, path: str) -> bool:
        methods = self._templates[path].operations
        return "GET" in methods and not methods.keys().isdisjoint({"POST", "PUT", "PATCH"})

    def listing(self, operation: Described | None) -> Listing | None:
        """What an operation lists, None where its answer is no list."""
        answer = operation.answers.get(JSON) if operation else None
        for shape in alternatives(answer) if answer is not None else ():
            if shape["type"] == "array":
                return Listing("", shape.get("items", {}))
            lists = {name: items for name, each in properties(shape).items() if (items := _items(each)) is not None}
            if "data" in lists or (len(lists) == 1 and "id" not in shape.get("properties", {})):
                name = "data" if "data" in lists else next(iter(lists))
                return Listing(name, lists[name])
        return None

    def holding(self, answer: Shape | None) -> Collection | None:
        """The collection of the objects that are answered like this."""
        found = [each for each in self.collections.values() if answer is not None and same(answer, each.shown)]
        return max(found, key=lambda each: each.path.count("/"), default=None)

    def above(self, path: str) -> Iterator[tuple[str, Collection]]:
        """The parameters of a path with their collections, those furthest up first."""
        segments = path.split("/")
        for at, segment in enumerate(segments):
            collection = self.collections.get("/".join(segments[:at]))
            if is_parameter(segment) and collection is not None:
                yield segment[1:-1], collection

    def shows(self, collection: Collection) -> bool:
        """Whether its objects can be asked for, and their ids be known: then one may well not be there."""
        if collection.item is None or not (collection.creates or self._operation(collection.path, "GET")):
            return False
        return collection.item not in self._templates or self._operation(collection.item, "GET") is not None

    def below(self, collection: Collection) -> Iterator[Collection]:
        """The collections that belong to one object of another."""
        for each in self.collections.values():
            if collection.item and parent(each.path) == collection.item:
                yield each


def parent(path: str) -> str:
    """The path without its last segment."""
    return path.rpartition("/")[0]


def same(one: Shape, other: Shape | None) -> bool:
    """Whether two schemas are one component."""
    return isinstance(one, Reference) and isinstance(other, Reference) and one.name == other.name


def properties(schema: Shape) -> Mapping[str, Shape]:
    """The properties of every alternative of a schema."""
    return {name: each for shape in alternatives(schema) for name, each in shape.get("properties", {}).items()}


def _items(schema: Shape) -> Shape | None:
    """The schema of the members of a list of objects, None for what is none."""
    for shape in alternatives(schema):
        if shape["type"] == "array" and any(each["type"] == "object" for each in alternatives(shape.get("items", {}))):
            items: Shape = shape["items"]
            return items
    return None
