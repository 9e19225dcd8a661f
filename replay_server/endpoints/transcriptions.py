"""`POST /audio/transcriptions`. Wire facts: OpenAI's API description 2.3.0."""

from replay_server.endpoints.base import Resource, Route
from replay_server.endpoints.form_body import FormFields
from replay_server.endpoints.openai import Fields, field_value, unless
from replay_server.endpoints.transcripts import Transcripts
from replay_server.interaction import JsonObject


class Transcriptions(Transcripts):
    """What is said in a sound, in its own language."""

    name = "audio/transcriptions"
    routes = (Route("POST", "/audio/transcriptions", "createTranscription", "Write down what is said"),)
    task = "transcribe"
    form = FormFields(
        files=frozenset({"file"}),
        lists=frozenset(
            {"include", "keywords", "known_speaker_names", "known_speaker_references", "languages"}
            | {"timestamp_granularities"}
        ),
        integers=frozenset({"prefix_padding_ms", "silence_duration_ms"}),
        numbers=frozenset({"temperature", "threshold"}),
        booleans=frozenset({"stream"}),
    )
    fields = Fields(
        prompt=("model", "file", "prompt", "language", "languages", "keywords"),
        shape={
            "response_format": unless("response_format", "json"),
            "timestamp_granularities": unless("timestamp_granularities", ["segment"]),
            "include": field_value("include"),
        },
        defaults={"response_format": "json", "timestamp_granularities": ["segment"], "temperature": 0},
    )

    def streams(self, body: JsonObject) -> bool:
        """Whether a stream is asked for: whisper-1 takes no notice of that."""
        return super().streams(body) and body.get("model") != "whisper-1"


RESOURCE: Resource = Transcriptions()
