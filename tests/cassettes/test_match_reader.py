import pytest

from replay_server.cassettes.reader import read_cassette
from replay_server.errors import CassetteError


def problem(text: str) -> str:
    with pytest.raises(CassetteError) as caught:
        list(read_cassette("a.yaml", text.encode()))
    return str(caught.value)


def matcher(match: str, response: str = "{content: a}") -> str:
    return f"name: n\nmatch: {match}\nresponse: {response}\n"


@pytest.mark.parametrize(
    ("match", "message"),
    [
        (
            "{first_user: a}",
            "a.yaml:2: interaction 1: match.first_user: unknown field; known here: endpoint, model, last",
        ),
        ("{}", "a.yaml:2: interaction 1: match: has no condition: give one of model, last_user, system, any_message,"),
        ("{last_user: {regex: '('}}", "match.last_user.regex: is no regular expression: missing ): ("),
        (
            "{system: {regex: '(?=a)'}}",
            "match.system.regex: is no regular expression: invalid perl operator: (?= (there",
        ),
        ("{system: {regex: '(a)\\1'}}", "(there is no look-around and no back-reference here: they can take for ever)"),
        ("{last_user: {equals: a, contains: b}}", "match.last_user: must have exactly one of equals, contains, regex"),
        ("{last_user: 5}", "match.last_user: must be a text, or have one of equals, contains, regex, not 5"),
        ("{any_message: {contains: ''}}", "match.any_message.contains: must not be empty: that stands everywhere"),
        ("{json: 'a['}", "match.json: 'a[' is no JMESPath expression: Invalid jmespath expression: Incomplete"),
        ("{json: 'size(a)'}", "match.json: 'size(a)' is no JMESPath expression: there is no function size"),
        ("{json: {'a[': 1}}", "match.json.a[: 'a[' is no JMESPath expression"),
        ("{json: [a]}", "match.json: must be a JMESPath expression, or expressions with their values, not ['a']"),
        ("{turn: {min: 2, max: 1}}", "match.turn: no number is at least 2 and at most 1"),
        ("{turn: two}", "match.turn: must be a number of assistant messages, not 'two'"),
        ("{schema: {type: text}}", "match.schema: is no JSON Schema: In context=(), 'text' is not valid under any of"),
        ("{schema: {$ref: '#/$defs/a'}}", "match.schema: is no JSON Schema: In context=()"),
        ("{endpoint: rerank, model: m}", "match.endpoint: 'rerank' is none of chat/completions, completions,"),
        ("{endpoint: post /a, model: m}", "match.endpoint: post /a is no method and path: write it like POST /audio"),
        ("{last_user: {regex: '(?P<model>a)'}}", "match.last_user.regex: names a group model, but a template has"),
        (
            "{last_user: {regex: '(?P<a>a)'}, system: {regex: '(?P<a>a)'}}",
            "match.system.regex: names a group a, but a template has another value of that name: rename it",
        ),
    ],
)
def test_a_broken_condition_is_told_with_its_place(match: str, message: str) -> None:
    assert message in problem(matcher(match))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "match: {model: m}\nrequest: {}\nresponse: {content: a}",
            "a.yaml:2: interaction 1: request: stands beside match",
        ),
        ("match: {model: m}\nrecorded: {}\nresponse: {content: a}", "a.yaml:2: interaction 1: recorded: stands beside"),
        (
            "endpoint: models\nmatch: {model: m}\nresponse: {}",
            "a.yaml:1: interaction 1: endpoint: stands beside match: mo",
        ),
        ("match: {model: m}", "a.yaml:1: interaction 1 has no response"),
        (
            "match: {model: m, endpoint: models}\nresponse: {content: a}",
            "response.content: unknown field; known here: mod",
        ),
    ],
)
def test_a_broken_matcher_is_told_with_its_place(text: str, message: str) -> None:
    assert message in problem(text)


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (
            "{content: 'In {{ cty }}'}",
            "a.yaml:3: interaction 1: response.content: the template has no value cty; known here:",
        ),
        ("{content: 'In {{ city'}", "response.content: the template cannot be read: unexpected end of template"),
        ("{content: '{% for a in city %}{% endfor %}'}", "response.content: the template uses for: there are values,"),
        ("{content: '{{ now() }}'}", "response.content: the template uses a call"),
        ("{content: '{{ city | random }}'}", "response.content: the template has no filter random; known here: abs,"),
        (
            "[{content: a}, {refusal: '{{ x }}'}]",
            "a.yaml:3: interaction 1: response[1].refusal: the template has no value",
        ),
        (
            "{tool_calls: [{name: f, arguments: {a: ['{{ x }}']}}]}",
            "response.tool_calls[0].arguments.a[0]: the template",
        ),
        ("{error: {status: 400, message: '{{ x }}'}}", "response.error.message: the template has no value x"),
        ("{json: {a: {b: '{{ x }}'}}}", "response.json.a.b: the template has no value x"),
    ],
)
def test_a_broken_template_is_told_with_its_place(response: str, message: str) -> None:
    assert message in problem(matcher("{last_user: {regex: '(?P<city>.)'}}", response))


def test_the_line_of_a_template_is_its_own() -> None:
    text = "match:\n  model: m\nresponse:\n  - content: a\n  - content: '{{ x }}'\n"

    assert problem(text).startswith("a.yaml:5: ")


@pytest.mark.parametrize(
    "response",
    ["{body: {a: '{{ x }}'}}", "{raw: '{{ x }}'}", "{stream: {events: [{data: {a: '{% x %}'}}]}}", "{content: a}"],
    ids=["body", "raw", "stream", "no places"],
)
def test_what_has_no_places_or_was_recorded_is_no_template(response: str) -> None:
    (interaction,) = read_cassette("a.yaml", matcher("{model: m}", response).encode())

    assert interaction.templates == {}


def test_braces_in_the_response_to_a_request_mean_nothing() -> None:
    request = "{model: m, messages: [{role: user, content: x}]}"

    (interaction,) = read_cassette("a.yaml", f"request: {request}\nresponse: {{content: '{{{{ x }}'}}\n".encode())

    assert (interaction.templates, interaction.conditions) == (None, None)
