"""The `response` object: some thirty members, most of which say again what was asked. In the order of recorded ones."""

from replay_server.endpoints.responses_items import output_items, response_id
from replay_server.endpoints.responses_wanted import effort
from replay_server.endpoints.text import snapshot
from replay_server.interaction import Json, JsonObject, Request, TextReply, Usage
from replay_server.stamp import Stamp

Response = dict[str, Json]

_REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}
_UNDER_WAY = ("in_progress", "queued")


def finished(request: Request, reply: TextReply, stamp: Stamp) -> Response:
    """The response when all is said."""
    if reply.body is not None:
        return dict(reply.body)
    choice = reply.choices[0]
    reason = _REASONS.get(choice.finish_reason or "")
    created = stamp.created if reply.created is None else reply.created
    done: Response = {
        "status": "incomplete" if reason else "completed",
        "completed_at": None if reason else created + 1,
        "incomplete_details": {"reason": reason} if reason else None,
        "output": output_items(request, choice, stamp),
        "service_tier": reply.service_tier or "default",
        "usage": usage_object(reply.usage),
    }
    identity: Response = {"id": reply.id or response_id(stamp), "object": "response", "created_at": created}
    model: Response = {"model": reply.model or snapshot(request.model)}
    return _in_order({**identity, **_echoed(request.body), **model, **done})


def begun(response: Response, status: str) -> Response:
    """The same response before anything is done."""
    undone: Response = {"status": status, "completed_at": None, "incomplete_details": None, "output": [], "usage": None}
    if "service_tier" in response:
        undone["service_tier"] = "auto"
    if response.get("error") is not None:
        undone["error"] = None
    return {**response, **undone}


def is_under_way(response: JsonObject) -> bool:
    """Whether it is not known yet what is answered."""
    return response.get("status") in _UNDER_WAY


def said_in(request: Request, reply: TextReply, stamp: Stamp) -> Response:
    """What a plain request is answered with: one in the background is told that it waits."""
    response = finished(request, reply, stamp)
    if reply.body is not None:
        return response
    if request.body.get("background") is True:
        return begun(response, "queued")
    return _in_order({**response, "billing": {"payer": "developer"}})


_ORDER = (
    *("id", "object", "created_at", "status", "background", "billing", "completed_at", "conversation", "error"),
    *("frequency_penalty", "incomplete_details", "instructions", "max_output_tokens", "max_tool_calls", "model"),
    *("moderation", "output", "parallel_tool_calls", "presence_penalty", "previous_response_id", "prompt"),
    *("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning", "safety_identifier"),
    *("service_tier", "store", "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation"),
    *("usage", "user", "metadata"),
)


def _in_order(response: Response) -> Response:
    return {name: response[name] for name in _ORDER if name in response}


# What was asked ------------------------------------------------------------------------------------------------------

_DEFAULTS: JsonObject = {
    "background": False,
    "error": None,
    "frequency_penalty": 0.0,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "moderation": None,
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "prompt_cache_retention": None,
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
    "metadata": {},
}
_NOT_ASKED = frozenset({"error", "frequency_penalty", "moderation", "presence_penalty"})
"""No parameters, or ones that say more than what is asked."""


def _echoed(body: JsonObject) -> Response:
    asked = {name: body[name] for name in _DEFAULTS if body.get(name) is not None and name not in _NOT_ASKED}
    return {
        **_DEFAULTS,
        **asked,
        **_where_asked(body),
        "reasoning": {**_mapping(body.get("reasoning")), **_thinking(body)},
        "text": {"format": _format(_mapping(body.get("text")).get("format")), "verbosity": _verbosity(body)},
        "tools": [_tool(tool) for tool in _list(body.get("tools"))],
    }


def _where_asked(body: JsonObject) -> Response:
    """Members that are there only if there is something to say."""
    found: Response = {name: body[name] for name in ("prompt", "prompt_cache_options") if body.get(name) is not None}
    conversation = body.get("conversation")
    if conversation is not None:
        found["conversation"] = conversation if isinstance(conversation, dict) else {"id": conversation}
    if "prompt_cache_options" in found:
        found["prompt_cache_options"] = {"ttl": "30m", "mode": "implicit", **_mapping(body["prompt_cache_options"])}
    return found


def _thinking(body: JsonObject) -> Response:
    reasoning = _mapping(body.get("reasoning"))
    return {"effort": effort(body), "summary": _summary(reasoning.get("summary") or reasoning.get("generate_summary"))}


def _summary(asked: Json) -> Json:
    return "detailed" if asked == "auto" else asked  # the live API says which one it took


def _verbosity(body: JsonObject) -> Json:
    return _mapping(body.get("text")).get("verbosity") or "medium"


def _format(form: Json) -> Json:
    if not isinstance(form, dict):
        return {"type": "text"}
    if form.get("type") != "json_schema":
        return form
    given = {name: form.get(name) for name in ("description", "name", "schema", "strict")}
    return {"type": "json_schema", **given, "strict": given["strict"] is True}


def _tool(tool: Json) -> Json:
    if not isinstance(tool, dict):
        return tool
    if tool.get("type") == "function":
        strict = tool.get("strict")
        return {**tool, "parameters": tool.get("parameters"), "strict": True if strict is None else strict}
    if tool.get("type") == "mcp":
        return _without_secrets(tool)
    return {**_TOOL_DEFAULTS.get(str(tool.get("type")), {}), **tool}


def _without_secrets(tool: JsonObject) -> Json:
    """The tool of a server, without what lets one in there: the live API does not say that again either."""
    told: Response = {name: value for name, value in tool.items() if name != "authorization"}
    if isinstance(given := tool.get("headers"), dict):
        told["headers"] = dict.fromkeys(given, "<redacted>")
    return told


_SEARCHER: JsonObject = {
    "filters": None,
    "search_context_size": "medium",
    "user_location": {"type": "approximate", "city": None, "country": "US", "region": None, "timezone": None},
}
_TOOL_DEFAULTS: dict[str, JsonObject] = {
    "web_search": {"type": "web_search", **_SEARCHER},
    "file_search": {
        "type": "file_search",
        "filters": None,
        "max_num_results": 20,
        "ranking_options": {"ranker": "auto", "score_threshold": 0.0},
    },
    "image_generation": {
        "type": "image_generation",
        "background": "auto",
        "moderation": "auto",
        "n": 1,
        "output_compression": 100,
        "output_format": "png",
        "quality": "auto",
        "size": "auto",
    },
}


def usage_object(usage: Usage | None) -> Json:
    """The tokens counted, as the Responses API has them."""
    if usage is None:
        return None
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": usage.cached_tokens},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }


def _mapping(value: Json) -> Response:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
