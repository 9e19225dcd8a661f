"""`POST /audio/translations`. Wire facts: OpenAI's API description 2.3.0."""

from replay_server.endpoints.base import Resource, Route
from replay_server.endpoints.form_body import FormFields
from replay_server.endpoints.openai import Fields, unless
from replay_server.endpoints.transcripts import Transcripts
from replay_server.interaction import JsonObject


class Translations(Transcripts):
    """What is said in a sound, in English."""

    name = "audio/translations"
    routes = (Route("POST", "/audio/translations", "createTranslation", "Write down in English what is said"),)
    both_modes = False
    task = "translate"
    form = FormFields(files=frozenset({"file"}), numbers=frozenset({"temperature"}))
    fields = Fields(
        prompt=("model", "file", "prompt"),
        shape={"response_format": unless("response_format", "json")},
        defaults={"response_format": "json", "temperature": 0},
    )

    def streams(self, body: JsonObject) -> bool:
        """Never: there is no parameter that asks for a stream."""
        return False


RESOURCE: Resource = Translations()
