from typing import Any

import pytest

from replay_server.errors import CassetteError
from replay_server.record.script import Script, Turn, cassette_name, read_script

CHAT = "requests:\n  - model: m\n    messages: [{role: user, content: x}]\n"


def read(text: str, file: str = "scripts/a.yaml") -> Script:
    return read_script(file, text.encode())


def bodies(text: str) -> list[Any]:
    return [entry.body for entry in read(text).entries]


def test_defaults_are_under_every_request() -> None:
    text = "defaults: {model: m, temperature: 0}\nrequests:\n  - prompt: x\n  - prompt: y\n    temperature: 1\n"

    assert bodies(text) == [
        {"model": "m", "temperature": 0, "prompt": "x"},
        {"model": "m", "temperature": 1, "prompt": "y"},
    ]


def test_a_body_is_passed_on_whatever_it_holds() -> None:
    entry = read("requests:\n  - endpoint: completions\n    body: {model: m, top_k: 5}\n").entries[0]

    assert (entry.resource.name, entry.body) == ("completions", {"model": "m", "top_k": 5})


def test_for_each_makes_an_entry_of_each_combination() -> None:
    text = """\
requests:
  - name: weather
    model: m
    temperature: "{{ t }}"
    prompt: In {{ city }}?
    for_each: {city: [Paris, Rome], t: [0, 0.5]}
"""
    script = read(text)

    assert [entry.body for entry in script.entries] == [
        {"model": "m", "temperature": 0, "prompt": "In Paris?"},
        {"model": "m", "temperature": 0.5, "prompt": "In Paris?"},
        {"model": "m", "temperature": 0, "prompt": "In Rome?"},
        {"model": "m", "temperature": 0.5, "prompt": "In Rome?"},
    ]
    assert [entry.name for entry in script.entries] == [
        *("weather (Paris, 0)", "weather (Paris, 0.5)"),
        *("weather (Rome, 0)", "weather (Rome, 0.5)"),
    ]


def test_a_conversation_has_turns_with_or_without_responses() -> None:
    text = """\
requests:
  - model: m
    conversation:
      - Hi.
      - user: And now?
        response: {content: Now.}
    tool_results: {clock: '12:30'}
"""
    (entry,) = read(text).entries

    assert entry.turns == (Turn("Hi."), Turn("And now?", ({"content": "Now."},)))
    assert entry.tool_results == {"clock": "12:30"}
    assert entry.resource.name == "chat/completions"


def test_a_list_of_responses_is_a_sequence() -> None:
    (entry,) = read(CHAT + "    response: [{content: a}, {content: b}]\n").entries

    assert (entry.repeat, len(entry.responses)) == (2, 2)


def test_batch_lines_are_requests() -> None:
    line = '{"custom_id": "one", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m"}}\n'
    script = read(line + "\n" + line, "misses.jsonl")

    assert script.cassette == "misses.yaml"
    assert [(entry.name, entry.where, entry.resource.name) for entry in script.entries] == [
        ("one", "misses.jsonl:1", "chat/completions"),
        ("one", "misses.jsonl:3", "chat/completions"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.yaml:1: must be one YAML document with requests"),
        ("requests", "a.yaml:1: must be a mapping with requests"),
        ("request: []", "a.yaml:1: request: unknown field; known here: defaults, requests"),
        ("defaults: {}", "a.yaml:1: requests: missing; it must be a list"),
        ("requests: [1]", "a.yaml:1: requests[0]: must be a mapping, not 1"),
        ("requests:\n  - model: m", "a.yaml:2: requests[0]: has neither messages, prompt nor conversation"),
        ("requests:\n  - prompt: x", "a.yaml:2: requests[0]: has no model: add it, or a default for all requests"),
        (CHAT + "    temprature: 1", "a.yaml:4: requests[0].temprature: is no parameter of chat/completions"),
        (CHAT + "    body: {}", "requests[0].model: stands beside body: move it in"),
        (CHAT + "    repeat: 0", "requests[0].repeat: must be 1 or more, not 0"),
        (
            CHAT + "    repeat: 3\n    response: [{content: a}, {content: b}]",
            "requests[0].response: has 2 responses, and repeat says 3",
        ),
        (CHAT + "    for_each: {city: [a]}", "a.yaml:4: requests[0].for_each.city: is never used"),
        (CHAT + "    user: '{{ who }}'\n    for_each: {}", "requests[0]: {{ who }} has no values: add who to for_each"),
        (CHAT + "    for_each: {city: Paris}", "requests[0].for_each.city: must be a list of values"),
        (CHAT + "    tool_results: {a: 1}", "requests[0].tool_results: needs a conversation"),
        (CHAT + "    conversation: []", "requests[0].conversation: must have at least one turn"),
        (CHAT + "    conversation: [{usr: x}]", "requests[0].conversation[0].usr: unknown field; known here: user"),
        ("requests:\n  - {endpoint: completions, model: m, conversation: [x]}", "completions knows no turns"),
        ("requests:\n  - {endpoint: chat, model: m}", "requests[0].endpoint: 'chat' is none of chat/completions,"),
        (CHAT + "    response: {contnet: a}", "a.yaml:4: requests[0].response.contnet: unknown field"),
        ("defaults: {temprature: 0}\n" + CHAT, "a.yaml:1: defaults.temprature: is no parameter of any endpoint"),
        ("requests: [\n", "a.yaml:1: is not YAML"),
    ],
)
def test_a_broken_script_is_told_with_file_line_and_field(text: str, message: str) -> None:
    with pytest.raises(CassetteError) as caught:
        read(text)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "b.jsonl:1: is not JSON"),
        ("[]", "b.jsonl:1: must be an object with custom_id, method, url, body"),
        ('{"url": "/v1/chat/completions"}', "b.jsonl:1: body: missing; it must be a mapping"),
        ('{"url": "/v1/nothing", "body": {}}', "b.jsonl:1: url: '/v1/nothing' is none of chat/completions"),
        ('{"method": "GET", "url": "/v1/completions", "body": {}}', "b.jsonl:1: method: must be POST, not 'GET'"),
        ('{"uri": "/v1/completions"}', "b.jsonl:1: uri: unknown field"),
    ],
)
def test_a_broken_batch_line_is_told_with_its_number(text: str, message: str) -> None:
    with pytest.raises(CassetteError) as caught:
        read(text, "b.jsonl")

    assert message in str(caught.value)


def test_a_model_stays_what_it_looks_like() -> None:
    text = "defaults: {model: 4.10}\nrequests:\n  - prompt: x\n  - {prompt: y, model: 5.20}\n"

    assert [body["model"] for body in bodies(text)] == ["4.10", "5.20"]


def test_json_is_a_script_too() -> None:
    assert bodies('{"requests": [{"model": "m", "prompt": "x"}]}') == [{"model": "m", "prompt": "x"}]


def test_configuration_is_no_cassette() -> None:
    with pytest.raises(CassetteError, match=r"replay\.yaml configures them"):
        cassette_name("replay")


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", ".hidden", "a/.b", ""])
def test_a_cassette_stays_below_its_directory(name: str) -> None:
    with pytest.raises(CassetteError, match="is not the name of a cassette"):
        cassette_name(name)
