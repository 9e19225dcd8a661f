"""Hostile streams, recorded as they arrive, saved, loaded and replayed: every byte, every frame and every gap."""

from itertools import pairwise
from pathlib import Path

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from replay_server.cassettes.config import Config
from replay_server.cassettes.exchange import documents_of
from replay_server.cassettes.reader import read_cassette
from replay_server.cassettes.sse import split_frames
from replay_server.endpoints.table import resource_named
from replay_server.interaction import Answered, Exchange, RawRequest, Recorded
from replay_server.record.capture import Capture, FrameCutter
from tests.record.upstreams import CHUNKED_EVENTS, ask, asked, chunk, chunked, raw_upstream

ENDS = ("\n", "\r\n", "\r")
CHUNKS = st.one_of(
    st.text(max_size=8).map(lambda text: chunk({"content": text}, None)[6:-2]),
    st.text(max_size=6).map(
        lambda text: chunk({"tool_calls": [{"index": 0, "function": {"arguments": text}}]}, None)[6:-2]
    ),
    st.binary(max_size=12).filter(lambda data: b"\n" not in data and b"\r" not in data),
    st.just(orjson.dumps({"obfuscation": "x" * 3000, "unknown": [None, 1.0, 10**18], "é": "é"})),
    st.just(b'{"spaced": 1,  "odd":[ ]}'),
)
FRAMES = st.one_of(
    st.tuples(CHUNKS, st.sampled_from(ENDS)).map(lambda got: b"data: %b%b%b" % (got[0], *[got[1].encode()] * 2)),
    st.tuples(CHUNKS, st.sampled_from(ENDS)).map(
        lambda got: b"event: x%b:%b%bdata:%b%b%b" % (e := got[1].encode(), b" c", e, got[0], e, e)
    ),
    st.sampled_from(
        [
            b": comment\n\n",
            b":\r\n\r\n",
            b"\n",
            b"\r",
            b"\r\n",
            b"id: 1\nretry: 5\n\n",
            b"data\n\n",
            b"data: a\ndata: b\n\n",
        ]
    ),
    st.binary(max_size=20),
)
STREAMS = st.tuples(
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.lists(FRAMES, max_size=8),
    st.sampled_from([b"", b"\n", b"\r\n", b"\n\n"]),
).map(lambda parts: parts[0] + b"".join(parts[1]) + b"data: [DONE]" + parts[2])


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """The stream as it arrives, cut anywhere."""
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(edges)]


CUTS = st.lists(st.integers(0, 10_000), max_size=30)


@given(STREAMS, CUTS)
def test_frames_are_the_same_wherever_a_stream_is_cut(stream: bytes, cuts: list[int]) -> None:
    cutter = FrameCutter(0.0)
    for piece in pieces(stream, cuts):
        cutter.take(piece, 0.0)
    cutter.end(0.0)

    assert [frame.data for frame in cutter.frames] == split_frames(stream)


@given(STREAMS)
def test_frames_are_the_same_where_each_byte_comes_alone(stream: bytes) -> None:
    cutter = FrameCutter(0.0)
    for at in range(len(stream)):
        cutter.take(stream[at : at + 1], 0.0)
    cutter.end(0.0)

    assert [frame.data for frame in cutter.frames] == split_frames(stream)


@given(STREAMS, CUTS)
@settings(deadline=None)
def test_a_hostile_stream_comes_back_from_its_cassette(stream: bytes, cuts: list[int]) -> None:
    arrived = pieces(stream, cuts)
    capture = Capture(200, {"content-type": "text/event-stream"}, started=0.0, largest=1 << 20)
    for number, piece in enumerate(arrived, start=1):
        capture.take(piece, number / 4)
    answered = capture.answered(resource_named("chat/completions"), len(arrived) / 4 + 1, even_broken=True)

    replayed = from_cassette(answered)

    assert (replayed.body, b"".join(frame.data for frame in replayed.frames)) == (stream, stream)
    assert replayed.frames == answered.frames


def from_cassette(answered: Answered) -> Recorded:
    """What a cassette has of an answer, read back from its text."""
    raw = RawRequest("POST", "/v1/chat/completions", {}, (), {}, orjson.dumps(asked(stream=True)))
    (text,) = documents_of([Exchange(raw, answered)], Config())
    (interaction,) = read_cassette("a.yaml", text.encode())
    (response,) = interaction.responses
    assert isinstance(response, Recorded)
    return response


async def test_a_hostile_stream_passes_through_a_server_and_back(recorder, cassettes: Path) -> None:
    """One of each, through real servers: what comes is what went, live and replayed."""
    stream = (
        b"\xef\xbb\xbf: hello\r\n\r\n" + b"retry: 5\r\r" + b"\n\n\n" + b"event: x\ndata: \xff\xfe\n\n"
        b"data: {\"a\": 1}\ndata: {\"b\": 2}\n\n" + chunk({"content": "\u00e9\U0001f600"}, None)
        + b"data: " + b"x" * 300_000 + b"\n\n" + chunk({}, "stop") + b"data: [DONE]\n\n"
    )  # fmt: skip
    cut = pieces(stream, [1, 2, 3, 7, 12, 13, 14, 20, 22, 23, 24, 70, 71, *range(150, 300)])
    talk_bytes = CHUNKED_EVENTS + chunked(*cut)

    async def talk(_reader, writer) -> None:
        for at in range(0, len(talk_bytes), 1777):
            writer.write(talk_bytes[at : at + 1777])
            await writer.drain()

    async with raw_upstream(talk) as url:
        server = await recorder(url)
        passed = await ask(server.url, asked(stream=True))
    strict = await recorder(record_mode="none", on_miss="error")

    assert passed == (200, stream)
    assert await ask(strict.url, asked(stream=True)) == (200, stream)
