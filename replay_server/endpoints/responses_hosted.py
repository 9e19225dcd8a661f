"""What the API's own tools did, as items of a response's output."""

from collections.abc import Callable, Iterator

from replay_server.endpoints.responses_request import includes
from replay_server.interaction import Json, JsonObject, ToolUse
from replay_server.stamp import Stamp

Item = dict[str, Json]

_SCORES = (0.9231, 0.8114)


def items_of_use(body: JsonObject, use: ToolUse, stamp: Stamp) -> Iterator[Item]:
    """The items that tell of the use of a tool, without their ids. `body` says what of it is included."""
    return _ITEMS[use.tool.kind](body, use, stamp)


def short_items(use: ToolUse) -> Iterator[Item]:
    """The items as their author would write them."""
    return items_of_use({"include": list(_INCLUDED)}, use, Stamp(use.input))


_INCLUDED = ("file_search_call.results", "code_interpreter_call.outputs")


def _web_search(body: JsonObject, use: ToolUse, stamp: Stamp) -> Iterator[Item]:
    action: Item = {"type": "search", "queries": [use.input], "query": use.input}
    if includes(body, "web_search_call.action.sources"):
        action["sources"] = [{"type": "url", "url": use.output}]
    yield {"type": "web_search_call", "action": action}


def _file_search(body: JsonObject, use: ToolUse, stamp: Stamp) -> Iterator[Item]:
    found: list[Json] = [
        {
            "attributes": {},
            "file_id": stamp.id("file-", 22, f"found {at}"),
            "filename": f"document-{at}.txt",
            "score": score,
            "text": use.output,
        }
        for at, score in enumerate(_SCORES, 1)
    ]
    results: Json = found if includes(body, "file_search_call.results") else None
    yield {"type": "file_search_call", "queries": [use.input], "results": results}


def _code_interpreter(body: JsonObject, use: ToolUse, stamp: Stamp) -> Iterator[Item]:
    logs: list[Json] = [{"type": "logs", "logs": use.output}]
    yield {
        "type": "code_interpreter_call",
        "code": use.input,
        "container_id": "cntr_" + stamp.hex("container", 48),
        "outputs": logs if includes(body, "code_interpreter_call.outputs") else None,
    }


def _image_generation(body: JsonObject, use: ToolUse, stamp: Stamp) -> Iterator[Item]:
    yield {
        "type": "image_generation_call",
        "background": "opaque",
        "output_format": use.tool.format,
        "quality": "medium",
        "result": use.output,
        "revised_prompt": use.input,
        "size": use.tool.size,
    }


def _mcp(body: JsonObject, use: ToolUse, stamp: Stamp) -> Iterator[Item]:
    call: Item = {"arguments": use.input, "name": use.name, "server_label": use.tool.server}
    if not use.tool.listed:
        yield {
            "type": "mcp_list_tools",
            "server_label": use.tool.server,
            "tools": [_tool(name) for name in _names(use)],
        }
    if use.output is None:
        yield {"type": "mcp_approval_request", **call}
    else:
        yield {"type": "mcp_call", "approval_request_id": None, "error": None, "output": use.output, **call}


def _names(use: ToolUse) -> tuple[str, ...]:
    return use.tool.names or (use.name,)


def _tool(name: str) -> Item:
    schema: Item = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
    return {"annotations": {"read_only": True}, "description": None, "input_schema": schema, "name": name}


_ITEMS: dict[str, Callable[[JsonObject, ToolUse, Stamp], Iterator[Item]]] = {
    "web_search": _web_search,
    "file_search": _file_search,
    "code_interpreter": _code_interpreter,
    "image_generation": _image_generation,
    "mcp": _mcp,
}
