"""`POST /completions`, the legacy endpoint. Wire facts: OpenAI's API description 2.3.0, recordings of the live API."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from replay_server.endpoints.base import Resource, Route
from replay_server.endpoints.chat_request import stream_options
from replay_server.endpoints.openai import Fields, OpenAIResource, headers, json_response, unless
from replay_server.endpoints.short_form import read_text_reply
from replay_server.endpoints.short_form_writer import write_text_reply
from replay_server.endpoints.text import (
    DONE,
    compact,
    in_turn,
    integer,
    pieces,
    snapshot,
    stop_sequences,
    tokens_per_piece,
)
from replay_server.interaction import (
    Choice,
    Json,
    JsonObject,
    Prompt,
    Request,
    TextReply,
    TextWanted,
    Usage,
    WireResponse,
    WireStream,
)
from replay_server.stamp import Stamp

if TYPE_CHECKING:
    from replay_server.conditions import Spoken

_DEFAULT_MAX_TOKENS = 16


class Completions(OpenAIResource):
    """Legacy text completions."""

    name = "completions"
    routes = (Route("POST", "/completions", "createCompletion", "Create a text completion"),)
    rendered_from = ("model", "prompt", "suffix", "stream", "stream_options", "logprobs", "echo")
    fields = Fields(
        prompt=("model", "prompt", "suffix"),
        shape={"n": unless("n", 1), "logprobs": unless("logprobs", None)},
        defaults={
            "n": 1,
            "best_of": 1,
            "echo": False,
            "temperature": 1,
            "top_p": 1,
            "presence_penalty": 0,
            "frequency_penalty": 0,
            "max_tokens": _DEFAULT_MAX_TOKENS,
        },
    )

    def validate(self, request: Request) -> None:
        """Raise the error that the live API answers this request with, if it refuses it."""
        from replay_server.endpoints.completion_rules import check_completion

        super().validate(request)
        check_completion(request.body)

    def spoken(self, request: Request) -> "Spoken":
        """A prompt is what the user says."""
        from replay_server.endpoints.spoken import spoken_in_prompt

        return spoken_in_prompt(request.body.get("prompt"))

    def wanted(self, request: Request) -> TextWanted:
        """A prompt for each text or list of tokens."""
        body = request.body
        max_tokens = integer(body, "max_tokens")
        suffix = body.get("suffix")
        return TextWanted(
            prompts=_prompts(body.get("prompt")),
            n=integer(body, "n") or 1,
            best_of=integer(body, "best_of") or None,
            max_tokens=_DEFAULT_MAX_TOKENS if max_tokens is None else max_tokens,
            stop=stop_sequences(body.get("stop")),
            logprobs=integer(body, "logprobs"),
            echo=body.get("echo") is True,
            suffix=suffix if isinstance(suffix, str) and suffix else None,
            seed=integer(body, "seed"),
            stream=request.stream,
        )

    def read_reply(self, short: JsonObject) -> TextReply:
        """Read the short form: text only."""
        return read_text_reply(short, ("content", "json", "deltas", "finish_reason"))

    def write_reply(self, reply: TextReply) -> JsonObject:
        """The short form of a reply."""
        return write_text_reply(reply)

    def read_body(self, body: Json) -> TextReply:
        """Read a recorded text completion."""
        from replay_server.endpoints.completion_body import read_completion_body

        return read_completion_body(body)

    def read_stream(self, chunks: Sequence[Json]) -> TextReply:
        """Read the chunks of a recorded stream."""
        from replay_server.endpoints.completion_body import read_completion_stream

        return read_completion_stream(chunks)

    def render(self, request: Request, reply: TextReply, stamp: Stamp) -> WireResponse:
        """A `text_completion`."""
        choices = [
            _choice(
                index, choice.content or "", _logprobs(choice, 0, len(choice.logprobs or ())), _finish_reason(choice)
            )
            for index, choice in enumerate(reply.choices)
        ]
        envelope = _envelope(request, reply, stamp)
        return json_response({**envelope, "choices": choices, "usage": _usage(reply.usage)}, stamp)

    def stream(self, request: Request, reply: TextReply, stamp: Stamp) -> WireStream:
        """`text_completion` events, then `[DONE]`."""
        # without a charset: so in every recorded stream of this endpoint
        return WireStream(200, headers(stamp, "text/event-stream"), _frames(request, reply, stamp))


RESOURCE: Resource = Completions()


def _prompts(value: Json) -> tuple[Prompt, ...]:
    """A text, several texts, a list of token ids (one prompt), or several of those. Nothing: the end-of-text token."""
    if not isinstance(value, list):
        return (Prompt(text=value) if isinstance(value, str) else Prompt(framing_tokens=1),)
    if value and all(isinstance(item, int) for item in value):
        return (_token_prompt(value),)
    return tuple(Prompt(text=item) if isinstance(item, str) else _token_prompt(item) for item in value) or (Prompt(),)


def _token_prompt(value: Json) -> Prompt:
    ids = value if isinstance(value, list) else []
    return Prompt(token_ids=tuple(token for token in ids if isinstance(token, int)))


def _envelope(request: Request, reply: TextReply, stamp: Stamp) -> dict[str, Json]:
    return {
        "id": reply.id or stamp.id("cmpl-", 29),
        "object": "text_completion",
        "created": stamp.created if reply.created is None else reply.created,
        "model": reply.model or snapshot(request.model),
    }


def _choice(index: int, text: str, logprobs: JsonObject | None, finish_reason: str | None) -> dict[str, Json]:
    return {
        "text": text,
        "index": index,
        "logprobs": None if logprobs is None else dict(logprobs),
        "finish_reason": finish_reason,
    }


def _finish_reason(choice: Choice) -> str:
    return choice.finish_reason or "stop"


def _logprobs(choice: Choice, start: int, end: int) -> JsonObject | None:
    """The logprobs of the tokens from `start` to `end`, with their offsets in the whole text."""
    if choice.logprobs is None:
        return None
    entries = choice.logprobs[start:end]
    offset = sum(len(entry.token) for entry in choice.logprobs[:start])
    offsets = list(accumulate((len(entry.token) for entry in entries[:-1]), initial=offset)) if entries else []
    return {
        "tokens": [entry.token for entry in entries],
        "token_logprobs": [entry.logprob for entry in entries],
        "top_logprobs": [dict(entry.top) if entry.top else None for entry in entries],
        "text_offset": list(offsets),
    }


def _usage(usage: Usage | None) -> dict[str, Json] | None:
    if usage is None:
        return None
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }


def _frames(request: Request, reply: TextReply, stamp: Stamp) -> Iterator[bytes]:
    envelope = _envelope(request, reply, stamp)
    model = envelope.pop("model")
    with_usage = stream_options(request.body).get("include_usage") is True
    head = b"data: " + compact(envelope)[:-1] + b',"choices":['
    tail = b'],"model":' + compact(model) + (b',"usage":null}\n\n' if with_usage else b"}\n\n")
    yield from in_turn([_choice_frames(head, choice, index, tail) for index, choice in enumerate(reply.choices)])
    if with_usage:  # clients wait for usage after the last delta, so it goes before [DONE]
        yield head + b'],"model":' + compact(model) + b',"usage":' + compact(_usage(reply.usage)) + b"}\n\n"
    yield DONE


def _choice_frames(head: bytes, choice: Choice, index: int, tail: bytes) -> Iterator[bytes]:
    texts, start = pieces(choice), 0
    for text, count in zip(texts, tokens_per_piece(texts, choice.logprobs or ()), strict=True):
        logprobs = _logprobs(choice, start, start + count)
        yield head + compact(_choice(index, text, logprobs, None)) + tail
        start += count
    yield head + compact(_choice(index, "", None, _finish_reason(choice))) + tail
