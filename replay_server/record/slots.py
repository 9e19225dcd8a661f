"""The documents of a cassette while it is recorded: what is in the file, and what has been answered since."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from replay_server.cassettes.file import Stored, document_text
from replay_server.endpoints.base import Resource
from replay_server.interaction import Json, JsonObject, Response


@dataclass(slots=True)
class Slot:
    """A document of the cassette to be: its request, and the answers that it has so far."""

    resource: Resource
    request: JsonObject
    name: str | None
    stored: Stored | None
    answers: list[JsonObject] = field(default_factory=list)
    changed: bool = False
    recorded: bool = False

    def there(self, place: int) -> Response | None:
        """The response at a place of the sequence that the file holds."""
        responses = self.stored.interaction.responses if self.stored else ()
        return responses[place] if place < len(responses) else None

    def keep(self, place: int) -> None:
        """Keep what the file holds."""
        self.answers.append(self._stored_fields(place))

    def take(self, fields: JsonObject, *, recorded: bool) -> None:
        """Take a new answer. `recorded`: it came from an upstream."""
        self.answers.append(fields)
        self.changed, self.recorded = True, self.recorded or recorded

    def text(self) -> str | None:
        """The document's text, as it stands in the file where nothing changed. None where there is no answer."""
        stored = self.stored
        if stored and not self.changed and stored.fields.get("name") == self.name:
            return stored.text
        answers = [*self.answers, *self._answers_beyond()]
        if not answers:
            return None
        first: dict[str, Json] = {} if self.name is None else {"name": self.name}
        return document_text(self.request, self.resource, answers, first, self._last())

    def _last(self) -> JsonObject:
        kept = {name: value for name, value in self._stored().items() if name in ("repeat", "recorded")}
        return {**kept, "recorded": {"at": datetime.now(UTC).date().isoformat()}} if self.recorded else kept

    def _answers_beyond(self) -> Iterable[JsonObject]:
        """A sequence keeps what the script did not get to: a recording is never lost."""
        total = len(self.stored.interaction.responses) if self.stored else 0
        return [self._stored_fields(place) for place in range(len(self.answers), total)]

    def _stored_fields(self, place: int) -> JsonObject:
        response = self._stored().get("response")
        found = response[place] if isinstance(response, list) else response
        return found if isinstance(found, dict) else {}

    def _stored(self) -> JsonObject:
        return self.stored.fields if self.stored else {}
