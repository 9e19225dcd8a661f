"""A transcript in the forms that can be asked for: JSON with and without times and speakers, text, SRT, WebVTT."""

import math
from collections.abc import Callable, Mapping

from replay_server.endpoints.base import BadField
from replay_server.endpoints.short_form import optional, required
from replay_server.interaction import Json, JsonObject, Segment, TokenLogprob, TranscriptReply, Usage
from replay_server.stamp import Stamp

_LANGUAGES: Mapping[str, str] = {
    "ar": "arabic",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "it": "italian",
    "ja": "japanese",
    "ko": "korean",
    "nl": "dutch",
    "pl": "polish",
    "pt": "portuguese",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
    "uk": "ukrainian",
    "zh": "chinese",
}
"""The names that `verbose_json` has for some languages; others stand there by their code."""
_SURE = -0.25
_TOKENS = 50_000


def transcript_json(task: str, body: JsonObject, reply: TranscriptReply, stamp: Stamp) -> dict[str, Json]:
    """The answer in the JSON that `response_format` asks for."""
    match body.get("response_format"):
        case "verbose_json":
            return _verbose(task, body, reply, stamp)
        case "diarized_json":
            segments: list[Json] = [diarized(at, segment) for at, segment in enumerate(reply.segments or ())]
            said: dict[str, Json] = {"task": task, "duration": reply.seconds, "text": reply.text, "segments": segments}
            return {**said, "usage": usage_json(body, reply)}
        case _ if task == "translate":
            return {"text": reply.text}
        case _:
            return {"text": reply.text, **logprobs_json(reply.logprobs), "usage": usage_json(body, reply)}


def _verbose(task: str, body: JsonObject, reply: TranscriptReply, stamp: Stamp) -> dict[str, Json]:
    language = "en" if task == "translate" else reply.language or "en"
    granularities = body.get("timestamp_granularities") or ["segment"]
    answer: dict[str, Json] = {
        "task": task,
        "language": _LANGUAGES.get(language, language),
        "duration": reply.seconds,
        "text": reply.text,
    }
    if isinstance(granularities, list) and "word" in granularities:
        answer["words"] = [
            {"word": word.text.strip(".,;:!?"), "start": word.start, "end": word.end} for word in reply.words or ()
        ]
    if isinstance(granularities, list) and "segment" in granularities:
        answer["segments"] = [_segment(at, segment, stamp) for at, segment in enumerate(reply.segments or ())]
    if task == "transcribe":
        answer["usage"] = _duration(reply)
    return answer


def _segment(at: int, segment: Segment, stamp: Stamp) -> dict[str, Json]:
    seeds = stamp.hex(f"tokens {at}", 4 * len(segment.text.split()))
    tokens: list[Json] = [int(seeds[place : place + 4], 16) % _TOKENS for place in range(0, len(seeds), 4)]
    return {
        "id": at,
        "seek": 0,
        "start": segment.start,
        "end": segment.end,
        "text": f" {segment.text.strip()}",
        "tokens": tokens,
        "temperature": 0.0,
        "avg_logprob": _SURE,
        "compression_ratio": 1.2,
        "no_speech_prob": 0.01,
    }


def diarized(at: int, segment: Segment) -> dict[str, Json]:
    """A segment with who speaks, as it stands in the answer and in an event."""
    return {
        "type": "transcript.text.segment",
        "id": f"seg_{at + 1:03}",
        "start": segment.start,
        "end": segment.end,
        "text": segment.text.strip(),
        "speaker": segment.speaker or "A",
    }


def segment_of(each: JsonObject) -> Segment:
    """A segment as a cassette or an answer has it. Raises BadField."""
    start, end = _time(each, "start"), _time(each, "end")
    if end < start:
        raise BadField(("end",), f"is {end}, before its start, {start}")
    return Segment(start, end, required(each, "text", str), optional(each, "speaker", str))


def _time(each: JsonObject, name: str) -> float:
    value = each.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise BadField((name,), f"must be seconds, a number from 0, not {value!r}")
    return float(value)


# Usage and logprobs --------------------------------------------------------------------------------------------------


def usage_json(body: JsonObject, reply: TranscriptReply) -> dict[str, Json]:
    """What it costs: by the second for whisper-1, by the token for the others."""
    return _duration(reply) if body.get("model") == "whisper-1" else tokens_json(reply.usage)


def tokens_json(usage: Usage | None) -> dict[str, Json]:
    """What it costs by the token."""
    usage = usage or Usage(prompt_tokens=0, completion_tokens=0)
    return {
        "type": "tokens",
        "total_tokens": usage.total_tokens,
        "input_tokens": usage.prompt_tokens,
        "input_token_details": {
            "text_tokens": usage.prompt_tokens - usage.audio_tokens,
            "audio_tokens": usage.audio_tokens,
        },
        "output_tokens": usage.completion_tokens,
    }


def _duration(reply: TranscriptReply) -> dict[str, Json]:
    return {"type": "duration", "seconds": math.ceil(reply.seconds or 0)}


def logprobs_json(logprobs: tuple[TokenLogprob, ...] | None) -> dict[str, Json]:
    """`logprobs`, where they were asked for."""
    if logprobs is None:
        return {}
    return {
        "logprobs": [
            {"token": each.token, "logprob": each.logprob, "bytes": list(each.token.encode())} for each in logprobs
        ]
    }


# Texts ---------------------------------------------------------------------------------------------------------------


def _text(reply: TranscriptReply) -> str:
    return f"{reply.text}\n"


def _srt(reply: TranscriptReply) -> str:
    """SubRip: numbered cues."""
    cues = [f"{at}\n{_cue(segment, ',')}\n" for at, segment in enumerate(reply.segments or (), start=1)]
    return "\n".join(cues) + "\n"


def _vtt(reply: TranscriptReply) -> str:
    """Source: W3C, WebVTT, section 4."""
    return "\n".join(["WEBVTT\n", *(f"{_cue(segment, '.')}\n" for segment in reply.segments or ())]) + "\n"


def _cue(segment: Segment, point: str) -> str:
    return f"{_clock(segment.start, point)} --> {_clock(segment.end, point)}\n{segment.text.strip()}"


def _clock(seconds: float, point: str) -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{thousandths:03}"


TEXTS: Mapping[str, Callable[[TranscriptReply], str]] = {"text": _text, "srt": _srt, "vtt": _vtt}
"""By `response_format`, what is no JSON."""
