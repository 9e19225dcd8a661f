"""What the live API refuses of a sound and of the form that it comes in, beyond its description."""

from collections.abc import Mapping

from replay_server.endpoints.form_body import is_file
from replay_server.endpoints.refusals import any_of, missing
from replay_server.endpoints.sound_length import size_of
from replay_server.errors import BadRequest
from replay_server.interaction import Json, JsonObject

_FORMATS = ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm")
_SHORTEST = 0.1
_ANSWERS: Mapping[str, tuple[str, ...]] = {
    "gpt-4o-transcribe-diarize": ("json", "text", "diarized_json"),
    "gpt-4o-transcribe": ("json", "text"),
    "gpt-4o-mini-transcribe": ("json", "text"),
    "whisper-1": ("json", "text", "srt", "verbose_json", "vtt"),
}
"""The response formats of each model; of one that is not known here, all."""


def check_model(body: JsonObject) -> None:
    """Raise the BadRequest for a form without a model."""
    if body.get("model") in (None, ""):
        raise BadRequest("you must provide a model parameter")


def check_transcript(body: JsonObject) -> None:
    """Raise the BadRequest that the live API answers such a request with."""
    file = body.get("file")
    if not is_file(file):
        raise missing("file")
    _check_format(file)
    if not size_of(file) or _told_seconds(file) < _SHORTEST:
        message = f"Audio file is too short. Minimum audio length is {_SHORTEST} seconds."
        raise BadRequest(message, param="file", code="audio_too_short")
    _check_answer(body)


def _told_seconds(file: Json) -> float:
    """How long a sound is that says so; of any other enough."""
    seconds = file.get("seconds") if isinstance(file, dict) else None
    return float(seconds) if isinstance(seconds, int | float) else _SHORTEST


def _check_format(file: Json) -> None:
    told = file if isinstance(file, dict) else {}
    name, kind = str(told.get("filename", "")), str(told.get("content_type", ""))
    if name.rpartition(".")[2].lower() not in _FORMATS and not kind.startswith(("audio/", "video/")):
        raise BadRequest(f"Invalid file format. Supported formats: {list(_FORMATS)}", param="file")


def _check_answer(body: JsonObject) -> None:
    model, form = body.get("model"), body.get("response_format")
    supported = _ANSWERS.get(str(model))
    if isinstance(form, str) and supported is not None and form not in supported:
        raise BadRequest(
            f"response_format '{form}' is not compatible with model '{model}'. Use {any_of(supported)} instead.",
            param="response_format",
            code="unsupported_value",
        )
