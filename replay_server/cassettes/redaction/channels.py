"""Which strings are pieces of one text: the deltas of a stream, the tokens of its logprobs.

They are told by where they stand, not by their endpoint, so that a stream that no module knows is searched too: chunk
for chunk the same members of the same choice, output or content block.
"""

from collections.abc import Iterator, Mapping

from replay_server.cassettes.redaction.json_text import Value
from replay_server.cassettes.redaction.places import Place

Channel = tuple[object, ...]
"""Strings with equal channels are pieces of one text, in their order."""

PIECES = ("deltas", "events", "tokens", "token")
"""Members of a document, one of which it has where a text may be in pieces."""

_NUMBERS = ("type", "item_id", "output_index", "content_index", "summary_index", "index")
"""Members of a chunk that say what its delta belongs to (Responses, Anthropic)."""
# They come with each chunk anew, and say all that they say in one.
_WHOLE = frozenset(
    {
        "call_id",
        "event",
        "finish_reason",
        "id",
        "item_id",
        "model",
        "name",
        "obfuscation",
        "object",
        "role",
        "service_tier",
        "status",
        "system_fingerprint",
        "type",
    }
)


class Chunk:
    """The values of one document of a stream, the `at`-th."""

    def __init__(self, at: int, text: str, found: list[Value]) -> None:
        self.at = at
        self.text = text
        self.values = found
        self.by_place: Mapping[Place, Value] = {value.place: value for value in found if not value.is_name}

    def channel(self, value: Value) -> Channel:
        """The text that a string is a piece of."""
        if value.is_name or value.name in _WHOLE or self.by_place[value.place] is not value:  # given twice
            return self.at, value.start
        root = _root(value.place)
        numbers = tuple(self._written((*value.place[:root], name)) for name in _NUMBERS)
        above = value.place[: root - 2] if root else ()
        return (above, numbers, *self._steps(value.place, root))

    def besides(self, value: Value) -> Iterator[tuple[Value, str]]:
        """What tells of a token in another way: its bytes and likeliest others, with what stands for nothing there."""
        place = value.place
        if "logprobs" not in place:
            return
        if place[-1] == "token":
            yield from self._found((*place[:-1], "bytes"), "null")
            yield from self._found((*place[:-1], "top_logprobs"), "[]")
        elif _is_cut(place, len(place) - 1):
            yield from self._found((*place[:-2], "top_logprobs", place[-1]), "{}")

    def _found(self, place: Place, nothing: str) -> Iterator[tuple[Value, str]]:
        if value := self.by_place.get(place):
            yield value, nothing

    def _written(self, place: Place) -> str | None:
        value = self.by_place.get(place)
        return self.text[value.start : value.end] if value and value.is_leaf else None

    def _steps(self, place: Place, root: int) -> Iterator[object]:
        """A position in a list counts as the `index` that its item says, and not at all among pieces."""
        for at in range(root, len(place)):
            step = place[at]
            if not isinstance(step, int):
                yield step
            elif not _is_cut(place, at):
                yield self._written((*place[: at + 1], "index")) or step


def _is_cut(place: Place, at: int) -> bool:
    """Whether the list with position `at` has the pieces of a text."""
    if at == len(place) - 1:
        return place[at - 1 : at] in (("deltas",), ("tokens",))
    return place[at + 1 :] == ("token",) and "logprobs" in place and "top_logprobs" not in place


def _root(place: Place) -> int:
    """Where a chunk begins: a cassette has the chunks of a stream under `events`."""
    for at in range(len(place) - 3):
        if place[at] == "events" and isinstance(place[at + 1], int) and place[at + 2] == "data":
            return at + 3
    return 0
