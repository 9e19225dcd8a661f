"""What is in a library, a row for each interaction."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import Candidate
from replay_server.interaction import (
    Choice,
    CountReply,
    ErrorReply,
    ImagesReply,
    Json,
    JsonReply,
    ModelsReply,
    Recorded,
    Response,
    SpeechReply,
    TextReply,
    TranscriptReply,
    VectorsReply,
    Verdict,
    VerdictsReply,
)
from replay_server.terminal import counted, printable

if TYPE_CHECKING:
    from replay_server.cassettes.matchers import Matcher

_HEADINGS = ("interaction", "endpoint", "model", "key", "prompt", "response")
_EXCERPT = 40


@dataclass(frozen=True, slots=True)
class Row:
    """An interaction in brief. `prompt` and `response` are whole; the table cuts them."""

    interaction: str
    name: str | None
    endpoint: str
    model: str
    key: str
    prompt: str
    response: str
    responses: int
    recorded: bool

    def as_json(self) -> dict[str, Json]:
        """The row for programs."""
        return asdict(self)


def inventory(library: Library) -> list[Row]:
    """The rows, in the order of cassettes and places."""
    rows = [(candidate.interaction, row(candidate)) for candidate in library]
    rows += [(matcher.interaction, matcher_row(matcher)) for matcher in library.matchers or ()]
    return [found for _, found in sorted(rows, key=lambda found: (found[0].cassette, found[0].place))]


def row(candidate: Candidate) -> Row:
    """The row of one interaction."""
    interaction = candidate.interaction
    return Row(
        interaction=interaction.id,
        name=interaction.name,
        endpoint=interaction.endpoint,
        model=candidate.keyed.request.model,
        key=candidate.keyed.key[:16],
        prompt=" ".join(last_text(dict(candidate.keyed.prompt)).split()),
        response=_summary(interaction.responses[0]),
        responses=len(interaction.responses),
        recorded=interaction.recorded,
    )


def matcher_row(matcher: "Matcher") -> Row:
    """A matcher has no key, and its conditions in place of a prompt."""
    interaction = matcher.interaction
    return Row(
        interaction=interaction.id,
        name=interaction.name,
        endpoint=interaction.endpoint,
        model=matcher.given.model or "",
        key="",
        prompt=", ".join(f"{part.name} must {part.wanted}" for part in matcher.conditions if part.name != "model"),
        response=_summary(interaction.responses[0]),
        responses=len(interaction.responses),
        recorded=False,
    )


def last_text(value: Json) -> str:
    """The last text of a prompt: what was asked at the end."""
    if isinstance(value, str):
        return value
    members = value if isinstance(value, list) else []
    if isinstance(value, dict):
        members = [
            member for name, member in value.items() if name in ("messages", "prompt", "content", "text", "input")
        ]
    return next((text for member in reversed(members) if (text := last_text(member))), "")


def _summary(response: Response) -> str:
    match response:
        case TextReply(choices=choices):
            return _choice(choices[0])
        case ErrorReply(status=status, message=message):
            return f"error {status}: {message}"
        case Recorded(status=status, body=body):
            return f"status {status}, {len(body)} bytes"
        case JsonReply(value=value):
            return last_text(value)
        case CountReply(tokens=tokens):
            return f"{tokens} tokens"
        case ModelsReply(models=models):
            return ", ".join(models)
        case VectorsReply(vectors=vectors):
            return counted(len(vectors), "vector")
        case VerdictsReply(verdicts=verdicts):
            return ", ".join(dict.fromkeys(word for verdict in verdicts for word in _flagged(verdict))) or "not flagged"
        case ImagesReply(images=images):
            return counted(len(images), "image")
        case SpeechReply(seconds=seconds):
            return "a sound" if seconds is None else f"{seconds:g} seconds of sound"
        case TranscriptReply(text=text):
            return " ".join(text.split())


def _flagged(verdict: Verdict) -> tuple[str, ...]:
    return tuple(verdict.scores) if verdict.flagged is None else verdict.flagged


def _choice(choice: Choice) -> str:
    if choice.tool_calls:
        return ", ".join(f"{call.name}({call.arguments})" for call in choice.tool_calls)
    return " ".join((choice.content or choice.refusal or "").split())


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The lines of a table, columns as wide as they must be."""
    cells = [_HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(_HEADINGS))]
    for line in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _cells(row: Row) -> tuple[str, ...]:
    more = f" (1 of {row.responses})" if row.responses > 1 else ""
    cells = (row.interaction, row.endpoint, row.model, row.key, _cut(row.prompt), _cut(row.response) + more)
    return tuple(map(printable, cells))


def _cut(text: str) -> str:
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"
