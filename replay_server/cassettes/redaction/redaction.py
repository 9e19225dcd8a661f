"""The redaction of one exchange: every secret in it gets a placeholder, equal secrets the same one.

Whatever it is given becomes pieces of text: a text is one piece, the deltas of a stream are many. Where the pieces,
joined, hold a secret, its placeholder goes into the piece where it began, and the rest of it out of those that follow.
JSON is changed where its strings stand, so that every other byte stays as it came.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from replay_server.cassettes.redaction.documents import Documents
from replay_server.cassettes.redaction.json_text import is_json
from replay_server.cassettes.redaction.numbering import Numbering
from replay_server.cassettes.redaction.redactor import Redactor
from replay_server.cassettes.redaction.texts import Texts
from replay_server.cassettes.sse import split_frames
from replay_server.interaction import Answered, Json, Request, TimedFrame

_DATA_LINE = re.compile(rb"(?:\A|(?<=[\r\n]))data:[ ]?([^\r\n]*)")


class Redaction:
    """A numbering of secrets by first use, rule by rule. It goes on after the placeholders that are there already."""

    def __init__(self, redactor: Redactor) -> None:
        self._numbering = Numbering(redactor.names)
        self._texts = Texts(redactor, self._numbering)
        self._documents = Documents(redactor, self._numbering, self._texts)

    def text(self, text: str) -> str:
        """A text without its secrets."""
        self._numbering.count(text)
        return self._texts.redacted([text])[0]

    def json(self, value: Json) -> Json:
        """JSON without the secrets in its strings and names: the same value where there are none."""
        text = json.dumps(value, ensure_ascii=False)
        new = self._documents.redacted([text])[0]
        redacted: Json = value if new == text else json.loads(new)
        return redacted

    def request(self, request: Request) -> Request:
        """A request without its secrets."""
        body = self.json(dict(request.body))
        endpoint, model = self.text(request.endpoint), self.text(request.model)
        return request._replace(endpoint=endpoint, model=model, body=body if isinstance(body, dict) else {})

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The values of headers without their secrets. Which headers are kept at all is not decided here."""
        return {name: self._texts.redacted([value], f"{name}: ")[0] for name, value in headers.items()}

    def query(self, query: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """The parameters of a URL, decoded, without their secrets."""
        return tuple((self.text(name), self._texts.redacted([value], f"{name}=")[0]) for name, value in query)

    def body(self, data: bytes) -> bytes:
        """A body of any kind without its secrets: JSON, lines of JSON, server-sent events, or anything else."""
        text, encoding = _decoded(data)
        if is_json(text):
            return self._documents.redacted([text])[0].encode(encoding)
        if _DATA_LINE.search(data):
            return b"".join(self.frames(split_frames(data)))
        lines = text.splitlines(keepends=True)
        if all(map(is_json, filter(str.strip, lines))):
            return "".join(self._documents.redacted(lines)).encode(encoding)
        return self.text(text).encode(encoding)

    def frames(self, frames: Sequence[bytes]) -> list[bytes]:
        """The frames of a stream without their secrets, those that were cut in pieces too."""
        cut = [_cut(frame) for frame in frames]
        at = [place for place, (_, data, _) in enumerate(cut) if is_json(data)]
        new = dict(zip(at, self._documents.redacted([cut[place][1] for place in at]), strict=True))
        return [
            frame if place in new and new[place] == data else self._frame(before, new.get(place), data, after)
            for place, (frame, (before, data, after)) in enumerate(zip(frames, cut, strict=True))
        ]

    def answered(self, answered: Answered) -> Answered:
        """An answer without its secrets: headers, body and frames. Its request is to be given first."""
        headers = self.headers(answered.headers)
        if not answered.frames:
            return replace(answered, headers=headers, body=self.body(answered.body))
        frames = self.frames([frame.data for frame in answered.frames])
        timed = [TimedFrame(frame.after, data) for frame, data in zip(answered.frames, frames, strict=True)]
        return replace(answered, headers=headers, body=b"".join(frames), frames=tuple(timed))

    def _frame(self, before: str, new: str | None, data: str, after: str) -> bytes:
        if new is not None:
            return f"{before}{new}{after}".encode("utf-8", "surrogateescape")
        return self.text(f"{before}{data}{after}").encode("utf-8", "surrogateescape")


def _decoded(data: bytes) -> tuple[str, str]:
    """The text of a body, and what makes it the same bytes again."""
    try:
        return data.decode(), "utf-8"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def _cut(frame: bytes) -> tuple[str, str, str]:
    """A frame: what stands before its data, its data, what stands behind. All of it is data, if it has many lines."""
    lines = list(_DATA_LINE.finditer(frame))
    start, end = lines[0].span(1) if len(lines) == 1 else (0, len(frame))
    before, data, after = (
        part.decode("utf-8", "surrogateescape") for part in (frame[:start], frame[start:end], frame[end:])
    )
    return before, data, after
