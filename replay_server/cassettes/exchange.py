"""HTTP exchanges as the documents of a cassette: what recorders and importers have in common."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from replay_server.cassettes.config import Config
from replay_server.cassettes.file import document_text
from replay_server.cassettes.matching import Keyed
from replay_server.cassettes.reader import read_response
from replay_server.cassettes.recorded_form import answered_form
from replay_server.cassettes.sameness import same_answer
from replay_server.endpoints.address import read_request
from replay_server.interaction import Exchange, Json, JsonObject


@dataclass(slots=True)
class _Gathered:
    """A request, and its answers in the order in which they came."""

    asked: Keyed
    responses: list[JsonObject] = field(default_factory=list)


def keyed_exchange(exchange: Exchange, config: Config) -> tuple[Keyed, dict[str, Json]]:
    """The request of an exchange with its key, and its answer as a `response`, both without secrets."""
    resource, request = read_request(exchange.request)
    asked = Keyed(resource, request, config)
    return asked, answered_form(asked.redaction.answered(exchange.answer))


def documents_of(exchanges: Iterable[Exchange], config: Config, recorded_at: str | None = None) -> list[str]:
    """The texts of the documents, one for each different request, in the order of their first.

    The same request with different answers is a sequence; answers that are all the same are one. `recorded_at` is the
    day, as ISO 8601 writes it.
    """
    gathered: dict[bytes, _Gathered] = {}
    for exchange in exchanges:
        asked, response = keyed_exchange(exchange, config)
        gathered.setdefault(asked.identity, _Gathered(asked)).responses.append(response)
    recorded: dict[str, Json] = {"recorded": {} if recorded_at is None else {"at": recorded_at}}
    return [
        document_text(found.asked.request.body, found.asked.resource, _told_apart(found), {}, recorded)
        for found in gathered.values()
    ]


def _told_apart(found: _Gathered) -> list[JsonObject]:
    """The answers as a sequence: without those at its end that say what the one before them says."""
    responses = list(found.responses)
    while len(responses) > 1 and _same(found.asked, *responses[-2:]):
        responses.pop()
    return responses


def _same(asked: Keyed, *pair: JsonObject) -> bool:
    left, right = (read_response(dict(response), asked.resource) for response in pair)
    return same_answer(asked.resource, left, right)
