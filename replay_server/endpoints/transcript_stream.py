"""A transcript as a stream of events, and back."""

from collections.abc import Iterator, Sequence

from replay_server.endpoints.base import BadField
from replay_server.endpoints.short_form import required
from replay_server.endpoints.text import tokens_per_piece
from replay_server.endpoints.transcript_forms import diarized, logprobs_json, segment_of, tokens_json
from replay_server.endpoints.typed_events import event
from replay_server.interaction import Json, JsonObject, Segment, TranscriptReply


def frames(body: JsonObject, reply: TranscriptReply) -> Iterator[bytes]:
    """A delta for each piece (with speakers, a segment each as well), and the whole text."""
    if body.get("response_format") == "diarized_json":
        yield from _spoken(reply)
    else:
        yield from _deltas(reply)
    done = {"type": "transcript.text.done", "text": reply.text, **logprobs_json(reply.logprobs)}
    yield event({**done, "usage": tokens_json(reply.usage)})


def _deltas(reply: TranscriptReply) -> Iterator[bytes]:
    texts, start = reply.deltas or ((reply.text,) if reply.text else ()), 0
    for text, count in zip(texts, tokens_per_piece(texts, reply.logprobs or ()), strict=True):
        judged = None if reply.logprobs is None else reply.logprobs[start : start + count]
        yield event({"type": "transcript.text.delta", "delta": text, **logprobs_json(judged)})
        start += count


def _spoken(reply: TranscriptReply) -> Iterator[bytes]:
    for at, segment in enumerate(reply.segments or ()):
        told = diarized(at, segment)
        delta = f" {told['text']}" if at else told["text"]
        yield event({"type": "transcript.text.delta", "delta": delta, "segment_id": told["id"]})
        yield event(told)


def read_events(chunks: Sequence[Json]) -> tuple[tuple[Segment, ...], tuple[str, ...], JsonObject]:
    """The segments, the deltas and the last event of a recorded stream. Raises BadField."""
    events = [chunk for chunk in chunks if isinstance(chunk, dict)]
    done = next((each for each in events if each.get("type") == "transcript.text.done"), None)
    if done is None:
        raise BadField((), "has no text that was done")
    segments = tuple(segment_of(each) for each in events if each.get("type") == "transcript.text.segment")
    deltas = tuple(required(each, "delta", str) for each in events if each.get("type") == "transcript.text.delta")
    return segments, deltas, done
