"""What the journal says of one request, as a value for tests to look at."""

from dataclasses import dataclass
from typing import Any

from replay_server.cassettes.redaction.redactor import Redactor
from replay_server.replay.journal import Noted


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A request and where its answer came from, without secrets."""

    id: str
    """`one#3` is the third request of the session `one`, `#3` that of no session."""
    session: str | None
    at: str
    method: str
    path: str
    endpoint: str | None
    """Such as `chat/completions`."""
    model: str | None
    stream: bool
    status: int
    source: str
    """`cassette`, `generated`, `upstream`, `miss`, `error`, …: as the header `x-replay-source` says."""
    key: str | None
    interaction: str | None
    """The one that answered, such as `weather.yaml#3`."""
    drift: tuple[str, ...]
    """Parameters in which the request differs from the interaction."""
    fault: str | None
    """What befell the answer, as the header `x-replay-fault` says."""
    milliseconds: float
    """Until the answer began."""
    explanation: str | None
    """Of a miss."""
    request: Any
    """The body: JSON, else text; None where there is none, or where it had to make room for others."""

    @property
    def asked(self) -> str:
        """What was asked, in short: `chat/completions gpt-4o-mini`."""
        return " ".join(filter(None, (self.endpoint or f"{self.method} {self.path}", self.model)))

    def __str__(self) -> str:
        return " ".join(filter(None, (self.id, self.asked, self.source, self.interaction)))


def entry(noted: Noted, redactor: Redactor) -> Entry:
    """An entry of the journal."""
    fields: dict[str, Any] = noted.as_json(redactor)
    return Entry(**{**fields, "drift": tuple(fields["drift"])}, request=noted.request(redactor))
