"""The events of a response: those of its beginning, those of each item of its output in turn, the one of its end.

They are made from the finished `response` alone, whoever made that: what is recorded plain can be streamed, whatever is
in it. The members of an event stand as in recorded streams: its type, then the rest by the alphabet.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping

from replay_server.endpoints.chat_body import read_logprobs
from replay_server.endpoints.responses_object import Response, begun
from replay_server.endpoints.text import compact, tokens_per_piece
from replay_server.interaction import Choice, Json, JsonObject

_BLOCK = 16
_OTHER_ENDINGS = ("incomplete", "failed", "cancelled")


class Cuts:
    """Where the texts of a response are cut: as the reply was, else not at all."""

    def __init__(self, choice: Choice | None) -> None:
        calls = choice.tool_calls if choice else ()
        thoughts = choice.reasoning if choice else ()
        self._said = deque(choice.deltas or () if choice else ())
        self._called = deque(piece for call in calls for piece in call.deltas or ())
        self._thought = deque(piece for part in thoughts for piece in part.deltas or ())

    def said(self, text: str) -> Iterator[str]:
        """The pieces of a text that is said."""
        return _pieces(text, self._said)

    def called(self, text: str) -> Iterator[str]:
        """The pieces of a call's arguments."""
        return _pieces(text, self._called)

    def thought(self, text: str) -> Iterator[str]:
        """The pieces of a thought."""
        return _pieces(text, self._thought)


def _pieces(text: str, cuts: deque[str]) -> Iterator[str]:
    """The text in pieces, as long as the cuts are of it; one that reaches into the next text is cut at its border."""
    while text:
        piece = cuts.popleft() if cuts else text
        if not text.startswith(piece):
            if piece.startswith(text):
                cuts.appendleft(piece[len(text) :])
            piece = text
        if piece:
            yield piece
        text = text[len(piece) :]


def response_events(response: Response, cuts: Cuts, padding: str | None) -> Iterator[bytes]:
    """The frames of a stream that ends with this response. `padding` is what obfuscation is taken from."""
    events = _Events(padding)
    background = response.get("background") is True
    yield events.event("response.created", response=begun(response, "queued" if background else "in_progress"))
    if background:
        yield events.event("response.queued", response=begun(response, "queued"))
    yield events.event("response.in_progress", response=begun(response, "in_progress"))
    output = response.get("output")
    for index, item in enumerate(output if isinstance(output, list) else []):
        if isinstance(item, dict):
            yield from _item_events(events, index, item, cuts)
    status = response.get("status")
    ending = status if isinstance(status, str) and status in _OTHER_ENDINGS else "completed"
    yield events.event(f"response.{ending}", response=response)


class _Events:
    """Writes the events of one stream, and counts them."""

    def __init__(self, padding: str | None) -> None:
        self._padding = padding
        self._written = 0
        self._number = 0

    def event(self, kind: str, **members: Json) -> bytes:
        """An event with these members."""
        members["sequence_number"] = self._number
        self._number += 1
        ordered = {"type": kind, **{name: members[name] for name in sorted(members)}}
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), compact(ordered))

    def delta(self, kind: str, text: str, **members: Json) -> bytes:
        """An event with a piece of a text, padded to the next multiple of 16 as in recorded streams."""
        if self._padding is not None:
            start = self._written % (len(self._padding) - _BLOCK)
            self._written += _BLOCK
            members["obfuscation"] = self._padding[start : start + -len(text) % _BLOCK]
        return self.event(kind, delta=text, **members)


class _Item:
    """One item of the output, and where its events belong."""

    def __init__(self, events: _Events, index: int, item: JsonObject, cuts: Cuts) -> None:
        self.events = events
        self.item = item
        self.cuts = cuts
        self._index = index
        self._id = item.get("id")

    def event(self, kind: str, **members: Json) -> bytes:
        """An event about the item."""
        return self.events.event(f"response.{kind}", item_id=self._id, output_index=self._index, **members)

    def delta(self, kind: str, text: str, **members: Json) -> bytes:
        """A piece of one of the item's texts."""
        return self.events.delta(f"response.{kind}.delta", text, item_id=self._id, output_index=self._index, **members)

    def whole(self, kind: str, item: JsonObject) -> bytes:
        """The event that brings the item itself."""
        return self.events.event(f"response.output_item.{kind}", item=dict(item), output_index=self._index)

    def text(self, name: str) -> str:
        """A member of the item that is a text."""
        value = self.item.get(name)
        return value if isinstance(value, str) else ""

    def parts(self, name: str) -> list[dict[str, Json]]:
        """A member of the item that is a list of objects."""
        value = self.item.get(name)
        return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _item_events(events: _Events, index: int, fields: JsonObject, cuts: Cuts) -> Iterator[bytes]:
    item = _Item(events, index, fields, cuts)
    kind = str(fields.get("type"))
    yield item.whole("added", _blank(kind, fields))
    yield from _BETWEEN.get(kind, _nothing)(item)
    yield item.whole("done", fields)


_EMPTIED: Mapping[str, JsonObject] = {
    "message": {"content": []},
    "reasoning": {"content": [], "summary": []},
    "function_call": {"arguments": ""},
    "custom_tool_call": {"input": ""},
    "tool_search_call": {"arguments": {}},
    "mcp_call": {"arguments": "", "error": None, "output": None},
    "mcp_list_tools": {"tools": []},
    "file_search_call": {"queries": [], "results": None},
    "code_interpreter_call": {"code": "", "outputs": None},
    "image_generation_call": {"result": None},
}
"""What an item begins without."""


