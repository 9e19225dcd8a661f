"""Secrets make no difference to a match: requests are redacted before they are keyed, recorded ones too."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from replay_server.cassettes.config import Config
from replay_server.cassettes.exchange import documents_of
from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import Keyed, Match
from replay_server.cassettes.nearest import nearest
from replay_server.endpoints.table import resource_named
from replay_server.errors import CassetteError
from replay_server.interaction import Answered, Exchange, RawRequest
from tests.cassettes.redaction.secrets import LETTERS, SAMPLES

Write = Callable[[str, str], Path]

KEY, OTHER = "sk-" + LETTERS, "sk-" + LETTERS[::-1]


def asked(library: Library, text: str, **fields: Any) -> Keyed:
    """As the server reads it, from the wire."""
    body = {"model": "m", "messages": [{"role": "user", "content": text}], **fields}
    raw = RawRequest("POST", "/v1/chat/completions", {}, (), {}, json.dumps(body).encode())
    resource = resource_named("chat/completions")
    return library.look_up(resource, resource.parse(raw), raw, recording=False)[0]


def document(text: str, recorded: bool = False, **fields: Any) -> str:
    request = {"model": "m", "messages": [{"role": "user", "content": text}], **fields}
    return json.dumps({"request": request, "response": {"content": "a"}, **({"recorded": {}} if recorded else {})})


@pytest.mark.parametrize("recorded", [KEY, OTHER, "<redacted:openai-key:1>", "<redacted:openai-key:7>"])
@pytest.mark.parametrize("sent", [KEY, OTHER, "<redacted:openai-key:2>"])
def test_a_request_matches_whatever_the_secret(write: Write, recorded: str, sent: str) -> None:
    library = Library.load(write("a.yaml", document(f"my key: {recorded}", recorded=True, user=recorded)))

    found = library.find(asked(library, f"my key: {sent}", user=sent))

    assert isinstance(found, Match)
    assert found.drift == ()


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_secret_reaches_nothing_that_is_written_or_shown(sample: str) -> None:
    _, before, secret, after = SAMPLES[sample]
    keyed = asked(Library("c"), f"{before}{secret}{after}")

    shown = [keyed.request.body, keyed.compared.body, keyed.canonical, keyed.prompt]

    assert [json.dumps(secret)[1:-1] in json.dumps(each) for each in shown] == [False] * 4
    assert json.dumps(keyed.request.body).count(":1>") == 1


def test_a_request_without_secrets_is_left_as_it_is() -> None:
    keyed = asked(Library("c"), "Say hello.")

    assert keyed.compared is keyed.request


@pytest.mark.parametrize("recording", [False, True])
def test_a_secret_beside_what_makes_the_key_is_never_shown(write: Write, recording: bool) -> None:
    library = Library.load(write("a.yaml", document("x", recorded=True, user="ann")))
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "user": KEY}
    raw = RawRequest("POST", "/v1/chat/completions", {}, (), {}, json.dumps(body).encode())
    resource = resource_named("chat/completions")

    keyed, found = library.look_up(resource, resource.parse(raw), raw, recording=recording)

    assert isinstance(found, Match)
    assert found.drift == ("user",)
    assert keyed.shown.body["user"] == "<redacted:openai-key:1>"
    assert not recording or keyed.request == keyed.shown


def test_secrets_of_different_rules_are_different(write: Write) -> None:
    library = Library.load(write("a.yaml", document("<redacted:jwt:1>")))

    assert library.find(asked(library, KEY)) == []


def test_a_deployment_of_the_path_is_redacted_too() -> None:
    raw = RawRequest("POST", "/", {"deployment": KEY}, (), {}, b'{"messages": []}')

    resource = resource_named("chat/completions")
    keyed, _ = Library("c").look_up(resource, resource.parse(raw), raw, recording=False)

    assert keyed.request.model == "<redacted:openai-key:1>"


def test_the_nearest_interaction_is_told_without_secrets(write: Write) -> None:
    library = Library.load(write("a.yaml", document(f"my key: {KEY}")))

    (near,) = nearest(library, asked(library, f"your key: {OTHER}"))

    assert str(near.differences[0]) == (
        "messages[0].content: 'my key: <redacted:openai-key>' != 'your key: <redacted:openai-key>'"
    )


# replay.yaml ---------------------------------------------------------------------------------------------------------


def test_rules_of_replay_yaml_join_the_built_in_ones(write: Write) -> None:
    write(
        "replay.yaml",
        "redact:\n  on: [email]\n  rules:\n"
        "    - {name: ticket, regex: 'ACME-(?P<secret>\\d+)', anchor: ACME-}\n    - {name: ssn, path: metadata.ssn}\n",
    )
    library = Library.load(write("a.yaml", document("x")))

    keyed = asked(library, f"{KEY} ann@mail.example ACME-17", metadata={"ssn": "123"})

    assert keyed.request.body == {
        "model": "m",
        "messages": [
            {"role": "user", "content": "<redacted:openai-key:1> <redacted:email:1> ACME-<redacted:ticket:1>"}
        ],
        "metadata": {"ssn": "<redacted:ssn:1>"},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("redact: [email]", "replay.yaml:1: redact: must be a mapping, not"),
        ("redact: {off: [jwt]}", "redact.off: unknown field; known here: on, rules"),
        ("redact: {on: [jwt]}", "redact.on[0]: 'jwt' is none of email, phone, card, ip; all other rules are always on"),
        ("redact: {rules: [{name: x, regex: '('}]}", "redact.rules[0].regex: is no regular expression"),
        ("redact: {rules: [{name: x, regex: 'a*'}]}", "redact.rules[0].regex: matches no text at all"),
        ("redact: {rules: [{name: jwt, regex: a}]}", "redact.rules[0].name: 'jwt' is the name of another rule"),
        ("redact: {rules: [{name: X y, regex: a}]}", "redact.rules[0].name: 'X y' is no name"),
        ("redact: {rules: [{name: x}]}", "redact.rules[0]: must have either regex or path"),
        ("redact: {rules: [{name: x, path: 'a b'}]}", "redact.rules[0].path: is no path at ' b'"),
        ("redact: {rules: [{name: x, path: '[*]'}]}", "redact.rules[0].path: names no member"),
        ("redact: {rules: [{name: x, path: a, anchor: b}]}", "redact.rules[0].anchor: unknown field"),
    ],
)
def test_a_broken_rule_is_told_with_file_line_and_field(write: Write, text: str, message: str) -> None:
    with pytest.raises(CassetteError) as caught:
        Library.load(write("replay.yaml", text))

    assert message in str(caught.value)


# Exchanges -----------------------------------------------------------------------------------------------------------


def test_an_imported_exchange_is_written_without_secrets() -> None:
    request = {"model": "m", "messages": [{"role": "user", "content": f"Authorization: Bearer opaque-{LETTERS}"}]}
    raw = RawRequest("POST", "/v1/chat/completions", {}, (), {}, json.dumps(request).encode())
    answer = Answered(200, {"x-request-id": KEY}, json.dumps({"said": f"opaque-{LETTERS}"}).encode())

    (document,) = documents_of([Exchange(raw, answer)], Config())

    assert LETTERS[:12] not in document
    assert (document.count("<redacted:bearer:1>"), document.count("<redacted:openai-key:1>")) == (2, 1)
