from typing import Any

import pytest

from replay_server.cassettes.template import VALUES, BadTemplate, check_template, fill

NAMES = frozenset({*VALUES, "city"})
VALUES_THERE: dict[str, Any] = {
    "city": "Paris",
    "model": "gpt-4o",
    "turn": 2,
    "request": {"temperature": 0.5, "tools": [{"name": "f"}], "stop": None, "items": 3, "long": "x" * 2_000},
    "arguments": {"count": 3, "all": True},
    "header": {"x-team": "red"},
    "last_user": "weather in Paris",
    "system": "",
    "tool_result": "",
}


def filled(text: str, *, as_json: bool = False) -> Any:
    check_template(text, NAMES)
    return fill(text, VALUES_THERE, as_json=as_json)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rains in {{ city }}.", "It rains in Paris."),
        ("{{ city | upper }} {{ city[0] }} {{ city | length }}", "PARIS P 5"),
        ("{{ turn + 1 }} {{ 2 * turn }} {{ 7 % turn }}", "3 4 1"),
        ("{{ request.temperature }} {{ request['tools'][0].name }}", "0.5 f"),
        ("{{ request.tools }} {{ request.stop }} {{ arguments.all }}", '[{"name":"f"}] null true'),
        ("{{ request.items }}", "3"),
        ("{{ header['x-team'] }}", "red"),
        ("{{ request.top_p | default('none') }}", "none"),
        ("{% if turn > 1 %}again{% else %}first{% endif %}", "again"),
        ("{{ 'far' if 'Rome' in last_user else 'near' }}", "near"),
        ("{{ ['a', city] | join(', ') }}", "a, Paris"),
        ("{{ city is defined and request.nothing is undefined }}", "true"),
        ("{% raw %}{{ city }}{% endraw %}{# a comment #}", "{{ city }}"),
        ("{{ city }}\n", "Paris\n"),
    ],
)
def test_a_template_is_filled(text: str, expected: str) -> None:
    assert filled(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ turn }}", 2),
        ("{{- arguments.count -}}", 3),
        ("{{ arguments }}", {"count": 3, "all": True}),
        ("{{ request.stop }}", None),
        ("{{ city }}", "Paris"),
        ("{{ turn }} ", "2 "),
        ("{{ turn }}{{ turn }}", "22"),
    ],
)
def test_in_json_a_text_that_is_one_place_becomes_its_value(text: str, expected: Any) -> None:
    assert filled(text, as_json=True) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{{ request.top_p }}", "there is no 'top_p' in it"),
        ("{{ city.upper }}", "there is no 'upper' in it"),
        ("{{ city.__class__ }}", "there is no '__class__' in it"),
        ("{{ request.tools.append }}", "there is no 'append' in it"),
        ("{{ request['tools'][5] }}", "there is no 5 in it"),
        ("{{ turn / 0 }}", "division by zero"),
        ("{{ city + 1 }}", "can only concatenate str"),
        ("{{ city * 3 }}", "* is of two numbers"),
        ("{{ '%99999999d' % turn }}", "% is of two numbers"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_a_template_that_fails_says_why(text: str, reason: str, as_json: bool) -> None:
    with pytest.raises(BadTemplate) as caught:
        filled(text, as_json=as_json)

    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(1000000) %}{% for b in range(1000000) %}x{% endfor %}{% endfor %}",
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{{ 'x' * 9999999999 }}",
        "{{ [0] * 9999999999 }}",
        "{{ '%9999999999d' % 1 }}",
        "{{ '{:>9999999999}'.format(1) }}",
        "{{ city.zfill(9999999999) }}",
        "{{ city | center(9999999999) }}",
        "{{ city | indent(9999999999) }}",
        "{{ city | replace('', request.long) | replace('', request.long) }}",
        "{{ request.long | join(request.long) }}",
        "{{ range(9999999999) | list }}",
        "{{ lipsum(99999999) }}",
        "{% set a = city ~ city %}{% set a = a ~ a %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% include city %}",
        "{{ self }}",
        "{{ city | map('upper') | list }}",
        "{{ city | attr('__class__') }}",
        "{{ ().__class__.__base__.__subclasses__() }}",
        "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
        "{{ " + "-" * 5_000 + "1 }}",
        "{{ " + "1 + " * 4_000 + "1 }}",
        "{{ city }}" * 10_000,
    ],
    ids=range(24),
)
def test_a_hostile_template_is_refused_at_once(text: str) -> None:
    with pytest.raises(BadTemplate):  # what is not refused takes hours, or all memory
        filled(text)


@pytest.mark.parametrize("name", ["now", "random", "range", "lipsum", "dict", "cycler", "joiner", "namespace", "loop"])
def test_nothing_tells_the_time_or_throws_dice(name: str) -> None:
    with pytest.raises(BadTemplate, match=f"has no value {name}; known here: arguments, city,"):
        check_template(f"{{{{ {name} }}}}", NAMES)
