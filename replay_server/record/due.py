"""Which recorded interactions are to be asked again, and which of those cannot be."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from replay_server.cassettes.config import Config
from replay_server.cassettes.file import CassetteFile, Stored
from replay_server.cassettes.files import cassette_files
from replay_server.cassettes.matching import Keyed
from replay_server.endpoints.base import Resource
from replay_server.endpoints.http_form import NotKept
from replay_server.endpoints.outgoing import outgoing
from replay_server.endpoints.table import resource_named
from replay_server.errors import UsageError
from replay_server.interaction import Interaction, Json, Request
from replay_server.keys import canonical_json
from replay_server.record.run import Planned, estimated_tokens
from replay_server.record.upstream_url import target
from replay_server.settings import Upstream

_REDACTED = re.compile(rb"<redacted:[a-z][a-z0-9-]*(?::[0-9]+)?>")
_AGE = re.compile(r"(?P<number>\d{1,5})(?P<unit>[dwmy])")
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}


@dataclass(frozen=True, slots=True)
class Due:
    """A recorded interaction that is to be asked again. `obstacle`: why it cannot be."""

    stored: Stored
    asked: Keyed
    obstacle: str | None

    @property
    def interaction(self) -> Interaction:
        """The interaction as it is read, and its request as it is asked."""
        return self.stored.interaction

    @property
    def resource(self) -> Resource:
        """What its request is asked of."""
        return resource_named(self.interaction.endpoint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which are asked again. `only`: globs of names, none for all; `before`: those recorded before that day."""

    only: tuple[str, ...] = ()
    before: date | None = None

    def names(self, interaction: Interaction) -> bool:
        """Whether a glob takes the cassette, or `cassette#place`."""
        names = (interaction.cassette, interaction.id)
        return not self.only or any(fnmatchcase(name, glob) for glob in self.only for name in names)

    def is_old(self, stored: Stored) -> bool:
        """Whether it was recorded before the day: what does not say when is old."""
        recorded = stored.fields.get("recorded")
        at = _date(recorded.get("at")) if isinstance(recorded, dict) else None
        return self.before is None or at is None or at < self.before


def find_due(directory: Path, config: Config, selection: Selection, upstreams: Sequence[Upstream]) -> list[Due]:
    """The recorded interactions that are selected. Raises UsageError where none has such a name."""
    named = [
        stored
        for name, _ in cassette_files(directory)
        for _, stored in CassetteFile(directory, name, config).documents
        if stored.interaction.recorded
        if selection.names(stored.interaction)
    ]
    if selection.only and not named:
        globs = " ".join(selection.only)
        raise UsageError(
            f"--only {globs} names no recorded interaction of {directory}: replay-server list {directory} shows names"
        )
    return [_due(stored, upstreams, config) for stored in named if selection.is_old(stored)]


def _due(stored: Stored, upstreams: Sequence[Upstream], config: Config) -> Due:
    resource = resource_named(stored.interaction.endpoint)
    request = resource.from_cassette(stored.interaction.request)
    return Due(stored, Keyed(resource, request, config), _obstacle(resource, request, upstreams))


def _obstacle(resource: Resource, request: Request, upstreams: Sequence[Upstream]) -> str | None:
    if _REDACTED.search(canonical_json([request.endpoint, request.body])):
        return "its request was redacted, so it cannot be asked as it was: record it anew"
    try:
        raw = outgoing(resource, request.body)
    except NotKept as error:
        return f"{error}: record it anew"
    if upstreams and target(upstreams, raw, request.model) is None:
        return f"no --upstream takes {raw.path} with the model {request.model!r}: add one that does"
    return None


def plan(due: Sequence[Due]) -> Iterator[Planned]:
    """The requests that would be asked."""
    for each in due:
        if not each.obstacle:
            known = bool(each.resource.routes[0].operation_id)
            planned = Planned(each.interaction.id, estimated_tokens(each.asked) if known else 0)
            yield from (planned for _ in each.interaction.responses)


# Ages ----------------------------------------------------------------------------------------------------------------


def read_age(text: str, today: date) -> date:
    """The day that `90d`, `2w`, `6m`, `1y` or an ISO date names. Raises UsageError."""
    if match := _AGE.fullmatch(text):
        return _days_before(today, int(match["number"]) * _DAYS[match["unit"]])
    if (day := _date(text)) is not None:
        return day
    raise UsageError(
        f"--older-than {text!r} is no age: give days, weeks, months or years (90d, 2w, 6m, 1y), or a date (2026-11-25)"
    )


def _days_before(today: date, days: int) -> date:
    try:
        return today - timedelta(days=days)
    except OverflowError:
        return date.min


def _date(value: Json) -> date | None:
    try:
        return datetime.fromisoformat(str(value)).date()
    except ValueError:
        return None
