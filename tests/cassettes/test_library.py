import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import Match
from replay_server.endpoints.table import resource_named
from replay_server.errors import CassetteError, UsageError

Write = Callable[[str, str], Path]

MESSAGES: list[Any] = [{"role": "user", "content": "x"}]
TOOL: Any = {"type": "function", "function": {"name": "f", "description": "a tool", "parameters": {"type": "object"}}}
REWORDED: Any = {"type": "function", "function": {**TOOL["function"], "description": "the tool"}}
OTHER: Any = {"type": "function", "function": {"name": "g"}}


def document(fields: str = "", *, recorded: bool = False, answer: str = "a") -> str:
    text = (
        f"request:\n  model: m\n  messages: [{{role: user, content: x}}]\n{fields}\nresponse: {{content: {answer}}}\n"
    )
    return text + ("recorded: {}\n" if recorded else "")


def find(directory: Path, **fields: Any) -> Any:
    library = Library.load(directory)
    resource = resource_named("chat/completions")
    body = {"model": "m", "messages": MESSAGES, **fields}
    return library.find(library.key(resource, resource.from_cassette(body)))


@pytest.mark.parametrize("recorded", [False, True], ids=["hand-written", "recorded"])
@pytest.mark.parametrize(
    ("written", "asked", "drift"),
    [
        ("", {}, ()),
        ("", {"stream": True, "stream_options": {"include_usage": True}}, ()),
        ("  temperature: 1", {}, ()),
        ("  n: 1", {"n": None}, ()),
        ("  temperature: 0", {"temperature": 0.5}, ("temperature",)),
        ("  temperature: 0", {}, ("temperature",)),
    ],
)
def test_what_does_not_shape_the_answer_drifts(
    write: Write, recorded: bool, written: str, asked: dict[str, Any], drift: tuple[str, ...]
) -> None:
    found = find(write("a.yaml", document(written, recorded=recorded)), **asked)

    assert isinstance(found, Match)
    assert found.drift == drift


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"n": 2}, "n"),
        ({"tools": [TOOL]}, "tools"),
        ({"logprobs": True}, "logprobs"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"modalities": ["text", "audio"]}, "modalities"),
    ],
)
def test_a_recording_must_agree_in_all_that_shapes_the_answer(write: Write, asked: dict[str, Any], field: str) -> None:
    directory = write("a.yaml", document(recorded=True))

    (disagreement,) = find(directory, **asked)

    assert disagreement.field == field


def test_a_hand_written_request_is_compared_only_in_the_fields_it_names(write: Write) -> None:
    directory = write("a.yaml", document("  n: 2"))

    assert isinstance(find(directory, n=2, tools=[TOOL], temperature=0.3), Match)
    assert find(directory, tools=[TOOL])[0].field == "n"


def test_a_reworded_tool_drifts_and_another_tool_is_no_match(write: Write) -> None:
    directory = write("a.yaml", document(f"  tools: {json.dumps([TOOL])}", recorded=True))

    assert find(directory, tools=[TOOL]).drift == ()
    assert find(directory, tools=[REWORDED]).drift == ("tools",)
    assert find(directory, tools=[OTHER])[0].field == "tools"


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"temperature": 0}, "whole"),
        ({"temperature": 0.5, "top_p": 0.4}, "fewest"),
        ({}, "plain"),
        ({"stream": True}, "streamed"),
    ],
)
def test_the_nearest_of_several_wins(write: Write, asked: dict[str, Any], answer: str) -> None:
    documents = [
        document("  temperature: 0.9", recorded=True, answer="far"),
        document("  temperature: 0", recorded=True, answer="whole"),
        document("  temperature: 0\n  top_p: 0.4", recorded=True, answer="fewest"),
        document("  stream: true", recorded=True, answer="streamed"),
        document("", recorded=True, answer="plain"),
        document("", recorded=True, answer="second"),
    ]
    directory = write("a.yaml", "---\n".join(documents))

    assert find(directory, **asked).interaction.responses[0].choices[0].content == answer


def test_the_prompt_as_it_came_decides_before_drift(write: Write) -> None:
    messages = "[{role: user, content: [{type: text, text: x}]}]"
    parts = f"request: {{model: m, temperature: 0, messages: {messages}}}\nresponse: {{content: parts}}\n"
    directory = write("a.yaml", document("  temperature: 0.5") + "---\n" + parts)

    found = find(
        directory, temperature=0.5, top_p=0.1, messages=[{"role": "user", "content": [{"type": "text", "text": "x"}]}]
    )

    assert found.interaction.id == "a.yaml#2"


def test_path_order_decides_between_equals(write: Write) -> None:
    write("b.yaml", document(answer="b"))
    directory = write("a/z.yaml", document(answer="a"))

    assert find(directory).interaction.id == "a/z.yaml#1"


def test_match_on_names_fields_that_must_agree(write: Write) -> None:
    write("replay.yaml", "match_on: [temperature]")
    directory = write("a.yaml", document("  temperature: 0\n  top_p: 0.5"))

    assert find(directory, temperature=0, top_p=0.1).drift == ("top_p",)
    assert find(directory, temperature=1)[0].field == "temperature"


