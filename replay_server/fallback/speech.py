"""Speech for whoever asks: a sound of the length that the text takes."""

from dataclasses import replace

from replay_server.fallback.sounds import sound
from replay_server.fallback.tokens import prompt_tokens
from replay_server.interaction import SpeechReply, SpeechWanted, Usage

_TOKENS_A_SECOND = 20


def speech_reply(wanted: SpeechWanted, key: str) -> SpeechReply:
    """Make a sound up."""
    return complete_speech(wanted, SpeechReply(seconds=wanted.seconds), key)


def complete_speech(wanted: SpeechWanted, reply: SpeechReply, key: str) -> SpeechReply:
    """The reply with the sound that its author left out."""
    seconds = wanted.seconds if reply.seconds is None else reply.seconds
    audio = sound(key, seconds, wanted.format) if reply.audio is None else reply.audio
    return replace(reply, audio=audio, usage=reply.usage or _usage(wanted, seconds))


def _usage(wanted: SpeechWanted, seconds: float) -> Usage:
    spoken = max(1, round(seconds * _TOKENS_A_SECOND))
    return Usage(prompt_tokens=prompt_tokens(wanted.prompt), completion_tokens=spoken)
