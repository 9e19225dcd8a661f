"""The documents of a cassette while it is recorded: what is in the file, and what has been answered since."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from replay_server.cassettes.file import Stored, document_text
from replay_server.cassettes.yaml_writer import dump
from replay_server.endpoints.base import Resource
from replay_server.interaction import Json, JsonObject, Response

_NAME_LINE = re.compile(r"^name:[^\n]*\n", re.MULTILINE)


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
    """Whether all new answers came from an upstream."""

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
        self.recorded = recorded and (self.recorded or not self.changed)
        self.changed = True

    def text(self) -> str | None:
        """The document's text, as it stands in the file where nothing changed. None where there is no answer."""
        stored = self.stored
        if stored and not self.changed:
            return _renamed(stored, self.name)
        answers = [*self.answers, *self._answers_beyond()]
        if not answers:
            return None
        name = self._stored().get("name") if self.name is None else self.name
        first: dict[str, Json] = {} if name is None else {"name": name}
        return document_text(self.request, self.resource, answers, first, self._last())

    def _last(self) -> JsonObject:
        kept = {name: value for name, value in self._stored().items() if name == "repeat"}
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


def _renamed(stored: Stored, name: str | None) -> str:
    """The document with another name, and nothing else changed: comments and the writer's own style stay."""
    if name is None or stored.fields.get("name") == name:
        return stored.text
    line = dump({"name": name})
    if "name" not in stored.fields:
        return line + stored.text
    return _NAME_LINE.sub(lambda _: line, stored.text, count=1)
