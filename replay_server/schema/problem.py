"""What can be wrong with a schema, and where: `In context=('properties', 'age'), ...`, as the live API puts it."""

from collections.abc import Mapping
from typing import TypeAlias

from replay_server.interaction import Json

Schema: TypeAlias = bool | Mapping[str, Json]
Context: TypeAlias = tuple[str, ...]


class SchemaError(Exception):
    """A schema that cannot be used."""

    def __init__(self, problem: str, context: Context = ()) -> None:
        super().__init__(f"In context={context}, {problem}")


class UnsatisfiableError(SchemaError):
    """No value was found this way. Where there is a choice, another way may do."""
