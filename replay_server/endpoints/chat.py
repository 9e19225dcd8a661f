"""`POST /chat/completions`. Wire facts: OpenAI's API description 2.3.0, and recordings of the live API."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

from replay_server.endpoints import chat_conversation, chat_request
from replay_server.endpoints.base import Resource, Route, ToolResults
from replay_server.endpoints.chat_rules import check_chat
from replay_server.endpoints.openai import Fields, OpenAIResource, field_value, headers, json_response, unless
from replay_server.endpoints.short_form import read_text_reply
from replay_server.endpoints.short_form_writer import write_text_reply
from replay_server.endpoints.text import DONE, compact, in_turn, pieces, snapshot, tokens_per_piece
from replay_server.interaction import (
    Choice,
    Json,
    JsonObject,
    Request,
    TextReply,
    TextWanted,
    TokenLogprob,
    ToolCall,
    Usage,
    WireResponse,
    WireStream,
)
from replay_server.keys import normalise
from replay_server.stamp import Stamp

if TYPE_CHECKING:
    from replay_server.conditions import Spoken
    from replay_server.endpoints.objects import Objects


class Chat(OpenAIResource):
    """Chat completions. What few replays need is imported where it is used: a server must start at once."""

    name = "chat/completions"
    routes = (Route("POST", "/chat/completions", "createChatCompletion", "Create a chat completion"),)
    id_marks = (b'"file_id"',)
    rendered_from = ("model", "messages", "stream", "stream_options", "logprobs", "top_logprobs")
    fields = Fields(
        prompt=("model", "messages"),
        shape={
            "tools": chat_request.shape_of_tools,
            "tool_choice": chat_request.shape_of_tool_choice,
            "response_format": chat_request.shape_of_response_format,
            "n": unless("n", 1),
            "modalities": unless("modalities", ["text"]),
            "logprobs": unless("logprobs", False),
            "functions": field_value("functions"),
            "function_call": field_value("function_call"),
        },
        defaults={
            "temperature": 1,
            "top_p": 1,
            "presence_penalty": 0,
            "frequency_penalty": 0,
            "parallel_tool_calls": True,
            "store": False,
            "service_tier": "auto",
            "n": 1,
            "logprobs": False,
            "modalities": ["text"],
            "response_format": {"type": "text"},
            "tool_choice": "auto",
        },
    )

    def canonical(self, request: Request) -> JsonObject:
        """Model and messages, tool calls numbered by first use."""
        messages = request.keyed.get("messages")
        return {"model": normalise(request.keyed.get("model")), "messages": chat_request.canonical_messages(messages)}

    def validate(self, request: Request) -> None:
        """Raise the error that the live API answers this request with, if it refuses it."""
        super().validate(request)
        check_chat(request.body)

    def wanted(self, request: Request) -> TextWanted:
        """One prompt: the messages."""
        return chat_request.wanted(request)

    def read_reply(self, short: JsonObject) -> TextReply:
        """Read the short form."""
        return read_text_reply(short)

    def write_reply(self, reply: TextReply) -> JsonObject:
        """The short form of a reply."""
        return write_text_reply(reply)

    def spoken(self, request: Request) -> "Spoken":
        """What the messages say."""
        from replay_server.endpoints.spoken import spoken_in_messages

        return spoken_in_messages(request.body.get("messages"))

    def keeps(self, request: Request) -> bool:
        """With `store`."""
        return request.body.get("store") is True

    async def keep(self, request: Request, said: Json, key: str, objects: "Objects") -> None:
        """Keep the completion, for `GET /chat/completions/{id}`."""
        from replay_server.endpoints.stored_chat import keep_chat

        await keep_chat(request, said, key, objects)

    def say(self, body: JsonObject, text: str) -> JsonObject:
        """The request in which the user says something more."""
        return chat_conversation.say(body, text)

    def hear(self, body: JsonObject, reply: TextReply, results: ToolResults) -> tuple[JsonObject, bool]:
        """The request with the answer and the results of its tools, and whether it is the model's turn again."""
        return chat_conversation.hear(body, reply, results)

    def read_body(self, body: Json) -> TextReply:
        """Read a recorded chat completion."""
        from replay_server.endpoints.chat_body import read_chat_body

        return read_chat_body(body)

    def read_stream(self, chunks: Sequence[Json]) -> TextReply:
        """Read the chunks of a recorded stream."""
        from replay_server.endpoints.chat_stream import read_chat_stream

        return read_chat_stream(chunks)

    def render(self, request: Request, reply: TextReply, stamp: Stamp) -> WireResponse:
        """A `chat.completion`."""
        envelope = _envelope(request, reply, stamp, "chat.completion")
        service_tier, fingerprint = envelope.pop("service_tier"), envelope.pop("system_fingerprint")
        choices = [_choice(choice, index, stamp) for index, choice in enumerate(reply.choices)]
        tail = {"service_tier": service_tier, "system_fingerprint": fingerprint}
        return json_response({**envelope, "choices": choices, "usage": _usage(reply.usage), **tail}, stamp)

    def stream(self, request: Request, reply: TextReply, stamp: Stamp) -> WireStream:
        """`chat.completion.chunk` events, then `[DONE]`."""
        return WireStream(200, headers(stamp, "text/event-stream; charset=utf-8"), _frames(request, reply, stamp))


