"""Why an answer is worse than the one that it would replace: it failed or is cut short, though HTTP went well."""

from replay_server.cassettes.sameness import neutral_reply
from replay_server.cassettes.sse import json_chunks
from replay_server.endpoints.base import BadField, Resource
from replay_server.interaction import ErrorReply, Json, Recorded, Response, TextReply
from replay_server.record.answers import check_readable
from replay_server.record.capture import words
from replay_server.record.upstream import AnswerFailed

_PASSING = frozenset({408, 409, 425, 429})
"""Errors that tell of the moment, and not of the request."""
_COMPLETED = "completed"


def may_follow(old: Response, status: int) -> bool:
    """Whether an answer with this status may replace a recorded one: an error never replaces what is none."""
    recorded = old.status if isinstance(old, ErrorReply | Recorded) else 200
    if recorded < 400 or status < 400:
        return 200 <= status < 300
    return status == recorded or (status < 500 and status not in _PASSING)


def check_as_good(resource: Resource, old: Response, new: Recorded) -> None:
    """Raise AnswerFailed for an answer that must not replace the recorded one."""
    if new.status >= 400:
        return
    if resource.routes[0].operation_id:
        check_readable(resource, new)
        _check_ended(resource, old, new)
    elif isinstance(old, Recorded) and old.status < 400:
        _check_alike(old, new)


def _check_ended(resource: Resource, old: Response, new: Recorded) -> None:
    """A choice that does not say why it ended has been cut short, unless this upstream never says it."""
    if _says_why_it_ended(resource, old) and not _says_why_it_ended(resource, new):
        raise AnswerFailed("the upstream's answer has no finish_reason: it was cut short")


def _says_why_it_ended(resource: Resource, response: Response) -> bool:
    try:
        reply = neutral_reply(resource, response)
    except BadField:
        return False
    return not isinstance(reply, TextReply) or all(choice.finish_reason for choice in reply.choices)


def _check_alike(old: Recorded, new: Recorded) -> None:
    """Nothing is known of the endpoint: what tells of a failure is what the recorded answer has not."""
    if old.body and not new.body:
        raise AnswerFailed("the upstream answered nothing")
    if old.content is not None and new.content is None:
        raise AnswerFailed(f"the upstream answered what is not JSON: {words(new.body)}")
    ours, theirs = _last(old), _last(new)
    if theirs.get("error") and not ours.get("error"):
        raise AnswerFailed(f"the upstream's answer tells of an error: {words(new.body)}")
    if ours.get("status") == _COMPLETED and theirs.get("status") != _COMPLETED:
        raise AnswerFailed(f"the upstream's answer is {theirs.get('status')}, and a completed one was recorded")
    if new.frames and ours.get("type") != theirs.get("type"):
        raise AnswerFailed(f"the upstream's stream ends with {theirs.get('type')}, and not with {ours.get('type')}")


def _last(answer: Recorded) -> dict[str, Json]:
    """The JSON object of an answer, or of a stream's last event."""
    last = next(reversed(list(json_chunks(answer.body))), None) if answer.frames else answer.content
    return last if isinstance(last, dict) else {}
