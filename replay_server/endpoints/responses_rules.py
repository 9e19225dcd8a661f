"""What the live Responses API refuses: what its description does not allow, and fields that do not go together."""

from collections.abc import Iterator
from typing import cast

from replay_server.endpoints import refusals
from replay_server.endpoints.description import request_schema
from replay_server.endpoints.responses_messages import input_items, is_call, is_result
from replay_server.endpoints.responses_request import context
from replay_server.endpoints.validation import check
from replay_server.errors import BadRequest, NotFound
from replay_server.interaction import Json, JsonObject, Request

_GOES_ON = ("previous_response_id", "conversation")
_PROMPTS = ("input", "previous_response_id", "prompt", "conversation")
_NOT_THE_MODEL = ("user", "system", "developer")
_KINDS = {"function_call": "function call", "custom_tool_call": "custom tool call"}


def check_response_request(body: JsonObject) -> None:
    """Raise the BadRequest that the live API answers with, if it refuses this request."""
    if body.get("model") in (None, "") and body.get("prompt") is None:
        raise refusals.missing("model")
    check(body, request_schema("createResponse"))
    _check_prompt(body)
    check_input(body)
    _check_tool_choice(body)
    _check_json_mode(body)


def check_context(request: Request) -> None:
    """Raise the error that the live API answers with to what its session does not keep."""
    said, known = context(request.body), context(request.keyed)  # an id that is kept means something else than itself
    previous, conversation = said["previous_response_id"], said["conversation"]
    if previous is not None and known["previous_response_id"] == previous:
        raise BadRequest(
            f"Previous response with id '{previous}' not found.",
            param="previous_response_id",
            code="previous_response_not_found",
        )
    if conversation is not None and known["conversation"] == conversation:
        raise NotFound(f"Conversation with id '{conversation}' not found.")


def check_compaction(body: JsonObject) -> None:
    """Raise the BadRequest that the live API answers with, if it refuses to compact this."""
    check(body, request_schema("Compactconversation"))
    check_input(body)


def _check_prompt(body: JsonObject) -> None:
    if all(body.get(name) is None for name in _PROMPTS):
        raise BadRequest(
            "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided.",
            param="input",
            code="missing_required_parameter",
        )
    if all(body.get(name) is not None for name in _GOES_ON):
        raise BadRequest(
            "Mutually exclusive parameters. Ensure you are only providing one of: 'previous_response_id' or"
            " 'conversation'.",
            code="mutually_exclusive_parameters",
        )


def check_input(body: JsonObject) -> None:
    """Raise BadRequest for a call without its result, a result without its call, and thoughts without what followed."""
    items = input_items(body)
    _check_thoughts(items)
    called = {item.get("call_id"): item for item in items if is_call(item)}
    results = {item.get("call_id") for item in items if is_result(item)}
    for call_id, call in called.items():
        if call_id not in results:
            kind = _KINDS[str(call["type"])]
            raise BadRequest(f"No tool output found for {kind} {call_id}.", param="input")
    for item in items if not any(body.get(name) for name in _GOES_ON) else ():
        if is_result(item) and item.get("call_id") not in called:
            kind = _KINDS[str(item["type"]).removesuffix("_output")]
            raise BadRequest(f"No tool call found for {kind} output with call_id {item['call_id']}.", param="input")


def _check_thoughts(items: list[JsonObject]) -> None:
    """Thoughts that were given before stand before what followed them."""
    for item, following in zip(items, [*items[1:], {"role": "user"}], strict=True):
        if item.get("type") == "reasoning" and item.get("id") and following.get("role") in _NOT_THE_MODEL:
            raise BadRequest(
                f"Item '{item['id']}' of type 'reasoning' was provided without its required following item.",
                param="input",
            )


def _check_tool_choice(body: JsonObject) -> None:
    choice, tools = body.get("tool_choice"), cast("list[JsonObject]", body.get("tools") or [])
    if choice == "required" and not tools:
        raise BadRequest("Tool choice 'required' must be specified with 'tools' parameter.", param="tool_choice")
    if isinstance(choice, dict) and choice["type"] in ("function", "custom"):
        declared = [(tool["type"], tool.get("name")) for tool in tools]
        if (choice["type"], choice["name"]) not in declared:
            raise BadRequest(f"Tool choice '{choice['type']}' not found in 'tools' parameter.", param="tool_choice")


def _check_json_mode(body: JsonObject) -> None:
    text = body.get("text")
    form = text.get("format") if isinstance(text, dict) else None
    asked = isinstance(form, dict) and form.get("type") == "json_object"
    if asked and not any("json" in said.lower() for said in _texts(body)):
        raise BadRequest(
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type"
            " 'json_object'.",
            param="input",
        )


def _texts(body: JsonObject) -> Iterator[str]:
    """What the messages say, and the instructions: the live API looks at both."""
    yield str(body.get("instructions") or "")
    for item in input_items(body):
        content: Json = item.get("content")
        parts = content if isinstance(content, list) else [{"text": content}]
        yield from (str(part["text"]) for part in parts if isinstance(part, dict) and part.get("text"))
