"""A report as JSON: written by `serve --report` and `GET /__replay/report`, read by `report` and `prune`."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from replay_server.endpoints.validation import check
from replay_server.errors import ApiError, UsageError
from replay_server.interaction import Json, JsonObject
from replay_server.replay.report import VERSION, Answers, Kind, Report, Row

_MARK = "replay_server_report"
_COUNT: dict[str, Json] = {"type": "integer", "minimum": 0}
_COUNTS: dict[str, Json] = {"type": "object", "additionalProperties": _COUNT}
_TEXT: dict[str, Json] = {"type": "string"}


def _closed(required: Mapping[str, JsonObject], optional: Mapping[str, JsonObject] | None = None) -> dict[str, Any]:
    properties = {**required, **(optional or {})}
    return {"type": "object", "additionalProperties": False, "required": [*required], "properties": properties}


def _listed(items: JsonObject) -> dict[str, Any]:
    return {"type": "array", "items": items}


SCHEMA: Mapping[str, Any] = _closed(
    {
        _MARK: {"type": "integer", "description": "The version of this form"},
        "complete": {"type": "boolean", "description": "False: what was used may seem unused"},
        "totals": {"type": "object", "description": "Sums of what follows, for people and scripts"},
        "interactions": _listed(
            _closed(
                {
                    "interaction": {"type": "string", "pattern": r"#[0-9]+$"},
                    "digest": _TEXT,
                    "kind": {"type": "string", "enum": [kind.value for kind in Kind]},
                    "line": _COUNT,
                    "hits": _COUNT,
                    "recorded": _COUNT,
                    "drift": _COUNTS,
                }
            )
        ),
        "answers": _listed(_closed({"endpoint": _TEXT, "source": _TEXT, "status": _COUNT, "count": _COUNT})),
        "sessions": {"type": "object", "additionalProperties": _COUNTS, "description": "By session, answers by source"},
        "misses": _listed(_closed({"count": _COUNT, "explanation": _TEXT})),
    }
)
"""The JSON Schema of a report."""


def as_json(report: Report) -> dict[str, Json]:
    """The report for programs, the same for equal reports."""
    return _fields(report, [_row(row) for row in report.interactions])


def _fields(report: Report, rows: list[Json]) -> dict[str, Json]:
    answers: list[Json] = [
        {"endpoint": each.endpoint, "source": each.source, "status": each.status, "count": each.count}
        for each in report.answers
    ]
    misses: list[Json] = [{"count": count, "explanation": text} for text, count in sorted(report.misses.items())]
    return {
        _MARK: VERSION,
        "complete": report.complete,
        "totals": totals(report),
        "interactions": rows,
        "answers": answers,
        "sessions": {name: dict(sorted(sources.items())) for name, sources in sorted(report.sessions.items())},
        "misses": misses,
    }


def totals(report: Report) -> dict[str, Json]:
    """The sums of a report."""
    kept, unused = len(report.kept), len(report.unused)
    return {
        "requests": report.requests,
        "sources": dict(report.sources),
        "interactions": kept,
        "used": kept - unused,
        "unused": unused,
        "drift": len(report.adrift),
        "recorded": sum(row.recorded for row in report.interactions),
    }


def _row(row: Row) -> Json:
    return {
        "interaction": row.interaction,
        "digest": row.digest,
        "kind": row.kind.value,
        "line": row.line,
        "hits": row.hits,
        "recorded": row.recorded,
        "drift": dict(sorted(row.drift.items())),
    }


_NO_ROWS = b'"interactions": []'


def report_text(report: Report) -> bytes:
    """The report as it is written to a file: a line for each interaction, and nowhere all of them as JSON at once."""
    text = orjson.dumps(_fields(report, []), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if not report.interactions:
        return text
    before, _, after = text.partition(_NO_ROWS)  # no text holds it, for in a text a quotation mark is escaped
    rows = b",\n".join(b"    " + orjson.dumps(_row(row)) for row in report.interactions)
    return b"".join((before, _NO_ROWS[:-1], b"\n", rows, b"\n  ]", after))


# Reading -------------------------------------------------------------------------------------------------------------


def read_report(path: Path) -> Report:
    """The report in a file. Raises UsageError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    return parse_report(data, str(path))


def parse_report(data: bytes, name: str) -> Report:
    """The report that was written so; `name` is that of its file in messages. Raises UsageError."""
    try:
        fields = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{name}: is no report: it is no JSON: {error}") from None
    if not isinstance(fields, dict) or not isinstance(fields.get(_MARK), int):
        raise UsageError(f"{name}: is no report: name a file that serve --report has written")
    if fields[_MARK] != VERSION:
        raise UsageError(
            f"{name}: is a report of version {fields[_MARK]}, and this replay-server reads version {VERSION}:"
            " make it anew, or read it with the replay-server that wrote it"
        )
    try:
        check(fields, SCHEMA)
    except ApiError as error:
        raise UsageError(f"{name}: is a broken report: {error.message}") from None
    return _read(fields)


def _read(fields: Mapping[str, Any]) -> Report:
    return Report(
        interactions=tuple(Row(**{**row, "kind": Kind(row["kind"])}) for row in fields["interactions"]),
        answers=tuple(Answers(**answers) for answers in fields["answers"]),
        sessions=fields["sessions"],
        misses={miss["explanation"]: miss["count"] for miss in fields["misses"]},
        complete=fields["complete"],
    )


def report_files(paths: Iterable[Path]) -> list[Path]:
    """The files among paths; of a folder, all JSON in it and below. Raises UsageError where there is none."""
    found: list[Path] = []
    for path in paths:
        files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
        if not files:
            raise UsageError(f"{path}: holds no reports: no file in it ends in .json")
        found += files
    return found
