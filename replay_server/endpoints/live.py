"""Where the live API differs from its own description, as far as anyone has seen it.

The keys of `CORRECTIONS` are names of component schemas. `x-order` is the order in which faults of fields are reported,
`x-noun` what messages call such a value.
"""

from collections.abc import Mapping
from typing import Any

_NAME = {"minLength": 1, "maxLength": 64, "pattern": "^[a-zA-Z0-9_-]+$"}
_CALL_ID = {"maxLength": 40}
_AT_LEAST_ONE = {"minimum": 1}
_CLOSED = {"additionalProperties": False}

# `content` is not "missing": its absence and null are the same fault, which `chat_rules` words.
_MESSAGE = {
    "required": ["role"],
    "properties": {"name": {"minLength": 1, "maxLength": 64, "pattern": r"^[^\s<|\\/>]+$"}},
}

# What the assistant said stands in the input as it stood in the output, with or without what belongs to it.
_INPUT_PARTS = [
    {"$ref": f"#/components/schemas/{name}"} for name in ("InputTextContent", "InputImageContent", "InputFileContent")
]
_SAID_BEFORE, _REFUSED_BEFORE = (
    {
        "type": "object",
        "properties": {"type": {"type": "string", "enum": [kind]}, text: {"type": "string"}},
        "required": ["type", text],
    }
    for kind, text in (("output_text", "text"), ("refusal", "refusal"))
)

_FILTERS = ("Comparison", "Compound")

CORRECTIONS: Mapping[str, Mapping[str, Any]] = {
    "CreateChatCompletionRequest": {
        # Measured with bodies that have two faults each; it is neither the alphabet's nor the description's order.
        "x-order": (
            *("messages", "functions", "function_call", "tools", "tool_choice", "parallel_tool_calls"),
            *("max_completion_tokens", "n", "temperature", "top_p", "presence_penalty", "frequency_penalty"),
            *("logprobs", "top_logprobs", "user", "seed", "moderation", "safety_identifier", "prompt_cache_options"),
            *("prompt_cache_key", "prompt_cache_retention", "response_format", "service_tier", "max_tokens"),
            *("reasoning_effort", "logit_bias", "stop", "stream", "stream_options", "store", "metadata"),
            *("prediction", "verbosity"),
        ),
        "properties": {
            "max_tokens": _AT_LEAST_ONE,
            "max_completion_tokens": _AT_LEAST_ONE,
            "tools": {"minItems": 1, "maxItems": 128},
        },
    },
    "ChatCompletionRequestDeveloperMessage": _MESSAGE,
    "ChatCompletionRequestSystemMessage": _MESSAGE,
    "ChatCompletionRequestUserMessage": _MESSAGE,
    "ChatCompletionRequestAssistantMessage": _MESSAGE,
    "ChatCompletionRequestFunctionMessage": {"required": ["role", "name"]},
    "ChatCompletionRequestToolMessage": {
        "required": ["role", "tool_call_id"],
        "properties": {"tool_call_id": _CALL_ID},
    },
    "ChatCompletionMessageToolCalls": {"minItems": 1},
    "ChatCompletionMessageToolCall": {"properties": {"id": _CALL_ID, "function": {"properties": {"name": _NAME}}}},
    "ChatCompletionMessageCustomToolCall": {"properties": {"id": _CALL_ID}},
    "ChatCompletionRequestMessageContentPartFile": {"properties": {"file": _CLOSED}},
    "ChatCompletionFunctions": {"x-noun": "function definition", "properties": {"name": _NAME}},
    "ChatCompletionStreamOptions": _CLOSED,
    "PromptCacheOptionsParam": _CLOSED,
    "FunctionObject": {"properties": {"name": _NAME}},
    "FunctionTool": {"required": ["type", "name"], "properties": {"name": _NAME}},
    "CustomToolParam": {"properties": {"name": _NAME}},
    "InputMessageContentList": {"items": {"oneOf": [*_INPUT_PARTS, _SAID_BEFORE, _REFUSED_BEFORE]}},
    "InputImageContent": {"required": ["type"]},
    "ImageGenToolCall": {"required": ["type", "id"]},
    "MCPApprovalResponse": {"required": ["type", "approval_request_id", "approve"]},
    "ModelResponseProperties": {"properties": {"user": {"nullable": True}}},
    "TextResponseFormatJsonSchema": {"properties": {"description": {"nullable": True}}},
    "ReasoningItem": {"required": ["type", "summary"]},
    "CreateUploadRequest": {
        "properties": {
            "purpose": {"enum": ["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]},
            "bytes": {"minimum": 0, "maximum": 8 * 1024**3},
        },
    },
    "CompoundFilter": {
        "properties": {
            "filters": {"items": {"oneOf": [{"$ref": f"#/components/schemas/{name}Filter"} for name in _FILTERS]}},
        },
    },
    "StaticChunkingStrategy": {"properties": {"chunk_overlap_tokens": {"minimum": 0}}},
    "Metadata": {
        "x-noun": "metadata object",
        "maxProperties": 16,
        "propertyNames": {"maxLength": 64},
        "additionalProperties": {"type": "string", "maxLength": 512},
    },
}

SUPPORTED: Mapping[str, tuple[str, ...]] = {
    "messages[].role": ("system", "assistant", "user", "function", "tool", "developer"),
    # One list for all roles, though no role takes all of them.
    "messages[].content[].type": ("text", "image_url", "input_audio", "refusal", "audio", "file"),
    "input[].role": ("assistant", "system", "developer", "user"),
    "input[].content[].type": (
        *("input_text", "input_image", "output_text", "refusal", "input_file", "computer_screenshot"),
        "summary_text",
    ),
    "response_format.type": ("json_object", "json_schema", "text"),
    "service_tier": ("auto", "default", "fast", "flex", "priority"),
}
"""The values that a refusal lists, where these are not the description's own, in its order."""

ASSUMED: Mapping[str, str] = {"tool_choice.type": "function"}
"""What an unknown discriminator is read as, where the API does not look at it first."""

IMPLIED: Mapping[str, str] = {"input[].type": "message", "items[].type": "message"}
"""What an object without a discriminator is."""

MAY_BE_EMPTY = frozenset({"messages[].content"})
"""Arrays that the API takes empty, though its description says otherwise."""
