"""From what is wanted to the module that makes it: a new kind of `Wanted` is one new module and one line here."""

from typing import assert_never

from replay_server.fallback.completion import complete
from replay_server.fallback.models import models_reply
from replay_server.fallback.tokens import Count, count, prompt_tokens
from replay_server.interaction import (
    CountReply,
    CountWanted,
    ImagesReply,
    ImagesWanted,
    JsonReply,
    JsonWanted,
    ModelsReply,
    ModelsWanted,
    Reply,
    SpeechReply,
    SpeechWanted,
    TextReply,
    TextWanted,
    TranscriptReply,
    TranscriptWanted,
    VectorsReply,
    VectorsWanted,
    VerdictsReply,
    VerdictsWanted,
    Wanted,
)


class Generator:
    """Makes up replies. The same wanted value and the same key give the same reply, everywhere and always."""

    def __init__(self, models: tuple[str, ...] = (), tokens_of: Count = count) -> None:
        """`models` are those known. `tokens_of` counts prompts, and the contents of hand-written replies."""
        self._models = models
        self._tokens_of = tokens_of

    def generate(self, wanted: Wanted, key: str) -> Reply:
        """A whole reply, made up. `key` is the request's, as 64 hex digits."""
        match wanted:
            case TextWanted():
                # Loaded at the first miss: replay alone never needs it.
                from replay_server.fallback.text import text_reply

                return text_reply(wanted, key, self._tokens_of)
            case CountWanted():
                return CountReply(tokens=prompt_tokens(wanted.prompt, self._tokens_of))
            case ModelsWanted():
                return models_reply(wanted, self._models)
            case JsonWanted():
                from replay_server.fallback.json_value import json_reply  # only described APIs ask for one

                return json_reply(wanted, key)
            case VectorsWanted():
                from replay_server.fallback.embedding import vectors_reply

                return vectors_reply(wanted, self._tokens_of)
            case VerdictsWanted():
                from replay_server.fallback.verdicts import verdicts_reply

                return verdicts_reply(wanted)
            case ImagesWanted():
                from replay_server.fallback.images import images_reply

                return images_reply(wanted, key)
            case SpeechWanted():
                from replay_server.fallback.speech import speech_reply

                return speech_reply(wanted, key)
            case TranscriptWanted():
                from replay_server.fallback.transcript import transcript_reply

                return transcript_reply(wanted, key)
            case _:
                assert_never(wanted)

    def complete(self, wanted: Wanted, reply: Reply, key: str) -> Reply:
        """The reply, with what its author left out: usage, and where they are wanted, logprobs and deltas."""
        match wanted, reply:
            case TextWanted(), TextReply():
                return complete(wanted, reply, key, self._tokens_of)
            case VectorsWanted(), VectorsReply():
                from replay_server.fallback.embedding import complete_vectors

                return complete_vectors(wanted, reply, self._tokens_of)
            case VerdictsWanted(), VerdictsReply():
                from replay_server.fallback.verdicts import complete_verdicts

                return complete_verdicts(wanted, reply)
            case ImagesWanted(), ImagesReply():
                from replay_server.fallback.images import complete_images

                return complete_images(wanted, reply, key)
            case SpeechWanted(), SpeechReply():
                from replay_server.fallback.speech import complete_speech

                return complete_speech(wanted, reply, key)
            case TranscriptWanted(), TranscriptReply():
                from replay_server.fallback.transcript import complete_transcript

                return complete_transcript(wanted, reply, key)
            case (
                _,
                TextReply()
                | CountReply()
                | JsonReply()
                | ModelsReply()
                | VectorsReply()
                | VerdictsReply()
                | ImagesReply()
                | SpeechReply()
                | TranscriptReply(),
            ):
                return reply
            case _:
                assert_never(reply)
