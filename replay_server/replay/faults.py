"""Which fault hits a request: that of its header, else one that was set at run time, else that of its document.

`State` counts the calls of each session: those with the same header, those that a rule is for, those that a document
answers. What a probability draws is seeded by the key of the request and how often it came: other requests between
change nothing.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import orjson

from replay_server.cassettes.matching import Keyed
from replay_server.errors import ApiError
from replay_server.fallback.draw import Draw
from replay_server.faults.errors import error_of, limit_error, refusal_headers, retry_headers
from replay_server.faults.fault import Fault
from replay_server.faults.limits import Refusal
from replay_server.interaction import Interaction, RawRequest, WireResponse
from replay_server.replay.state import State
from replay_server.stamp import Stamp

_KEY_HEADERS = ("authorization", "api-key", "x-api-key")
_MOST_TOKENS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
_CHARACTERS_PER_TOKEN = 4

Faults: TypeAlias = Iterable[tuple[str, Fault]]
"""The faults that may hit a request, the first before the others, each with what its calls are counted by."""

NOTHING = WireResponse(0, {}, b"")
"""The answer of which not even the head comes: it has no status."""


@dataclass(frozen=True, slots=True)
class Hit:
    """What befalls a request: a fault, and what rate limits say, who may refuse it."""

    fault: Fault | None = None
    limits: Mapping[str, str] = field(default_factory=dict)
    refusal: Refusal | None = None

    def answer(self, asked: Keyed) -> WireResponse | None:
        """The answer that it makes, before anybody is asked for another one. None where it makes none."""
        if self.refusal is not None:
            error, headers = limit_error(self.refusal, asked.request.model), refusal_headers(self.refusal)
            return _error(asked, error, headers)
        if self.fault is None:
            return None
        if self.fault.status is not None:
            return _error(asked, error_of(self.fault, asked.request.model), retry_headers(self.fault))
        return NOTHING if self.fault.breaks_first else None


def _error(asked: Keyed, error: ApiError, headers: Mapping[str, str]) -> WireResponse:
    wire = asked.resource.error(error, Stamp(asked.key))
    return WireResponse(wire.status, {**wire.headers, **headers}, wire.body)


async def first_due(state: State, faults: Faults, asked: Keyed, session: str, raw: RawRequest) -> Hit:
    """The first fault whose turn it is, and what the rate limits before it say."""
    limits: dict[str, str] = {}
    for name, fault in faults:
        if fault.limit is not None:
            client = (name, _client(raw.headers), asked.request.model)
            verdict = await state.ask_limit(session, client, fault.limit, _tokens(asked, raw))
            limits |= verdict.headers
            if verdict.refusal is not None:
                return Hit(fault, limits, verdict.refusal)
        elif await _is_due(state, name, fault, asked, session):
            return Hit(fault, limits)
    return Hit(limits=limits)


async def _is_due(state: State, name: str, fault: Fault, asked: Keyed, session: str) -> bool:
    if fault.needs_stream and not asked.request.stream:
        return False
    schedule = fault.schedule
    if schedule.is_always:
        return True
    call = await state.count_fault(session, f"{name} {asked.key}" if schedule.probability < 1 else name)
    return schedule.hits(call, lambda: Draw(asked.key, fault.text, call).fraction())


def own_fault(fault: Fault | None) -> Iterator[tuple[str, Fault]]:
    """The fault of a request's header, with what its calls are counted by."""
    return _named("header", fault)


def document_fault(interaction: Interaction) -> Iterator[tuple[str, Fault]]:
    """The fault of the document that answers a request."""
    return _named(interaction.id, interaction.fault)


def _named(name: str, fault: Fault | None) -> Iterator[tuple[str, Fault]]:
    if fault is not None:
        yield f"{name} {fault.text}", fault


def _client(headers: Mapping[str, str]) -> str:
    """Who asks, by the API key: told apart, and not to be read from our memory."""
    key = next((headers[name] for name in _KEY_HEADERS if name in headers), "")
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()


def _tokens(asked: Keyed, raw: RawRequest) -> int:
    """What a request counts for, as the API estimates it before it answers: by its length, or by what may come."""
    most = (asked.request.body.get(name) for name in _MOST_TOKENS)
    size = len(raw.body or orjson.dumps(asked.request.body))
    return max([-(-size // _CHARACTERS_PER_TOKEN), *(tokens for tokens in most if isinstance(tokens, int))])
