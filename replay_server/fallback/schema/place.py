"""Where in a schema a value is made, and what the makers of objects and arrays ask of the whole."""

from dataclasses import dataclass
from typing import Protocol

from replay_server.fallback.draw import Draw
from replay_server.fallback.schema.height import Heights
from replay_server.fallback.topic import Topic
from replay_server.interaction import Json
from replay_server.schema.problem import Context, Schema


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the schema; `name` is that of the property that the value is for."""

    context: Context = ()
    name: str = ""
    depth: int = 0

    def property(self, name: str) -> "Place":
        """The place of a property."""
        return Place((*self.context, "properties", name), name, self.depth + 1)

    def item(self) -> "Place":
        """The place of an item, which goes by the name of its array."""
        return Place((*self.context, "items"), self.name, self.depth + 1)


class Making(Protocol):
    """A value in the making."""

    draw: Draw
    topic: Topic
    heights: Heights
    numbers: list[float]

    def make(self, schema: Schema, place: Place) -> Json:
        """A value for a schema. Raises UnsatisfiableError."""

    def fits(self, value: Json, schema: Schema) -> bool:
        """Whether a value is valid against a schema."""

    def lean(self, place: Place) -> bool:
        """Whether it is time to come to an end."""
