"""HTTP exchanges as the documents of a cassette: what recorders and importers have in common."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import TypeAlias

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
    name: str | None
    responses: list[JsonObject] = field(default_factory=list)


def keyed_exchange(exchange: Exchange, config: Config) -> tuple[Keyed, dict[str, Json]]:
    """The request of an exchange with its key, and its answer as a `response`, both without secrets."""
    resource, request = read_request(exchange.request)
    asked = Keyed(resource, request, config)
    return asked, answered_form(asked.redaction.answered(exchange.answer))


def documents_of(
    exchanges: Iterable[Exchange],
    config: Config,
    recorded_at: str | None = None,
    *,
    names: Iterable[str | None] = (),
    exact: bool = False,
) -> list[str]:
    """The texts of the documents, one for each different request, in the order of their first.

    The same request with different answers is a sequence; answers that are all the same are one: those that say the
    same, with `exact` those of the same bytes. `recorded_at` is the day, as ISO 8601 writes it; `names` are those of
    the exchanges, of which a document has the first.
    """
    gathered: dict[bytes, _Gathered] = {}
    for exchange, name in zip(exchanges, chain(names, repeat(None)), strict=False):
        asked, response = keyed_exchange(exchange, config)
        gathered.setdefault(asked.identity, _Gathered(asked, name)).responses.append(response)
    alike = _same_bytes if exact else _same
    recorded: dict[str, Json] = {"recorded": {} if recorded_at is None else {"at": recorded_at}}
    return [_text(found, _told_apart(found, alike), recorded) for found in gathered.values()]


def _text(found: _Gathered, responses: list[JsonObject], last: JsonObject) -> str:
    first: JsonObject = {} if found.name is None else {"name": found.name}
    return document_text(found.asked.request.body, found.asked.resource, responses, first, last)


_Alike: TypeAlias = Callable[[Keyed, JsonObject, JsonObject], bool]


def _told_apart(found: _Gathered, alike: _Alike) -> list[JsonObject]:
    """The answers as a sequence: without those at its end that say what the one before them says."""
    responses = list(found.responses)
    while len(responses) > 1 and alike(found.asked, *responses[-2:]):
        responses.pop()
    return responses


def _same(asked: Keyed, *pair: JsonObject) -> bool:
    left, right = (read_response(dict(response), asked.resource) for response in pair)
    return same_answer(asked.resource, left, right)


def _same_bytes(asked: Keyed, *pair: JsonObject) -> bool:
    left, right = ({**response, "headers": None} for response in pair)
    return left == right
