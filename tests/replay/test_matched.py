"""A matcher's answer, without a server around it."""

from typing import Any

from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import Keyed, Match
from replay_server.cassettes.reader import read_cassette
from replay_server.endpoints.chat import Chat
from replay_server.interaction import RawRequest, WireLive, WireResponse
from replay_server.replay.answer import Answer
from replay_server.replay.decision import OnMiss, Replay
from replay_server.replay.state import MemoryState

CASSETTE = b"""\
match: {last_user: by rule}
response: {content: "{{ request.temperature }}"}
---
match: {last_user: the same for all}
response: {content: Always.}
"""
CHAT = Chat()


class Upstream:
    """A real API that notes what it is asked, and leaves the answer to others."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(
        self, asked: Keyed, raw: RawRequest, session: str, match: Match | None, *, forwards_misses: bool
    ) -> WireLive | None:
        self.asked.append(CHAT.spoken(asked.request).last_user or "")
        return None


async def answer(replay: Replay, text: str, **fields: Any) -> Answer:
    body = {"model": "m", "messages": [{"role": "user", "content": text}], **fields}
    raw = RawRequest("POST", "/v1/chat/completions", {}, (), {}, b"")
    return await replay.answer(CHAT, CHAT.from_cassette(body), "", raw)


def replay(live: Upstream | None = None) -> Replay:
    return Replay(Library("c", read_cassette("a.yaml", CASSETTE)), MemoryState(), OnMiss.GENERATE, "", live=live)


async def test_what_a_matcher_answers_goes_to_no_upstream() -> None:
    upstream = Upstream()
    asked = replay(upstream)

    sources = [(await answer(asked, text, temperature=1)).headers["x-replay-source"] for text in ("by rule", "by none")]

    assert (sources, upstream.asked) == (["matcher", "generated"], ["by none"])


async def test_the_same_request_gets_the_same_bytes_whatever_was_asked_before() -> None:
    fresh, used = replay(), replay()
    for temperature in (0, 1):
        await answer(used, "by rule", temperature=temperature)
        await answer(used, "the same for all", temperature=temperature)

    for text in ("by rule", "the same for all"):
        left, right = await answer(fresh, text, temperature=0.5), await answer(used, text, temperature=0.5)
        assert isinstance(left.wire, WireResponse)
        assert left == right
