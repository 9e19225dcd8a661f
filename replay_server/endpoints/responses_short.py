"""The short form of a response: chat's words, and those for what only the Responses API says."""

from collections.abc import Iterable
from dataclasses import replace

from replay_server.endpoints.base import BadField
from replay_server.endpoints.responses_hosted import short_items
from replay_server.endpoints.responses_reading import SUMMARY
from replay_server.endpoints.short_form import CHOICE_FIELDS, items, known, optional, read_text_reply
from replay_server.endpoints.short_form_writer import write_text_reply
from replay_server.interaction import Choice, Json, JsonObject, Reasoning, TextReply, ToolUse

_MORE_FIELDS = ("reasoning", "items")
SHORT_FIELDS = (*CHOICE_FIELDS, *_MORE_FIELDS, "usage", "id", "created", "model", "service_tier")


def read_short(short: JsonObject) -> TextReply:
    """Read the short form of a response. Raises BadField."""
    known(short, SHORT_FIELDS)
    said = {name: value for name, value in short.items() if name not in _MORE_FIELDS}
    if any(name in short for name in _MORE_FIELDS) and not any(name in short for name in CHOICE_FIELDS):
        said["tool_calls"] = []  # thoughts and items may be all there is
    reply = read_text_reply(said)
    (choice,) = reply.choices
    return replace(reply, choices=(replace(choice, reasoning=_read_reasoning(short), items=_read_items(short)),))


def _read_reasoning(short: JsonObject) -> tuple[Reasoning, ...]:
    """One text, or a list of them. An empty one: there are thoughts, and nothing is told of them."""
    value = short.get("reasoning")
    texts = (value,) if isinstance(value, str) else items(short, "reasoning", str)
    return tuple(Reasoning(SUMMARY, text) for text in texts)


def _read_items(short: JsonObject) -> tuple[JsonObject, ...]:
    found = items(short, "items", dict)
    for at, item in enumerate(found):
        if optional(item, "type", str) is None:
            raise BadField(("items", at, "type"), "missing; it must say what the item is, such as web_search_call")
    return found


def write_short(reply: TextReply) -> JsonObject:
    """The short form of a reply."""
    (choice,) = reply.choices
    written: list[Json] = [dict(item) for each in choice.items for item in _written_items(each)]
    fields: dict[str, Json] = {}
    if choice.reasoning:
        fields["reasoning"] = _written_reasoning(choice)
    if written:
        fields["items"] = written
    text = dict(write_text_reply(reply))
    if choice.content is None and choice.items and not choice.refusal:
        text.pop("content", None)
    return {**fields, **text}


def _written_items(item: ToolUse | JsonObject) -> Iterable[JsonObject]:
    return short_items(item) if isinstance(item, ToolUse) else (item,)


def _written_reasoning(choice: Choice) -> Json:
    texts: list[Json] = [part.text for part in choice.reasoning]
    return texts[0] if len(texts) == 1 else texts
