"""Where the answers of a recording come from: the script itself, the generator, or an upstream."""

import hashlib
from dataclasses import dataclass
from typing import Protocol

from replay_server.cassettes.config import Config
from replay_server.cassettes.matching import Keyed
from replay_server.cassettes.reader import dotted, read_response
from replay_server.cassettes.recorded_form import answered_form
from replay_server.cassettes.sameness import neutral_reply
from replay_server.endpoints.base import BadField, Resource
from replay_server.errors import ApiError
from replay_server.fallback import Generator
from replay_server.interaction import JsonObject, Response
from replay_server.record.upstream import AnswerFailed, Upstream


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as a cassette has it, and as it is read from there. `recorded`: it came from an upstream."""

    fields: JsonObject
    response: Response
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A request to be answered: `body` as it is sent, `asked` as it is saved, without secrets."""

    asked: Keyed
    body: JsonObject

    @classmethod
    def of(cls, resource: Resource, body: JsonObject, config: Config) -> "Question":
        """The question that a request with this body is."""
        return cls(Keyed(resource, resource.from_cassette(body), config), body)


class Answerer(Protocol):
    """Answers requests, without secrets. Raises AnswerFailed where there is no answer worth saving."""

    async def answer(self, question: Question, place: int) -> Answer:
        """The answer to a request, the one at `place` of its sequence."""


class FromUpstream:
    """Asks a real API."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def answer(self, question: Question, place: int) -> Answer:
        """See `Answerer`."""
        resource, asked = question.asked.resource, question.asked
        fields = answered_form(asked.redaction.answered(await self._upstream.ask(resource, question.body)))
        response = read_response(fields, resource)
        check_readable(resource, response)
        return Answer(fields, response, recorded=True)


def check_readable(resource: Resource, response: Response) -> None:
    """Raise AnswerFailed for an answer that is none of this endpoint."""
    try:
        neutral_reply(resource, response)
    except BadField as error:
        raise AnswerFailed(f"the upstream's answer {dotted(error.path)} {error.problem}".replace("  ", " ")) from None


class FromGenerator:
    """Makes answers up, with no network at all."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator

    async def answer(self, question: Question, place: int) -> Answer:
        """See `Answerer`."""
        asked = question.asked
        try:
            asked.resource.validate(asked.request)
            reply = self._generator.generate(asked.resource.wanted(asked.request), _key_at(asked, place))
        except ApiError as error:
            raise AnswerFailed(f"the API refuses it: {error.message}") from None
        fields = asked.resource.write_reply(reply)
        return Answer(fields, asked.resource.read_reply(fields))


def _key_at(asked: Keyed, place: int) -> str:
    """The seed of an answer: another one at each place of a sequence."""
    return asked.key if place == 0 else hashlib.sha256(f"{asked.key} {place}".encode()).hexdigest()


class FromNowhere:
    """Says what to give: neither the script nor the command line names a source."""

    async def answer(self, question: Question, place: int) -> Answer:
        """See `Answerer`."""
        raise AnswerFailed("has no response: add one to the script, or give --upstream URL or --offline")


def from_script(given: JsonObject, question: Question) -> Answer:
    """The response that a script gives itself. Raises AnswerFailed where it cannot be read."""
    redacted = question.asked.redaction.json(dict(given))
    fields = redacted if isinstance(redacted, dict) else {}
    try:
        return Answer(fields, read_response(fields, question.asked.resource))
    except BadField as error:
        where = ".".join(filter(None, ("response", dotted(error.path))))
        raise AnswerFailed(f"{where}: {error.problem}") from None
