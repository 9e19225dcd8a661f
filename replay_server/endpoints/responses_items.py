"""The items of a response's output: thoughts, what the API's own tools did, the message, calls of the client's tools.

Members stand in the order of recorded streams: id, type, status, then the rest by the alphabet.
"""

from collections.abc import Iterator

from replay_server.endpoints.responses_hosted import items_of_use
from replay_server.endpoints.responses_messages import input_items
from replay_server.endpoints.responses_request import includes
from replay_server.interaction import (
    Choice,
    Json,
    JsonObject,
    Reasoning,
    Request,
    TokenLogprob,
    ToolCall,
    ToolUse,
)
from replay_server.stamp import Stamp

Item = dict[str, Json]

_ENCRYPTED_LENGTH = 300
_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "web_search_call": "ws",
    "file_search_call": "fs",
    "code_interpreter_call": "ci",
    "image_generation_call": "ig",
    "mcp_list_tools": "mcpl",
    "mcp_call": "mcp",
    "mcp_approval_request": "mcpr",
    "computer_call": "cu",
    "compaction": "cmp",
    "tool_search_call": "tsc",
    "tool_search_output": "tso",
}
_WITHOUT_STATUS = frozenset(
    {"reasoning", "mcp_list_tools", "mcp_approval_request", "compaction", "custom_tool_call", "program"}
)


def output_items(request: Request, choice: Choice, stamp: Stamp) -> list[Json]:
    """The output that a choice is."""
    return [_filled(item, at, stamp) for at, item in enumerate(_items(request, choice, stamp))]


def response_id(stamp: Stamp) -> str:
    """The id of a response."""
    return "resp_" + stamp.hex("response", 50)


def item_id(kind: str, stamp: Stamp, at: int) -> str:
    """The id of an item: it begins as that of its response does."""
    return f"{_PREFIXES.get(kind, 'item')}_{stamp.hex('response', 50)[:18]}{stamp.hex(f'{kind} {at}', 32)}"


def _filled(item: Item, at: int, stamp: Stamp) -> Item:
    """The item, with what nobody has to write."""
    kind = str(item.get("type"))
    head: Item = {"id": item.get("id") or item_id(kind, stamp, at), "type": kind}
    if kind not in _WITHOUT_STATUS:
        head["status"] = item.get("status") or "completed"
    if "call_id" in item and not item["call_id"]:
        item = {**item, "call_id": stamp.id("call_", 24, f"0 {at}")}
    return {**head, **{name: value for name, value in item.items() if name not in head}}


def _items(request: Request, choice: Choice, stamp: Stamp) -> Iterator[Item]:
    if choice.reasoning:
        yield _reasoning(request, choice.reasoning, stamp)
    for item in choice.items:
        if isinstance(item, ToolUse):
            yield from items_of_use(request.body, item, stamp)
        else:
            yield dict(item)
    cut = choice.finish_reason in ("length", "content_filter")
    if _has_message(choice):
        yield _message(choice, "incomplete" if cut and not choice.tool_calls else "completed")
    for at, call in enumerate(choice.tool_calls, 1):
        yield _call(call, "incomplete" if cut and at == len(choice.tool_calls) else "completed")


def _has_message(choice: Choice) -> bool:
    """A choice without text says nothing where it calls tools, or where something else stands for it."""
    said = choice.content or choice.refusal
    return bool(said) or (choice.content is not None and not choice.tool_calls)


def _reasoning(request: Request, parts: tuple[Reasoning, ...], stamp: Stamp) -> Item:
    item: Item = {"type": "reasoning"}
    if includes(request.body, "reasoning.encrypted_content"):
        item["encrypted_content"] = encrypted(stamp, "reasoning")
    return {**item, "summary": [{"type": "summary_text", "text": part.text} for part in parts if part.text]}


def encrypted(stamp: Stamp, name: str) -> str:
    """Something that only the API could read: it begins as what the live API encrypts does."""
    return "gAAAAAB" + stamp.text(f"encrypted {name}", _ENCRYPTED_LENGTH)


def _message(choice: Choice, status: str) -> Item:
    part = _text_part(choice) if choice.refusal is None else _refusal_part(choice.refusal)
    return {"type": "message", "status": status, "content": [part], "role": "assistant"}


def _text_part(choice: Choice) -> Item:
    return {
        "type": "output_text",
        "annotations": [dict(annotation) for annotation in choice.annotations],
        "logprobs": [_logprob(entry) for entry in choice.logprobs or ()],
        "text": choice.content or "",
    }


def _refusal_part(refusal: str) -> Item:
    return {"type": "refusal", "refusal": refusal}


def _logprob(entry: TokenLogprob) -> Item:
    return {
        **_token(entry.token, 0.0 if entry.logprob is None else entry.logprob),
        "top_logprobs": [_token(token, logprob) for token, logprob in entry.top],
    }


def _token(token: str, logprob: float) -> Item:
    return {"bytes": list(token.encode()), "logprob": logprob, "token": token}


def _call(call: ToolCall, status: str) -> Item:
    if call.kind == "custom":
        return {"type": "custom_tool_call", "call_id": call.id or "", "input": call.arguments, "name": call.name}
    return {
        "type": "function_call",
        "status": status,
        "arguments": call.arguments,
        "call_id": call.id or "",
        "name": call.name,
    }


def compacted(request: Request, stamp: Stamp) -> list[Json]:
    """What the user said, and an item for all the rest."""
    said = [_input_message(item) for item in input_items(request.body) if item.get("role") == "user"]
    rest: Item = {"type": "compaction", "encrypted_content": encrypted(stamp, "compaction")}
    return [_filled(item, at, stamp) for at, item in enumerate((*said, rest))]


def _input_message(item: JsonObject) -> Item:
    content = item.get("content")
    parts: Json = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
    return {"type": "message", "content": parts, "role": "user"}
