from typing import Any

import pytest

from replay_server.cassettes.reader import read_cassette, survey_cassette
from replay_server.errors import CassetteError
from replay_server.interaction import (
    Choice,
    ErrorReply,
    Interaction,
    Recorded,
    Repeat,
    Response,
    TextReply,
    ToolCall,
    Usage,
)

REQUEST = "request: {model: m, messages: [{role: user, content: x}]}\n"


def read(text: str) -> Interaction:
    (interaction,) = read_cassette("a.yaml", text.encode())
    return interaction


def problem(text: str) -> str:
    with pytest.raises(CassetteError) as caught:
        read(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("response", "reply"),
    [
        ("content: Hi", TextReply(choices=(Choice(content="Hi"),))),
        ("json: {a: 1, b: [x]}", TextReply(choices=(Choice(content='{"a":1,"b":["x"]}'),))),
        ("deltas: [a, ' b']", TextReply(choices=(Choice(content="a b", deltas=("a", " b")),))),
        ("refusal: No.", TextReply(choices=(Choice(refusal="No."),))),
        (
            "tool_calls: [{name: f, arguments: {a: 1}}, {name: g, arguments: 'not json', id: call_7}]",
            TextReply(
                choices=(
                    Choice(
                        tool_calls=(
                            ToolCall(name="f", arguments='{"a":1}'),
                            ToolCall(name="g", arguments="not json", id="call_7"),
                        )
                    ),
                )
            ),
        ),
        (
            "tool_calls: [{name: c, input: free text}]",
            TextReply(choices=(Choice(tool_calls=(ToolCall(name="c", arguments="free text", kind="custom"),)),)),
        ),
        (
            "choices: [{content: a, finish_reason: length}, {content: b}]\n  model: m-1\n  created: 7",
            TextReply(
                choices=(Choice(content="a", finish_reason="length"), Choice(content="b")), model="m-1", created=7
            ),
        ),
        (
            "content: a\n  usage: {prompt_tokens: 3, completion_tokens: 4, cached_tokens: 1}",
            TextReply(
                choices=(Choice(content="a"),), usage=Usage(prompt_tokens=3, completion_tokens=4, cached_tokens=1)
            ),
        ),
        (
            "error: {status: 429, message: slow, code: c, headers: {Retry-After: 2}}",
            ErrorReply(status=429, message="slow", code="c", headers={"retry-after": "2"}),
        ),
        (
            "body: {b: 1, a: é}\n  style: indent 2, ascii, newline\n  status: 202",
            Recorded(status=202, body=b'{\n  "b": 1,\n  "a": "\\u00e9"\n}\n', content={"b": 1, "a": "é"}),
        ),
    ],
)
def test_a_response_is_read(response: str, reply: Response) -> None:
    assert read(f"{REQUEST}response:\n  {response}").responses == (reply,)


def test_a_list_is_a_sequence() -> None:
    interaction = read(f"{REQUEST}response: [{{content: a}}, {{error: {{status: 500, message: b}}}}]\nrepeat: cycle")

    assert interaction.responses == (TextReply(choices=(Choice(content="a"),)), ErrorReply(status=500, message="b"))
    assert interaction.repeat is Repeat.CYCLE


@pytest.mark.parametrize(
    ("request_text", "endpoint"),
    [
        ("request: {messages: []}", "chat/completions"),
        ("request: {prompt: x}", "completions"),
        ("endpoint: chat/completions\nrequest: {}", "chat/completions"),
        ("endpoint: /v1/completions\nrequest: {}", "completions"),
    ],
)
def test_the_endpoint_is_named_or_told_by_the_fields(request_text: str, endpoint: str) -> None:
    assert read(f"{request_text}\nresponse: {{content: a}}").endpoint == endpoint


def test_a_model_stays_what_it_looks_like() -> None:
    assert read("request: {model: 4.10, prompt: x}\nresponse: {content: a}").request["model"] == "4.10"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1", "a.yaml:1: interaction 1 must be a mapping with request and response"),
        ("response: {content: a}", "a.yaml:1: interaction 1 has no request"),
        (REQUEST, "a.yaml:1: interaction 1 has no response"),
        (f"{REQUEST}response:", "a.yaml:2: interaction 1: response: is empty: give content, error or body"),
        (f"{REQUEST}response: []", "a.yaml:2: interaction 1: response: must have at least one response"),
        (f"{REQUEST}response: {{}}", "a.yaml:2: interaction 1: response: has no contents: give one of content,"),
        (f"{REQUEST}response: {{content: a}}\nsession: x", "a.yaml:3: interaction 1: session: unknown field"),
        (f"{REQUEST}response:\n  contnet: a", "a.yaml:3: interaction 1: response.contnet: unknown field"),
        (f"{REQUEST}response:\n  content: 5", "a.yaml:3: interaction 1: response.content: must be a text, not 5"),
        (f"{REQUEST}response:\n  content: a\n  json: {{}}", "response.json: stands beside content: give the text once"),
        (f"{REQUEST}response:\n  content: a\n  choices: []", "response.content: stands beside choices"),
        (
            f"{REQUEST}response:\n  choices:\n    - content: [a]",
            "a.yaml:4: interaction 1: response.choices[0].content:",
        ),
        (f"{REQUEST}response:\n  tool_calls: [{{}}]", "response.tool_calls[0].name: missing; it must be a text"),
        (f"{REQUEST}response:\n  error: {{status: 200, message: a}}", "response.error.status: must be an HTTP status"),
        (f"{REQUEST}response:\n  error: {{status: 429}}", "response.error.message: missing; it must be a text"),
        (f"{REQUEST}response:\n  body: 1\n  style: pretty", "response.style: 'pretty' is none of compact, spaced"),
        (f"{REQUEST}response:\n  body: 1\n  headers: {{date: x}}", "response.headers.date: is written by the server"),
        (f'{REQUEST}response:\n  body: 1\n  headers: {{a: "x\\r\\nb: c"}}', "response.headers.a: is no HTTP header"),
        (f"{REQUEST}response:\n  - content: a\n  - contnet: b", "a.yaml:4: interaction 1: response[1].contnet:"),
        (f"{REQUEST}response: {{content: a}}\nrepeat: cycle", "repeat: needs a response that is a list"),
        (f"{REQUEST}response: [{{content: a}}]\nrepeat: always", "repeat: 'always' is none of last, cycle, error"),
        (f"{REQUEST}response: {{content: a}}\npace: 2", "a.yaml:3: interaction 1: pace: must be a text, not 2"),
        (
            f"{REQUEST}response: {{content: a}}\npace: ttft=300",
            "a.yaml:3: interaction 1: pace: 'ttft=300' is no pace: ttft must be a time with its unit, such as 300ms",
        ),
        ("request: {}\nresponse: {content: a}", "request: has neither messages nor prompt: add endpoint"),
        ("endpoint: embedings\nrequest: {}\nresponse: {}", "endpoint: 'embedings' is none of chat/completions,"),
        ("request: 5\nresponse: {content: a}", "request: must be a mapping, not 5"),
    ],
)
def test_a_broken_document_is_told_with_file_line_field_and_remedy(text: str, message: str) -> None:
    assert message in problem(text)


def test_a_survey_goes_on_after_a_broken_document() -> None:
    text = f"{REQUEST}response: {{}}\n---\n{REQUEST}response: {{content: a}}\n---\n{REQUEST}"

    found: list[Any] = list(survey_cassette("a.yaml", text.encode()))

    assert [type(each) for each in found] == [CassetteError, Interaction, CassetteError]
    assert found[1].id == "a.yaml#2"
