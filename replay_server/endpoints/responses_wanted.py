"""What a request of the Responses API wants, in neutral terms. What cannot be read counts as absent."""

import re
from collections.abc import Iterable

from replay_server.endpoints.chat_request import prompt_of
from replay_server.endpoints.responses_messages import as_messages, input_items, is_result
from replay_server.endpoints.responses_request import LOGPROBS, includes
from replay_server.endpoints.text import integer
from replay_server.interaction import HostedTool, Json, JsonObject, Prompt, Request, TextWanted, Tool

_HOSTED = {
    "web_search": "web_search",
    "web_search_2025_08_26": "web_search",
    "web_search_preview": "web_search",
    "web_search_preview_2025_03_11": "web_search",
    "file_search": "file_search",
    "code_interpreter": "code_interpreter",
    "image_generation": "image_generation",
    "mcp": "mcp",
}
"""The tools that the API itself runs, by their types. The others (a computer, a shell) are run by the client."""

# Source: the API's models that think; the chat variants of GPT-5 do not.
_THINKING_MODEL = re.compile(r"o[134](?:-|$)|gpt-5(?!.*-chat)")


def wanted(request: Request) -> TextWanted:
    """What the request asks for."""
    body = request.body
    json_object, schema = _text_format(body)
    tools, hosted, must_call = _usable_tools(body)
    return TextWanted(
        prompts=(prompt(body),),
        max_tokens=integer(body, "max_output_tokens"),
        logprobs=_logprobs(body),
        json_object=json_object,
        schema=schema,
        schema_param="text.format.schema",
        tools=tools,
        must_call=must_call,
        parallel=body.get("parallel_tool_calls") is not False,
        after_tool_result=_ends_with_result(body),
        hosted=hosted,
        thinks=effort(body) not in (None, "none") or wants_summary(body),
        summary=wants_summary(body),
        stream=request.stream,
    )


def prompt(body: JsonObject) -> Prompt:
    """What the input says, with all that costs tokens."""
    return prompt_of(as_messages(body))


def effort(body: JsonObject) -> Json:
    """How hard the model thinks: as the request says, else as its kind does. None: it does not think."""
    reasoning = body.get("reasoning")
    asked = reasoning.get("effort") if isinstance(reasoning, dict) else None
    model = body.get("model")
    thinks = isinstance(model, str) and _THINKING_MODEL.match(model)
    return asked or ("medium" if thinks else None)


def wants_summary(body: JsonObject) -> bool:
    """Whether the thoughts are to be told."""
    reasoning = body.get("reasoning")
    return isinstance(reasoning, dict) and bool(reasoning.get("summary") or reasoning.get("generate_summary"))


def _logprobs(body: JsonObject) -> int | None:
    top = integer(body, "top_logprobs")
    return top or 0 if top or includes(body, LOGPROBS) else None


def _ends_with_result(body: JsonObject) -> bool:
    items = input_items(body)
    return bool(items) and is_result(items[-1])


def _text_format(body: JsonObject) -> tuple[bool, JsonObject | None]:
    text = body.get("text")
    form = text.get("format") if isinstance(text, dict) else None
    if not isinstance(form, dict):
        return False, None
    schema = form.get("schema")
    if form.get("type") == "json_schema":
        return not isinstance(schema, dict), schema if isinstance(schema, dict) else None
    return form.get("type") == "json_object", None


# Tools ---------------------------------------------------------------------------------------------------------------


def _usable_tools(body: JsonObject) -> tuple[tuple[Tool, ...], tuple[HostedTool, ...], bool]:
    """The client's tools and the API's that tool_choice leaves, and whether one of the client's must be called."""
    choice = body.get("tool_choice")
    declared = [tool for tool in _list(body.get("tools")) if isinstance(tool, dict) and _is_allowed(tool, choice)]
    tools = tuple(tool for fields in declared if (tool := _tool(fields)) is not None)
    hosted = () if _ends_with_result(body) else tuple(_hosted_tools(declared, body))
    limit = integer(body, "max_tool_calls")
    return tools, hosted[:limit], _is_required(choice) and not hosted


def _is_allowed(tool: JsonObject, choice: Json) -> bool:
    if not isinstance(choice, dict):
        return choice != "none"
    if choice.get("type") == "allowed_tools":
        return any(_is_meant(tool, named) for named in _list(choice.get("tools")))
    return _is_meant(tool, choice)


def _is_meant(tool: JsonObject, named: Json) -> bool:
    """Whether a tool is the one that a choice names: by its type, and its name or server."""
    if not isinstance(named, dict):
        return False
    kind, meant = str(tool.get("type")), str(named.get("type"))
    same_kind = kind == meant or (kind in _HOSTED and _HOSTED[kind] == _HOSTED.get(meant))
    if kind == "mcp":
        return same_kind and named.get("server_label") == tool.get("server_label")
    return same_kind and ("name" not in named or named["name"] == tool.get("name"))


def _is_required(choice: Json) -> bool:
    if not isinstance(choice, dict):
        return choice == "required"
    return choice.get("type") != "allowed_tools" or choice.get("mode") == "required"


def _tool(fields: JsonObject) -> Tool | None:
    kind, name = fields.get("type"), fields.get("name")
    if kind not in ("function", "custom") or not isinstance(name, str):
        return None
    description, parameters = fields.get("description"), fields.get("parameters")
    return Tool(
        name=name,
        description=description if isinstance(description, str) else "",
        parameters=parameters if isinstance(parameters, dict) else {},
        kind=str(kind),
    )


def _hosted_tools(declared: Iterable[JsonObject], body: JsonObject) -> Iterable[HostedTool]:
    for fields in declared:
        kind = _HOSTED.get(str(fields.get("type")))
        if kind == "mcp":
            yield from _mcp_tool(fields, body)
        elif kind is not None:
            size, form = fields.get("size"), fields.get("output_format")
            yield HostedTool(
                kind=kind,
                size=size if isinstance(size, str) else "",
                format=form if form in ("jpeg", "webp") else "png",
            )


def _mcp_tool(fields: JsonObject, body: JsonObject) -> Iterable[HostedTool]:
    """The tool of a server, unless the user has just said no to it."""
    items, server = input_items(body), str(fields.get("server_label"))
    answer = items[-1] if items and items[-1].get("type") == "mcp_approval_response" else None
    if answer is not None and answer.get("approve") is not True:
        return
    lists = [item for item in items if item.get("type") == "mcp_list_tools" and item.get("server_label") == server]
    yield HostedTool(
        kind="mcp",
        server=server,
        names=_allowed_names(fields.get("allowed_tools")),
        asks_first=answer is None and _needs_approval(fields.get("require_approval")),
        listed=bool(lists),
    )


def _allowed_names(allowed: Json) -> tuple[str, ...]:
    names = allowed.get("tool_names") if isinstance(allowed, dict) else allowed
    return tuple(name for name in _list(names) if isinstance(name, str))


def _needs_approval(required: Json) -> bool:
    """Approval is needed unless the request says never, for all tools or for some."""
    return not (required == "never" or (isinstance(required, dict) and required.get("never")))


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