def test_match_on_body_compares_the_whole_request(write: Write) -> None:
    write("replay.yaml", "match_on: body")
    directory = write("a.yaml", document())

    assert isinstance(find(directory), Match)
    assert find(directory, seed=1)[0].field == "seed"


def test_volatile_text_is_taken_out_of_recorded_and_incoming_requests_alike(write: Write) -> None:
    write("replay.yaml", "volatile: [date, {name: run, regex: 'run-[a-z]+'}]")
    directory = write("a.yaml", document().replace("content: x", "content: 'run-abc on 2026-01-02'"))

    found = find(directory, messages=[{"role": "user", "content": "run-xyz on 2027-03-04"}])

    assert isinstance(found, Match)


def test_a_hostile_pattern_of_volatile_text_takes_linear_time(write: Write) -> None:
    write("replay.yaml", "volatile: [{name: a, regex: '(a+)+!'}]")
    text = "a" * 50_000 + "?"  # by backtracking this would never end
    directory = write("a.yaml", document().replace("content: x", f"content: {text}"))

    found = find(directory, messages=[{"role": "user", "content": text}])

    assert isinstance(found, Match)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models: m", "replay.yaml:1: models: must be a list, not 'm'"),
        ("\nupstream: http://x", "replay.yaml:2: upstream: unknown field"),
        ("volatile: [tuesday]", "replay.yaml:1: volatile[0]: must be one of uuid, datetime, date, path, number"),
        ("volatile:\n  - {name: a, regex: '('}", "replay.yaml:2: volatile[0].regex: is no regular expression"),
        (
            "volatile: [{name: a, regex: '(?<!a)b'}]",
            "volatile[0].regex: is no regular expression: invalid perl operator",
        ),
        (
            "volatile: [{name: a, regex: b, c: d}]",
            "replay.yaml:1: volatile[0].c: unknown field; known here: name, regex",
        ),
        ("volatile: [{name: a, regex: 'x*'}]", "volatile[0].regex: matches no text at all"),
        ("match_on: [temprature]", "replay.yaml:1: match_on[0]: 'temprature' is no parameter of any endpoint"),
        (
            "on_miss: error\npace: fast",
            "replay.yaml:2: pace: 'fast' is no pace: there is no such word; a pace is instant",
        ),
        ("on_miss: upstream", "replay.yaml:1: on_miss: 'upstream' is none of generate, error"),
        ("a: [", "replay.yaml:1: is not YAML"),
        ("[]", "replay.yaml:1: must be a mapping"),
    ],
)
def test_a_broken_replay_yaml_is_told_with_file_line_and_field(write: Write, text: str, message: str) -> None:
    directory = write("replay.yaml", text)

    with pytest.raises(CassetteError) as caught:
        Library.load(directory)

    assert message in str(caught.value)


def test_volatile_text_is_text_and_not_the_name_of_a_model(write: Write) -> None:
    write("replay.yaml", "volatile: [number, {name: '\\\\1', regex: 'run'}]")
    directory = write("a.yaml", document().replace("model: m", "model: gpt-4").replace("content: x", "content: run 1"))
    messages = [{"role": "user", "content": "run 2"}]

    assert isinstance(find(directory, model="gpt-4", messages=messages), Match)
    assert find(directory, model="gpt-5", messages=messages) == []


def test_match_on_body_beside_others_is_still_the_whole_body(write: Write) -> None:
    write("replay.yaml", "match_on: [body, temperature]")
    directory = write("a.yaml", document())

    assert find(directory, seed=1)[0].field == "seed"


def test_what_is_no_file_is_told(write: Write) -> None:
    directory = write("a.yaml", document())
    os.mkfifo(directory / "pipe.yaml")

    with pytest.raises(CassetteError, match=r"pipe\.yaml:1: is no regular file: remove it"):
        Library.load(directory)


def test_a_file_name_that_is_no_utf_8_is_told(write: Write) -> None:
    directory = write("a.yaml", document())
    (directory / os.fsdecode(b"\xff.yaml")).write_text(document())

    with pytest.raises(UsageError, match="the name of the file is not UTF-8: rename it"):
        Library.load(directory)


def test_hidden_files_and_other_endings_are_no_cassettes(write: Write) -> None:
    for name in (".a.yaml", ".git/b.yaml", "README.md", "c.json"):
        write(name, "not: a cassette")
    directory = write("d.yml", document())

    library = Library.load(directory)

    assert (library.cassettes, len(library), library.models) == (1, 1, ("m",))


def test_a_missing_directory_is_empty(tmp_path: Path) -> None:
    assert len(Library.load(tmp_path / "nothing")) == 0


def test_an_unreadable_cassette_is_told(write: Write, tmp_path: Path) -> None:
    directory = write("a.yaml", document())
    (directory / "b.yaml").symlink_to(tmp_path / "gone")

    with pytest.raises(UsageError, match=r"b\.yaml:1: cannot be read: No such file or directory"):
        Library.load(directory)


def test_a_disagreement_names_the_first_place_within_its_field(write: Write) -> None:
    directory = write("a.yaml", document(f"  tools: {json.dumps([TOOL])}", recorded=True))

    (disagreement,) = find(directory, tools=[OTHER])

    assert str(disagreement.difference) == "tools[0].name: 'f' != 'g'"
