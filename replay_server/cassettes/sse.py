"""Server-sent events as bytes: where a stream is cut into frames, and what a frame carries."""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator

import orjson

from replay_server.interaction import Json

_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_LINE_END = b"\r\n"
_LINE_IS_OVER = re.compile(rb"\r\n|\n|\r(?=[^\n])")  # after a \r at the very end, a \n may come


def split_frames(body: bytes) -> list[bytes]:
    """Cut a stream after each blank line, whatever ends its lines. Joined, the frames are the stream."""
    return list(each_frame(body))


def each_frame(body: bytes) -> Iterator[bytes]:
    """The same, cut as they are asked for: a stream that takes its time needs no second copy."""
    start = 0
    for line in _LINE.finditer(body):
        if not line[0].strip(_LINE_END):
            yield body[start : line.end()]
            start = line.end()
    if start < len(body):
        yield body[start:]


class FrameSplitter:
    """Cuts a stream into frames while its bytes come, wherever these are cut themselves.

    Each byte is looked at once: a frame may be long, and come in many pieces.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._line = 0
        """Where in it the last line begins."""
        self._seen = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes; the frames that are whole now."""
        self._held += data
        frames, start = [], 0
        for end in _LINE_IS_OVER.finditer(self._held, self._seen):
            if end.start() == self._line:
                frames.append(bytes(self._held[start : end.end()]))
                start = end.end()
            self._line = end.end()
        del self._held[:start]
        self._line -= start
        self._seen = len(self._held) - self._held.endswith(b"\r")
        return frames

    def rest(self) -> list[bytes]:
        """What is left when the stream has ended."""
        return split_frames(bytes(self._held))


def frame_data(frame: bytes) -> bytes | None:
    """The data of a frame, as a client reads it: its `data:` lines. None where it has none: a comment, a blank line."""
    lines = [line[5:].removeprefix(b" ") for line in re.split(rb"\r\n|\n|\r", frame) if _is_data(line)]
    return b"\n".join(lines) if lines else None


def json_chunks(body: bytes) -> Iterator[Json]:
    """What the frames of a stream carry, where that is JSON."""
    for frame in each_frame(body.removeprefix(BOM_UTF8)):  # clients skip it
        data = frame_data(frame)
        if data is None:
            continue
        try:
            yield orjson.loads(data)
        except orjson.JSONDecodeError:
            continue


def _is_data(line: bytes) -> bool:
    return line.startswith(b"data:") or line == b"data"
