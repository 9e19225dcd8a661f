"""What a session keeps, as operations see it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from replay_server.interaction import JsonObject


class Kept(NamedTuple):
    """An object of a session: `value` as the API shows it, with what else belongs to it.

    `stands_for` is what its id means in a key: the key of a request, or the hash of a content.
    """

    id: str
    value: JsonObject
    content: bytes = b""
    stands_for: str = ""


class Objects(Protocol):
    """What one session keeps, by kind and id. Asynchronous, as `State` is."""

    async def number(self, kind: str) -> int:
        """How many of a kind were made so far; from now on one more."""

    async def put(self, kind: str, kept: Kept) -> None:
        """Keep an object, in place of the one with its id. Those kept longest make room, where there is none left."""

    async def get(self, kind: str, id: str) -> Kept | None:
        """The object, if it is there."""

    async def remove(self, kind: str, id: str) -> Kept | None:
        """Forget an object; what it was, if it was there."""

    async def all(self, kind: str) -> Sequence[Kept]:
        """All of a kind, in the order in which they were first put."""
