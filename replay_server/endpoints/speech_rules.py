"""What the live API refuses of a request for speech beyond its description."""

from replay_server.endpoints import refusals
from replay_server.errors import BadRequest
from replay_server.interaction import JsonObject

_WITHOUT_EVENTS = ("tts-1", "tts-1-hd")


def check_speech(body: JsonObject) -> None:
    """Raise the BadRequest that the live API answers such a request with."""
    if body.get("input") == "":
        raise refusals.empty("input", "string", 1)
    if body.get("stream_format") == "sse" and body.get("model") in _WITHOUT_EVENTS:
        message = "Unsupported value: 'stream_format' does not support 'sse' with this model."
        raise BadRequest(message, param="stream_format", code="unsupported_value")