RESOURCE: Resource = Chat()


def _envelope(request: Request, reply: TextReply, stamp: Stamp, kind: str) -> dict[str, Json]:
    model = reply.model or snapshot(request.model)
    return {
        "id": reply.id or stamp.id("chatcmpl-", 29),
        "object": kind,
        "created": stamp.created if reply.created is None else reply.created,
        "model": model,
        "service_tier": reply.service_tier or "default",
        "system_fingerprint": reply.system_fingerprint or "fp_" + Stamp(model).hex("fingerprint", 10),
    }


# Plain ---------------------------------------------------------------------------------------------------------------


def _choice(choice: Choice, index: int, stamp: Stamp) -> dict[str, Json]:
    message: dict[str, Json] = {"role": "assistant", "content": choice.content}
    if choice.tool_calls:
        message["tool_calls"] = [_tool_call(call, index, at, stamp) for at, call in enumerate(choice.tool_calls)]
    if choice.function_call:
        message["function_call"] = _called(choice.function_call, choice.function_call.arguments)
    message["refusal"] = choice.refusal
    message["annotations"] = [dict(annotation) for annotation in choice.annotations]
    message.update((part.name, part.text) for part in choice.reasoning)
    logprobs = _logprobs(choice.logprobs) if choice.logprobs is not None else None
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish_reason(choice)}


def finish_reason(choice: Choice) -> str:
    """Why the choice ended: as the reply says, or as its contents tell."""
    calls = "tool_calls" if choice.tool_calls else "function_call" if choice.function_call else "stop"
    return choice.finish_reason or calls


def _tool_call(call: ToolCall, choice: int, at: int, stamp: Stamp) -> dict[str, Json]:
    return {"id": _call_id(call, choice, at, stamp), "type": call.kind, call.kind: _called(call, call.arguments)}


def _call_id(call: ToolCall, choice: int, at: int, stamp: Stamp) -> str:
    return call.id or stamp.id("call_", 24, f"{choice} {at}")


def _called(call: ToolCall, text: str) -> dict[str, Json]:
    return {"name": call.name, "arguments" if call.kind == "function" else "input": text}


def _logprobs(logprobs: tuple[TokenLogprob, ...]) -> dict[str, Json]:
    return {"content": [_logprob(entry) for entry in logprobs], "refusal": None}


def _logprob(entry: TokenLogprob) -> dict[str, Json]:
    chosen = _token(entry.token, 0.0 if entry.logprob is None else entry.logprob)
    return {**chosen, "top_logprobs": [_token(token, logprob) for token, logprob in entry.top]}


def _token(token: str, logprob: float) -> dict[str, Json]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def _usage(usage: Usage | None) -> dict[str, Json] | None:
    if usage is None:
        return None
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


# Streamed ------------------------------------------------------------------------------------------------------------


