"""Rendered answers, remembered: rendering is the dearest part of a replay, and always gives the same bytes.

An answer's bytes depend on the interaction, its place in the sequence, and the fields of the request that its endpoint
names in `rendered_from`. Those are the key here, as they came: an answer never depends on what was asked before.
"""

from collections import OrderedDict

import orjson

from replay_server.cassettes.matching import Keyed
from replay_server.interaction import Interaction, WireResponse, WireStream

MAX_BYTES = 64 * 1024 * 1024
_OVERHEAD = 500
"""Bytes that an answer costs beside its body and the fields of its key."""

RenderedKey = tuple[int, str, int, int, bytes]
"""Revision of the library, cassette, place in it, place in the sequence, fields of the request."""


def rendered_key(asked: Keyed, interaction: Interaction, place: int, revision: int) -> RenderedKey:
    """All that the bytes of a replayed answer depend on."""
    body, names = asked.request.body, asked.resource.rendered_from
    fields = orjson.dumps(body if names is None else [body.get(name) for name in names])
    if origin := asked.request.origin:
        fields += origin.encode()
    return revision, interaction.cassette, interaction.place, place, fields


class RenderedAnswers:
    """Answers by key, those used last, up to so many bytes."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._answers: OrderedDict[RenderedKey, WireResponse | WireStream] = OrderedDict()

    def get(self, key: RenderedKey) -> WireResponse | WireStream | None:
        """The answer, if it is remembered."""
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def put(self, key: RenderedKey, answer: WireResponse | WireStream) -> WireResponse | WireStream:
        """Remember an answer, and give it back: a stream's frames as one."""
        if isinstance(answer, WireStream):
            answer = WireStream(answer.status, answer.headers, (b"".join(answer.frames),))
        if key not in self._answers:
            self._bytes += _size(key, answer)
            self._answers[key] = answer
        while self._bytes > self._max_bytes:
            self._bytes -= _size(*self._answers.popitem(last=False))
        return answer


def _size(key: RenderedKey, answer: WireResponse | WireStream) -> int:
    body = len(answer.body) if isinstance(answer, WireResponse) else sum(map(len, answer.frames))
    return _OVERHEAD + len(key[-1]) + body
