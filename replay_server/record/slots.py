"""The documents of a cassette while it is recorded: what is in the file, and what has been answered since."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from replay_server.cassettes.file import Stored, document_text
from replay_server.cassettes.yaml_writer import dump
from replay_server.endpoints.base import Resource
from replay_server.interaction import JsonObject, Response

_KEPT = ("repeat", "pace", "fault")
"""What the writer of a document has said of how it is replayed."""
_NAME_LINE = re.compile(r"^name:[^\n]*\n", re.MULTILINE)


@dataclass(slots=True)
class Slot:
    """A document of the cassette to be: its request, and the new answers by their place in the sequence."""

    resource: Resource
    request: JsonObject
    name: str | None
    stored: Stored | None
    answers: dict[int, JsonObject] = field(default_factory=dict)
    recorded: bool = True
    """Whether all new answers came from an upstream."""

    def there(self, place: int) -> Response | None:
        """The response at a place of the sequence that the file holds."""
        responses = self.stored.interaction.responses if self.stored else ()
        return responses[place] if place < len(responses) else None

    def take(self, place: int, fields: JsonObject, *, recorded: bool) -> None:
        """Take a new answer. `recorded`: it came from an upstream."""
        self.answers[place] = fields
        self.recorded = self.recorded and recorded

    def text(self) -> str | None:
        """The document's text, as it stands in the file where nothing changed. None where there is no answer."""
        if self.stored and not self.answers:
            return _renamed(self.stored, self.name)
        answers = self._all_answers()
        if not answers:
            return None
        name = self._stored().get("name") if self.name is None else self.name
        first: JsonObject = {} if name is None else {"name": name}
        return document_text(self.request, self.resource, answers, first, self._last())

    def _all_answers(self) -> list[JsonObject]:
        """Old and new: what a run did not get to, or failed at, is never lost."""
        response = self._stored().get("response")
        old = response if isinstance(response, list) else [response]
        merged = {place: fields for place, fields in enumerate(old) if isinstance(fields, dict)} | self.answers
        return [merged[place] for place in sorted(merged)]

    def _last(self) -> JsonObject:
        kept = {name: value for name, value in self._stored().items() if name in _KEPT}
        return {**kept, "recorded": {"at": datetime.now(UTC).date().isoformat()}} if self.recorded else kept

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
