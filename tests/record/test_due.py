"""Which recorded interactions are asked again: by age, and by the upstream that takes them."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from replay_server.cassettes.files import load_config
from replay_server.endpoints.outgoing import outgoing
from replay_server.endpoints.table import resource_named
from replay_server.errors import UsageError
from replay_server.record.due import Selection, find_due, plan, read_age
from replay_server.record.run import Planned
from replay_server.record.upstream_url import target
from replay_server.settings import Upstream

TODAY = date(2026, 11, 25)
DOCUMENT = "request: {model: m, prompt: say it}\nresponse: [{body: {choices: []}}, {body: {choices: []}}]\n"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("90d", date(2026, 8, 27)),
        ("2w", date(2026, 11, 11)),
        ("6m", date(2026, 5, 29)),
        ("1y", date(2025, 11, 25)),
        ("0d", TODAY),
        ("99999y", date.min),
        ("2026-01-02", date(2026, 1, 2)),
        ("2026-01-02T03:04:05Z", date(2026, 1, 2)),
    ],
)
def test_an_age_is_a_day(text: str, day: date) -> None:
    assert read_age(text, TODAY) == day


@pytest.mark.parametrize("text", ["", "90", "d", "-1d", "90 days", "yesterday"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no age: give days, weeks, months or years"):
        read_age(text, TODAY)


@pytest.mark.parametrize(
    ("recorded", "due"),
    [
        ("{at: 2026-01-01}", True),
        ("{at: 2026-01-02}", False),
        ("{at: '2026-01-01T23:59:59+00:00'}", True),
        ("{at: last spring}", True),
        ("{}", True),
    ],
    ids=["before", "on the day", "with a time", "no date", "no day at all"],
)
def test_what_was_recorded_before_the_day_is_due(write: Callable[[str, str], Path], recorded: str, due: bool) -> None:
    directory = write("a.yaml", f"{DOCUMENT}recorded: {recorded}\n")

    found = find_due(directory, load_config(directory), Selection(before=date(2026, 1, 2)), ())

    assert bool(found) is due


def test_a_plan_has_each_request_that_would_be_asked(write: Callable[[str, str], Path]) -> None:
    upload = "endpoint: POST /files\nrequest: {raw: {sha256: ab}}\nresponse: {body: 1}\nrecorded: {}\n"
    unknown = "endpoint: POST /rerank\nrequest: {body: 1}\nresponse: {body: 1}\nrecorded: {}\n"
    directory = write("a.yaml", f"{DOCUMENT}recorded: {{}}\n---\n{upload}---\n{unknown}")

    planned = list(plan(find_due(directory, load_config(directory), Selection(), ())))

    assert planned == [Planned("a.yaml#1", 2), Planned("a.yaml#1", 2), Planned("a.yaml#3", 0)]


@pytest.mark.parametrize(
    ("upstreams", "url"),
    [
        ([Upstream("", "http://a")], "http://a/v1/audio/speech"),
        ([Upstream("", "http://a/api")], "http://a/api/audio/speech"),
        ([Upstream("tts-*", "http://a"), Upstream("", "http://b")], "http://a/v1/audio/speech"),
        ([Upstream("gpt-*", "http://a"), Upstream("", "http://b")], "http://b/v1/audio/speech"),
        ([Upstream("tts-*", "http://a"), Upstream("/audio", "http://b/x")], "http://b/x/speech"),
        ([Upstream("tts-*", "http://a"), Upstream("/v1/audio", "http://b/x")], "http://b/x/speech"),
        ([Upstream("gpt-*", "http://a")], None),
    ],
    ids=["a host", "a base", "a model", "another model", "a path", "a path with v1", "none"],
)
def test_a_request_of_a_cassette_goes_where_its_client_sent_it(upstreams: list[Upstream], url: str | None) -> None:
    found = target(upstreams, outgoing(resource_named("POST /audio/speech"), {}), "tts-1")

    assert (found and found[1]) == url
