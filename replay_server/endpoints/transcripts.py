"""What transcriptions and translations share: a form with a sound, and what is said in it."""

from collections.abc import Sequence
from typing import ClassVar

from replay_server.endpoints.base import BadField
from replay_server.endpoints.form_resource import FormResource
from replay_server.endpoints.openai import headers, json_response
from replay_server.endpoints.short_form import items, known, optional, required
from replay_server.endpoints.sound_length import seconds_of, wav_seconds
from replay_server.endpoints.speech import read_seconds
from replay_server.endpoints.transcript_forms import TEXTS, segment_of, transcript_json
from replay_server.endpoints.transcript_stream import frames, read_events
from replay_server.endpoints.typed_events import ends, says
from replay_server.interaction import (
    Json,
    JsonObject,
    Prompt,
    Request,
    Segment,
    TranscriptReply,
    TranscriptWanted,
    Usage,
    WireResponse,
    WireStream,
)
from replay_server.stamp import Stamp

_SPEAKERS = ("A", "B")
_TEXT = "text/plain; charset=utf-8"


class Transcripts(FormResource):
    """The parts of `Resource` that are alike for both."""

    task: ClassVar[str]

    def about(self, data: bytes) -> JsonObject:
        """How long a sound is, where it says so."""
        seconds = wav_seconds(data)
        return {} if seconds is None else {"seconds": seconds}

    def validate(self, request: Request) -> None:
        """Raise the error that the live API answers this request with, if it refuses it."""
        from replay_server.endpoints.transcript_rules import check_model, check_transcript  # a replay never needs them

        check_model(request.body)
        self.check_form(request, self.routes[0].operation_id)
        check_transcript(request.body)

    def wanted(self, request: Request) -> TranscriptWanted:
        """What is said in the file."""
        body = request.body
        prompt, language = body.get("prompt"), body.get("language")
        return TranscriptWanted(
            prompt=Prompt(text=prompt if isinstance(prompt, str) else ""),
            seconds=seconds_of(body.get("file")),
            language=language if isinstance(language, str) and language else "en",
            speakers=_speakers(body),
            logprobs="logprobs" in _texts(body, "include"),
        )

    # Short form

    def read_reply(self, short: JsonObject) -> TranscriptReply:
        """Read the short form: what is said, at once or in segments."""
        known(short, ("content", "segments", "language", "seconds"))
        segments = tuple(_read_listed(each, at) for at, each in enumerate(items(short, "segments", dict)))
        content = optional(short, "content", str)
        if content is None and not segments:
            raise BadField((), "has no contents: give content or segments")
        return TranscriptReply(
            text=" ".join(segment.text.strip() for segment in segments) if content is None else content,
            segments=segments or None,
            language=optional(short, "language", str),
            seconds=read_seconds(short) or (segments[-1].end if segments else None),
        )

    def write_reply(self, reply: TranscriptReply) -> JsonObject:
        """The short form: what is said is enough."""
        return {"content": reply.text}

    # Recorded answers in the other mode

    def read_body(self, body: Json) -> TranscriptReply:
        """Read a recorded answer in JSON."""
        if not isinstance(body, dict):
            raise BadField((), "is no transcript")
        return TranscriptReply(
            text=required(body, "text", str),
            segments=tuple(map(segment_of, items(body, "segments", dict))) or None,
            usage=_read_usage(body),
        )

    def read_bytes(self, body: bytes) -> TranscriptReply:
        """Read a recorded text."""
        return TranscriptReply(text=body.decode(errors="replace").removesuffix("\n"))

    def read_stream(self, chunks: Sequence[Json]) -> TranscriptReply:
        """Read the events of a recorded stream."""
        segments, deltas, done = read_events(chunks)
        return TranscriptReply(
            text=required(done, "text", str), segments=segments or None, deltas=deltas or None, usage=_read_usage(done)
        )

    # Time

    def ends_stream(self, data: bytes) -> bool | None:
        """Whether a frame's data is the last event."""
        return ends(data, "transcript.text.done")

    def carries_delta(self, data: bytes) -> bool:
        """Whether it brings more of the text."""
        return says(data, "transcript.text.delta")

    def tokens_said(self, body: bytes) -> int:
        """None: what is said comes at once."""
        return 0

    # The wire

    def render(self, request: Request, reply: TranscriptReply, stamp: Stamp) -> WireResponse:
        """JSON of three kinds, or a text of three."""
        form = request.body.get("response_format")
        if isinstance(form, str) and form in TEXTS:
            return WireResponse(200, headers(stamp, _TEXT), TEXTS[form](reply).encode())
        return json_response(transcript_json(self.task, request.body, reply, stamp), stamp)

    def stream(self, request: Request, reply: TranscriptReply, stamp: Stamp) -> WireStream:
        """The text in pieces, and then the whole."""
        return WireStream(200, headers(stamp, "text/event-stream; charset=utf-8"), frames(request.body, reply))


def _texts(body: JsonObject, name: str) -> tuple[str, ...]:
    value = body.get(name)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _speakers(body: JsonObject) -> tuple[str, ...]:
    if body.get("response_format") != "diarized_json":
        return ()
    return _texts(body, "known_speaker_names") or _SPEAKERS


def _read_listed(each: JsonObject, at: int) -> Segment:
    try:
        known(each, ("start", "end", "text", "speaker"))
        return segment_of(each)
    except BadField as error:
        raise error.below("segments", at) from None


def _read_usage(holder: JsonObject) -> Usage | None:
    usage = optional(holder, "usage", dict)
    if usage is None or usage.get("type") != "tokens":
        return None
    details = optional(usage, "input_token_details", dict) or {}
    return Usage(
        prompt_tokens=required(usage, "input_tokens", int),
        completion_tokens=required(usage, "output_tokens", int),
        audio_tokens=optional(details, "audio_tokens", int) or 0,
    )
