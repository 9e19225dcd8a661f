"""`POST /audio/speech`. Wire facts: OpenAI's API description 2.3.0."""

import base64
from binascii import Error as NoBase64
from collections.abc import Iterator, Mapping, Sequence

from replay_server.endpoints.base import BadField, Resource, Route
from replay_server.endpoints.openai import Fields, OpenAIResource, headers, unless
from replay_server.endpoints.short_form import known, optional, required
from replay_server.endpoints.typed_events import ends, event, says
from replay_server.interaction import (
    Json,
    JsonObject,
    Prompt,
    Request,
    SpeechReply,
    SpeechWanted,
    Usage,
    WireResponse,
    WireStream,
)
from replay_server.stamp import Stamp

_TYPES: Mapping[str, str] = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
_WORDS_A_SECOND = 2.5
_LETTERS_A_WORD = 6
"""In a script without spaces, and where someone counts on long words."""
_SHORTEST = 0.2
_PIECE = 4800
"""Bytes of an event: a tenth of a second of PCM."""


class Speech(OpenAIResource):
    """A text, said."""

    name = "audio/speech"
    routes = (Route("POST", "/audio/speech", "createSpeech", "Say a text"),)
    fields = Fields(
        prompt=("model", "input", "voice", "instructions"),
        shape={"response_format": unless("response_format", "mp3")},
        defaults={"response_format": "mp3", "speed": 1},
    )

    def streams(self, body: JsonObject) -> bool:
        """Whether events are asked for: without them the sound itself comes."""
        return body.get("stream_format") == "sse"

    def drifting_field(self, request: Request, name: str) -> Json:
        """One of the other fields: how the sound travels is none."""
        return None if name == "stream_format" else super().drifting_field(request, name)

    def validate(self, request: Request) -> None:
        """Raise the error that the live API answers this request with, if it refuses it."""
        from replay_server.endpoints.speech_rules import check_speech  # a replay never needs it

        super().validate(request)
        check_speech(request.body)

    def wanted(self, request: Request) -> SpeechWanted:
        """A sound as long as the text takes at the speed."""
        body = request.body
        text, instructions, speed = _text(body, "input"), _text(body, "instructions"), body.get("speed")
        seconds = _seconds(text, float(speed) if isinstance(speed, int | float) and speed > 0 else 1.0)
        prompt = Prompt(text=text, context=(instructions,) if instructions else ())
        return SpeechWanted(prompt=prompt, seconds=seconds, format=_format(body))

    def read_reply(self, short: JsonObject) -> SpeechReply:
        """Read the short form: how long it is, or the sound."""
        known(short, ("seconds", "audio"))
        given = [name for name in ("seconds", "audio") if short.get(name) is not None]
        if len(given) != 1:
            raise BadField((), "must have one of seconds, audio: how long it is, or the sound in base64")
        if given == ["audio"]:
            return SpeechReply(audio=_decoded(short))
        return SpeechReply(seconds=read_seconds(short))

    def write_reply(self, reply: SpeechReply) -> JsonObject:
        """The short form: of a sound that was made up its length is enough."""
        if reply.seconds is not None:
            return {"seconds": reply.seconds}
        return {"audio": base64.b64encode(reply.audio or b"").decode()}

    def read_body(self, body: Json) -> SpeechReply:
        """JSON is no sound."""
        raise BadField((), "is no sound")

    def read_bytes(self, body: bytes) -> SpeechReply:
        """Read a recorded sound."""
        return SpeechReply(audio=body)

    def read_stream(self, chunks: Sequence[Json]) -> SpeechReply:
        """Read the events of a recorded stream."""
        events = [chunk for chunk in chunks if isinstance(chunk, dict)]
        audio = b"".join(_decoded(each) for each in events if each.get("type") == "speech.audio.delta")
        done = next((each for each in events if each.get("type") == "speech.audio.done"), {})
        return SpeechReply(audio=audio, usage=_read_usage(done))

    def ends_stream(self, data: bytes) -> bool | None:
        """Whether a frame's data is the last event."""
        return ends(data, "speech.audio.done")

    def carries_delta(self, data: bytes) -> bool:
        """Whether it brings more of the sound."""
        return says(data, "speech.audio.delta")

    def tokens_said(self, body: bytes) -> int:
        """None: a sound does not tell."""
        return 0

    def render(self, request: Request, reply: SpeechReply, stamp: Stamp) -> WireResponse:
        """The sound."""
        return WireResponse(200, headers(stamp, _TYPES[_format(request.body)]), reply.audio or b"")

    def stream(self, request: Request, reply: SpeechReply, stamp: Stamp) -> WireStream:
        """The sound in pieces, and what it costs."""
        return WireStream(200, headers(stamp, "text/event-stream; charset=utf-8"), _frames(reply))


RESOURCE: Resource = Speech()


def read_seconds(short: JsonObject) -> float | None:
    """How long a sound is, in a short form. Raises BadField."""
    value = short.get("seconds")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 86_400:
        raise BadField(("seconds",), f"must be a number above 0, of at most a day, not {value!r}")
    return float(value)


def _text(body: JsonObject, name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _format(body: JsonObject) -> str:
    name = body.get("response_format")
    return name if isinstance(name, str) and name in _TYPES else "mp3"


def _seconds(text: str, speed: float) -> float:
    words = max(len(text.split()), len(text) // _LETTERS_A_WORD / 2)
    return round(max(_SHORTEST, words / _WORDS_A_SECOND / speed), 2)


def _decoded(holder: JsonObject) -> bytes:
    try:
        return base64.b64decode(required(holder, "audio", str), validate=True)
    except NoBase64 as error:
        raise BadField(("audio",), f"is not base64: {error}") from None


def _read_usage(done: JsonObject) -> Usage | None:
    usage = optional(done, "usage", dict)
    if usage is None:
        return None
    return Usage(
        prompt_tokens=required(usage, "input_tokens", int), completion_tokens=required(usage, "output_tokens", int)
    )


def _frames(reply: SpeechReply) -> Iterator[bytes]:
    audio, usage = reply.audio or b"", reply.usage or Usage(prompt_tokens=0, completion_tokens=0)
    for start in range(0, len(audio), _PIECE):
        piece = base64.b64encode(audio[start : start + _PIECE]).decode()
        yield event({"type": "speech.audio.delta", "audio": piece})
    counted: dict[str, Json] = {
        "input_tokens": usage.prompt_tokens,
        "output_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }
    yield event({"type": "speech.audio.done", "usage": counted})
