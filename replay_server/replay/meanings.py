"""Ids that this server gave out count as what they stand for: so they match what was recorded of another session."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from replay_server.interaction import Json, Request

if TYPE_CHECKING:
    from replay_server.endpoints.objects import Objects

KINDS = {"resp_": "response", "conv_": "conversation", "file-": "file"}
"""By how their ids begin, the kinds of objects that a request may name."""


async def with_meanings(request: Request, objects: "Objects") -> Request:
    """The request, with what the ids of the session's objects stand for."""
    meanings = {}
    for named in set(_ids(dict(request.body))):
        kept = await objects.get(KINDS[named[:5]], named)
        if kept is not None and kept.stands_for:
            meanings[named] = kept.stands_for
    if not meanings:
        return request
    return request._replace(meant={name: _meant(value, meanings) for name, value in request.body.items()})


def _ids(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        if value[:5] in KINDS:
            yield value
        return
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _ids(each)


def _meant(value: Json, meanings: dict[str, str]) -> Json:
    if isinstance(value, str):
        return meanings.get(value, value)
    if isinstance(value, dict):
        return {name: _meant(each, meanings) for name, each in value.items()}
    return [_meant(each, meanings) for each in value] if isinstance(value, list) else value
