"""A report for people: lines of text, or Markdown."""

from collections.abc import Iterator, Mapping, Sequence

from replay_server.replay.markdown import code, plain
from replay_server.replay.report import Kind, Report, Row
from replay_server.terminal import BOLD, GREEN, RED, coloured, counted, printable

YELLOW = 33
_TROUBLE = ("miss", "generated", "error")
_MOST_MISSES_IN_MARKDOWN = 50


def lines(report: Report, *, color: bool = False, hits: bool = True) -> Iterator[str]:
    """The report as text. `hits`: with a line for each interaction that was used, too."""
    yield from _summary(report, color)
    used = [row for row in report.interactions if row.used]
    if used and hits:
        yield ""
        yield from _table(used, color)
    yield from unused_lines(report, color=color)
    yield from drift_lines(report, color=color)
    yield from session_lines(report, color=color)
    yield from miss_lines(report, color=color)


def _summary(report: Report, color: bool) -> Iterator[str]:
    answers = ", ".join(f"{source} {count}" for source, count in report.sources.items())
    yield coloured(counted(report.requests, "request") + (f": {answers}" if answers else ""), BOLD, color)
    unused = len(report.unused)
    state = coloured("all used", GREEN, color) if not unused else f"{len(report.kept) - unused} used, {unused} unused"
    yield counted(len(report.kept), "interaction") + (f": {state}" if report.kept else "")
    if recorded := sum(row.recorded for row in report.interactions):
        yield f"{counted(recorded, 'answer')} recorded"
    if not report.complete:
        yield coloured("more interactions than can be told apart: some that were used seem unused", RED, color)


def _table(rows: Sequence[Row], color: bool) -> Iterator[str]:
    cells = [("interaction", "hits", "drift"), *map(_cells, rows)]
    name, hits = (max(len(line[at]) for line in cells) for at in (0, 1))
    for at, line in enumerate(cells):
        text = f"{line[0].ljust(name)}  {line[1].rjust(hits)}  {line[2]}".rstrip()
        yield coloured(text, BOLD, color) if at == 0 else text


def _cells(row: Row) -> tuple[str, str, str]:
    return printable(row.interaction) + _note(row), str(row.hits), named_counts(row.drift)


def _note(row: Row) -> str:
    """What is not to be seen from the name."""
    return f" ({row.kind})" if row.kind in (Kind.GONE, Kind.MATCHER) else ""


def named_counts(counts: Mapping[str, int]) -> str:
    """`temperature 3, top_p 1`: the most frequent first."""
    ordered = sorted(counts.items(), key=lambda found: (-found[1], found[0]))
    return ", ".join(f"{printable(name)} {count}" for name, count in ordered)


def unused_lines(report: Report, *, color: bool = False) -> Iterator[str]:
    """The interactions that nobody had need of, below a heading; nothing where there are none."""
    if report.unused:
        yield from _heading(f"unused ({len(report.unused)})", YELLOW, color)
        yield from (f"  {printable(row.interaction)}" for row in report.unused)


def drift_lines(report: Report, *, color: bool = False) -> Iterator[str]:
    """The interactions that were asked with other parameters."""
    if report.adrift:
        yield from _heading(f"drift ({len(report.adrift)})", YELLOW, color)
        yield from (f"  {printable(row.interaction)}: {named_counts(row.drift)}" for row in report.adrift)


def session_lines(report: Report, *, color: bool = False) -> Iterator[str]:
    """The sessions that got answers from no recording."""
    troubled = dict(troubled_sessions(report))
    if troubled:
        yield from _heading("sessions with answers from no recording", YELLOW, color)
        yield from (f"  {printable(name)}: {named_counts(counts)}" for name, counts in troubled.items())


def troubled_sessions(report: Report) -> Iterator[tuple[str, Mapping[str, int]]]:
    """The named sessions with misses, generated answers and errors, and how many."""
    for name, sources in sorted(report.sessions.items()):
        trouble = {source: sources[source] for source in _TROUBLE if sources.get(source)}
        if name and trouble:
            yield name, trouble


def miss_lines(report: Report, *, color: bool = False) -> Iterator[str]:
    """What the misses said."""
    if report.misses:
        yield from _heading(f"misses ({sum(report.misses.values())})", RED, color)
    for explanation, count in misses(report):
        first, *others = explanation.splitlines() or [""]
        yield f"  {count} x {printable(first)}"
        yield from (f"      {printable(line)}" for line in others)


def misses(report: Report) -> list[tuple[str, int]]:
    """Explanations and how often, the most frequent first."""
    return sorted(report.misses.items(), key=lambda found: (-found[1], found[0]))


def _heading(text: str, color: int, on: bool) -> Iterator[str]:
    yield ""
    yield coloured(text, color, on)


# Markdown ------------------------------------------------------------------------------------------------------------


def markdown(report: Report, problems: Sequence[str] = ()) -> str:
    """The report as Markdown, in which nothing that comes from elsewhere is taken for Markdown or HTML."""
    return "\n".join(_markdown(report, problems)) + "\n"


def _markdown(report: Report, problems: Sequence[str]) -> Iterator[str]:
    yield "## replay-server"
    yield ""
    yield from (f"- **{plain(problem)}**" for problem in problems)
    yield from (f"- {plain(line)}" for line in _summary(report, color=False))
    yield from _section("Unused", [f"- {code(row.interaction)}" for row in report.unused])
    yield from _section("Drift", _rows(("interaction", "fields"), _drift_cells(report)))
    yield from _section(
        "Sessions with answers from no recording", _rows(("session", "answers"), _session_cells(report))
    )
    yield from _section(f"Misses ({sum(report.misses.values())})", list(_miss_items(report)))
    used = [(code(row.interaction), plain(str(row.kind)), str(row.hits)) for row in report.interactions if row.used]
    yield from _section("Used", _rows(("interaction", "kind", "hits"), used))


def _section(title: str, body: Sequence[str]) -> Iterator[str]:
    if body:
        yield from ("", f"<details><summary>{title}</summary>", "", *body, "", "</details>")


def _rows(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    return [f"| {' | '.join(cells)} |" for cells in (headings, ["---"] * len(headings), *rows)]


def _drift_cells(report: Report) -> list[tuple[str, str]]:
    return [(code(row.interaction), plain(named_counts(row.drift))) for row in report.adrift]


def _session_cells(report: Report) -> list[tuple[str, str]]:
    return [(code(name), plain(named_counts(counts))) for name, counts in troubled_sessions(report)]


def _miss_items(report: Report) -> Iterator[str]:
    found = misses(report)
    for explanation, count in found[:_MOST_MISSES_IN_MARKDOWN]:
        yield f"- {count} x {'<br>'.join(map(plain, explanation.splitlines()))}"
    if len(found) > _MOST_MISSES_IN_MARKDOWN:
        yield f"- and {len(found) - _MOST_MISSES_IN_MARKDOWN} more"
