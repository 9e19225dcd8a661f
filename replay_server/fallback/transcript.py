"""What is said in a sound that nobody listens to: sentences, as many as fit its length, with the time of each word."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from replay_server.fallback.draw import Draw
from replay_server.fallback.logprobs import logprobs
from replay_server.fallback.prose import Prose
from replay_server.fallback.tokens import count, prompt_tokens, split
from replay_server.fallback.topic import topic_of
from replay_server.interaction import Segment, TranscriptReply, TranscriptWanted, Usage

_WORDS_A_SECOND = 2.5
_AUDIO_TOKENS_A_SECOND = 10
_LONGEST = 3 * 3600.0
"""Seconds: a file that is longer is not all read out."""
_SUBJECTS = (
    "the weekly meeting",
    "the new timetable",
    "the harbour in winter",
    "the garden behind the house",
    "the last chapter",
    "the bridge over the river",
)
"""What it is about where no prompt says."""


def transcript_reply(wanted: TranscriptWanted, key: str) -> TranscriptReply:
    """Make up what is said."""
    draw = Draw(key, "transcript")
    words = _words(wanted, draw)
    return complete_transcript(wanted, TranscriptReply(text=" ".join(words)), key)


def _words(wanted: TranscriptWanted, draw: Draw) -> list[str]:
    """As many words as are said in the time; the last sentence ends there."""
    prose = Prose(topic_of(wanted.prompt.text or draw.choice(_SUBJECTS)), draw)
    most = max(1, int(min(wanted.seconds, _LONGEST) * _WORDS_A_SECOND))
    words: list[str] = []
    while len(words) < most:
        words += prose.sentence().split()
    said = words[:most]
    return [*said[:-1], f"{said[-1].rstrip('.,;:!?')}."]


def complete_transcript(wanted: TranscriptWanted, reply: TranscriptReply, key: str) -> TranscriptReply:
    """The reply with what its author left out: times, words, logprobs where they are wanted, and usage."""
    seconds = wanted.seconds if reply.seconds is None else reply.seconds
    segments = _segments(reply.text, seconds, wanted.speakers) if reply.segments is None else reply.segments
    words = reply.words
    if words is None:
        words = tuple(word for segment in segments for word in _timed(segment.text.split(), segment.start, segment.end))
    tokens = split(reply.text)
    judged = reply.logprobs
    if judged is None and wanted.logprobs:
        judged = logprobs(tokens, 0, Draw(key, "logprobs"))
    return replace(
        reply,
        seconds=seconds,
        language=reply.language or wanted.language,
        segments=segments,
        words=words,
        logprobs=judged,
        deltas=tuple(tokens) if reply.deltas is None else reply.deltas,
        usage=reply.usage or _usage(wanted, reply.text),
    )


def _segments(text: str, seconds: float, speakers: Sequence[str]) -> tuple[Segment, ...]:
    """A segment for each sentence; those who speak take turns."""
    timed = _timed(list(_sentences(text)), 0.0, seconds)
    if not speakers:
        return tuple(timed)
    return tuple(replace(segment, speaker=speakers[at % len(speakers)]) for at, segment in enumerate(timed))


def _sentences(text: str) -> Iterator[str]:
    sentence: list[str] = []
    for word in text.split():
        sentence.append(word)
        if word.endswith((".", "!", "?", "。")):
            yield " ".join(sentence)
            sentence = []
    if sentence:
        yield " ".join(sentence)


def _timed(texts: Sequence[str], start: float, end: float) -> Iterable[Segment]:
    """The texts one after the other, each as long as its letters take. In hundredths of a second."""
    ends = list(accumulate((len(text) + 1 for text in texts), initial=0))
    times = [round(start + (end - start) * at / ends[-1], 2) for at in ends] if texts else []
    return [Segment(*time, text) for time, text in zip(pairwise(times), texts, strict=True)]


def _usage(wanted: TranscriptWanted, text: str) -> Usage:
    audio = max(1, round(wanted.seconds * _AUDIO_TOKENS_A_SECOND))
    asked = prompt_tokens(wanted.prompt) + audio
    return Usage(prompt_tokens=asked, completion_tokens=count(text), audio_tokens=audio)