def _blank(kind: str, item: JsonObject) -> JsonObject:
    """The item as it is when it is added."""
    empty = {name: value for name, value in _EMPTIED.get(kind, {}).items() if name in item}
    return {**item, **({"status": "in_progress"} if "status" in item else {}), **empty}


# What comes between the adding of an item and its end ----------------------------------------------------------------


def _nothing(item: _Item) -> Iterator[bytes]:
    return iter(())


def _content(item: _Item) -> Iterator[bytes]:
    for index, part in enumerate(item.parts("content")):
        yield item.event("content_part.added", content_index=index, part=_empty_part(part))
        yield from _part_events(item, index, part)
        shown = {**part, "logprobs": []} if "logprobs" in part else part
        yield item.event("content_part.done", content_index=index, part=shown)


def _empty_part(part: JsonObject) -> Json:
    blank: dict[str, Json] = {"annotations": [], "logprobs": [], "text": "", "refusal": ""}
    return {name: blank.get(name, value) for name, value in part.items()}


def _part_events(item: _Item, index: int, part: JsonObject) -> Iterator[bytes]:
    match part.get("type"):
        case "refusal":
            refusal = str(part.get("refusal"))
            for piece in item.cuts.said(refusal):
                yield item.delta("refusal", piece, content_index=index)
            yield item.event("refusal.done", content_index=index, refusal=refusal)
        case "reasoning_text":
            text = str(part.get("text"))
            for piece in item.cuts.thought(text):
                yield item.delta("reasoning_text", piece, content_index=index)
            yield item.event("reasoning_text.done", content_index=index, text=text)
        case "output_text":
            yield from _text_events(item, index, part)


def _text_events(item: _Item, index: int, part: JsonObject) -> Iterator[bytes]:
    text, logprobs = str(part.get("text")), _list(part.get("logprobs"))
    for piece, entries in _judged(tuple(item.cuts.said(text)), logprobs):
        yield item.delta("output_text", piece, content_index=index, logprobs=entries)
    for at, annotation in enumerate(_list(part.get("annotations"))):
        yield item.event(
            "output_text.annotation.added", content_index=index, annotation_index=at, annotation=annotation
        )
    yield item.event("output_text.done", content_index=index, logprobs=logprobs, text=text)


def _judged(pieces: tuple[str, ...], logprobs: list[Json]) -> Iterator[tuple[str, list[Json]]]:
    """The pieces of a text, each with the logprobs of its tokens."""
    start = 0
    for piece, count in zip(pieces, tokens_per_piece(pieces, read_logprobs({"content": logprobs})), strict=True):
        yield piece, logprobs[start : start + count]
        start += count


def _reasoning(item: _Item) -> Iterator[bytes]:
    for index, part in enumerate(item.parts("summary")):
        text = str(part.get("text"))
        yield item.event("reasoning_summary_part.added", summary_index=index, part={**part, "text": ""})
        for piece in item.cuts.thought(text):
            yield item.delta("reasoning_summary_text", piece, summary_index=index)
        yield item.event("reasoning_summary_text.done", summary_index=index, text=text)
        yield item.event("reasoning_summary_part.done", summary_index=index, part=part)
    yield from _content(item)


def _function_call(item: _Item) -> Iterator[bytes]:
    arguments = item.text("arguments")
    for piece in item.cuts.called(arguments):
        yield item.delta("function_call_arguments", piece)
    yield item.event("function_call_arguments.done", arguments=arguments, name=item.text("name"))


def _custom_call(item: _Item) -> Iterator[bytes]:
    for piece in item.cuts.called(item.text("input")):
        yield item.delta("custom_tool_call_input", piece)
    yield item.event("custom_tool_call_input.done", input=item.text("input"))


def _mcp_call(item: _Item) -> Iterator[bytes]:
    yield item.event("mcp_call.in_progress")
    yield item.delta("mcp_call_arguments", item.text("arguments"))
    yield item.event("mcp_call_arguments.done", arguments=item.text("arguments"))
    yield item.event("mcp_call.failed" if item.item.get("error") else "mcp_call.completed")


def _code_interpreter(item: _Item) -> Iterator[bytes]:
    yield item.event("code_interpreter_call.in_progress")
    for line in item.text("code").splitlines(keepends=True):
        yield item.delta("code_interpreter_call_code", line)
    yield item.event("code_interpreter_call_code.done", code=item.text("code"))
    yield item.event("code_interpreter_call.interpreting")
    yield item.event("code_interpreter_call.completed")


def _stages(name: str, *stages: str) -> Callable[[_Item], Iterator[bytes]]:
    """Events that say how far a tool is."""
    return lambda item: (item.event(f"{name}.{stage}") for stage in stages)


_BETWEEN: Mapping[str, Callable[[_Item], Iterator[bytes]]] = {
    "message": _content,
    "reasoning": _reasoning,
    "function_call": _function_call,
    "custom_tool_call": _custom_call,
    "mcp_call": _mcp_call,
    "code_interpreter_call": _code_interpreter,
    "web_search_call": _stages("web_search_call", "in_progress", "searching", "completed"),
    "file_search_call": _stages("file_search_call", "in_progress", "searching", "completed"),
    "image_generation_call": _stages("image_generation_call", "in_progress", "generating", "completed"),
    "mcp_list_tools": _stages("mcp_list_tools", "in_progress", "completed"),
}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