class _Chunks:
    """Writes the chunks of one stream. What they share is encoded once: a stream is mostly envelope."""

    def __init__(self, envelope: Mapping[str, Json], with_usage: bool, padding: bytes | None) -> None:
        self._head = b"data: " + compact(envelope)[:-1] + b',"choices":['
        self._tail = b',"usage":null' if with_usage else b""
        self._padding = padding
        self._written = 0

    def choice(self, index: int, delta: bytes, logprobs: bytes = b"null", finish: bytes = b"null") -> bytes:
        """A chunk with a delta of one choice."""
        fields = b'{"index":%d,"delta":%b,"logprobs":%b,"finish_reason":%b}' % (index, delta, logprobs, finish)
        size = len(delta) + len(logprobs) + len(finish)
        return b"%b%b]%b%b}\n\n" % (self._head, fields, self._tail, self._obfuscation(size))

    def usage(self, usage: Mapping[str, Json] | None) -> bytes:
        """The chunk with the usage, and no choice."""
        text = compact(usage)
        return b'%b],"usage":%b%b}\n\n' % (self._head, text, self._obfuscation(len(text)))

    def _obfuscation(self, size: int) -> bytes:
        """Padding that hides the length of a delta: to the next multiple of 16, as counted in recorded streams."""
        if self._padding is None:
            return b""
        start = self._written % (len(self._padding) - 15)
        self._written += 16
        return b',"obfuscation":"%b"' % self._padding[start : start + 1 + (1 - size) % 16]


def _frames(request: Request, reply: TextReply, stamp: Stamp) -> Iterator[bytes]:
    options = chat_request.stream_options(request.body)
    padding = stamp.text("obfuscation", 1024).encode() if options.get("include_obfuscation") is not False else None
    with_usage = options.get("include_usage") is True
    chunks = _Chunks(_envelope(request, reply, stamp, "chat.completion.chunk"), with_usage, padding)
    choices = [_choice_frames(chunks, choice, index, stamp) for index, choice in enumerate(reply.choices)]
    yield from choices[0] if len(choices) == 1 else in_turn(choices)
    if with_usage:  # clients wait for usage after the last delta, so it goes before [DONE]
        yield chunks.usage(_usage(reply.usage))
    yield DONE


def _choice_frames(chunks: _Chunks, choice: Choice, index: int, stamp: Stamp) -> Iterator[bytes]:
    texts = pieces(choice)
    calls = _call_deltas(choice.tool_calls, index, stamp)
    if choice.tool_calls and not texts and not choice.reasoning:
        # A single call comes with the role; of several, the role comes first.
        opening = next(calls) if len(choice.tool_calls) == 1 else {}
        yield chunks.choice(index, compact({"role": "assistant", "content": None, **opening}))
    else:
        yield chunks.choice(index, compact({"role": "assistant", "content": "", "refusal": None}))
    for part in choice.reasoning:  # servers show it before the text
        for text in part.deltas or (part.text,):
            yield chunks.choice(index, compact({part.name: text}))
    yield from _text_frames(chunks, choice, index, texts)
    for delta in chain(calls, _legacy_deltas(choice.function_call)):
        yield chunks.choice(index, compact(delta))
    yield chunks.choice(index, b"{}", finish=compact(finish_reason(choice)))


def _text_frames(chunks: _Chunks, choice: Choice, index: int, texts: tuple[str, ...]) -> Iterator[bytes]:
    opening = b'{"content":' if choice.refusal is None else b'{"refusal":'
    if choice.logprobs is None:
        for text in texts:
            yield chunks.choice(index, opening + compact(text) + b"}")
        return
    entries = iter(choice.logprobs)
    for text, tokens in zip(texts, tokens_per_piece(texts, choice.logprobs), strict=True):
        logprobs = compact(_logprobs(tuple(islice(entries, tokens))))
        yield chunks.choice(index, opening + compact(text) + b"}", logprobs)


def _legacy_deltas(call: ToolCall | None) -> Iterator[dict[str, object]]:
    """The name comes only with the first delta."""
    if call is not None:
        yield {"function_call": _called(call, "")}
        for piece in _argument_pieces(call):
            yield {"function_call": {"arguments": piece}}


def _argument_pieces(call: ToolCall) -> tuple[str, ...]:
    return call.deltas or ((call.arguments,) if call.arguments else ())


def _call_deltas(calls: tuple[ToolCall, ...], choice: int, stamp: Stamp) -> Iterator[dict[str, object]]:
    """Id and name come only with the first delta of a call; later ones are told apart by index alone."""
    for at, call in enumerate(calls):
        opening = {
            "index": at,
            "id": _call_id(call, choice, at, stamp),
            "type": call.kind,
            call.kind: _called(call, ""),
        }
        yield {"tool_calls": [opening]}
        text_field = "arguments" if call.kind == "function" else "input"
        for piece in _argument_pieces(call):
            yield {"tool_calls": [{"index": at, call.kind: {text_field: piece}}]}
