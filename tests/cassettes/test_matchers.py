import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay_server.cassettes.library import Library
from replay_server.cassettes.matchers import Matcher
from replay_server.cassettes.matching import Keyed
from replay_server.cassettes.reader import read_cassette
from replay_server.conditions import Conditions, TextTest, Turns
from replay_server.endpoints.table import resource_named
from replay_server.interaction import Choice, Interaction, TextReply


def library(*matches: str) -> Library:
    return Library(
        "c",
        read_cassette(
            "a.yaml", "---\n".join(f"match: {each}\nresponse: {{content: a}}\n" for each in matches).encode()
        ),
    )


def chat(*messages: tuple[str, str], **fields: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": [{"role": role, "content": text} for role, text in messages], **fields}


def answers(found: Library, body: dict[str, Any], endpoint: str = "chat/completions", **headers: str) -> int | None:
    """The place of the matcher that answers."""
    resource = resource_named(endpoint)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    matched = found.match(found.key(resource, resource.from_cassette(body)), named)
    return matched.interaction.place if matched else None


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"city": "Rome"}'}}
AFTER_TOOL: dict[str, Any] = {
    "model": "gpt-4o",
    "messages": [
        {"role": "user", "content": "weather?"},
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c", "content": "18 degrees"},
    ],
}
TALK = chat(("system", "Be brief."), ("user", "Hello Bob"), ("assistant", "Hi"), ("user", "Bye Bob"), temperature=0.5)


@pytest.mark.parametrize(
    "match",
    [
        "{model: gpt-4o}",
        "{model: 'gpt-*'}",
        "{model: '*-4?'}",
        "{last_user: Bye Bob}",
        "{last_user: {equals: Bye Bob}}",
        "{last_user: {contains: 'ye B'}}",
        "{last_user: {regex: '^Bye (?P<name>\\w+)$'}}",
        "{last_user: {regex: '(?i)bye BOB'}}",
        "{system: Be brief.}",
        "{any_message: Hello Bob}",
        "{any_message: {contains: Hello}}",
        "{any_message: {regex: 'H[aeiou]$'}}",
        "{has_tool_result: false}",
        "{turn: 1}",
        "{turn: {min: 1}}",
        "{turn: {max: 1}}",
        "{json: temperature}",
        "{json: 'length(messages) > `3`'}",
        "{json: {temperature: 0.5, 'messages[0].role': system}}",
        "{header: {X-Team: red}}",
        "{header: {x-team: {regex: '^r'}}}",
        "{schema: {required: [temperature], properties: {temperature: {maximum: 1}}}}",
        "{model: gpt-4o, turn: 1, last_user: {contains: Bob}}",
    ],
)
def test_a_condition_that_holds_answers(match: str) -> None:
    assert answers(library(match), TALK, X_Team="red") == 1


@pytest.mark.parametrize(
    "match",
    [
        "{model: gpt-4}",
        "{model: 'gpt-?'}",
        "{model: 'GPT-*'}",
        "{last_user: Bye}",
        "{last_user: {contains: Hello}}",
        "{last_user: {regex: '^Bob'}}",
        "{system: {contains: Bob}}",
        "{any_message: {equals: Hello}}",
        "{has_tool_result: true}",
        "{turn: 0}",
        "{turn: {min: 2}}",
        "{json: top_p}",
        "{json: 'contains(nothing, `1`)'}",
        "{json: {temperature: '0.5'}}",
        "{header: {x-team: blue}}",
        "{header: {x-other: red}}",
        "{schema: {required: [top_p]}}",
        "{model: gpt-4o, turn: 2, last_user: {contains: Bob}}",
        "{endpoint: completions, model: gpt-4o}",
    ],
)
def test_a_condition_that_fails_does_not(match: str) -> None:
    assert answers(library(match), TALK, X_Team="red") is None


def test_a_tool_result_is_one_that_came_after_the_user_spoke() -> None:
    found = library("{has_tool_result: true}")
    later = {**AFTER_TOOL, "messages": [*AFTER_TOOL["messages"], {"role": "user", "content": "Thanks."}]}

    assert (answers(found, AFTER_TOOL), answers(found, later)) == (1, None)


def test_a_prompt_is_what_the_user_says() -> None:
    found = library("{endpoint: completions, last_user: {contains: Once}}")

    assert answers(found, {"model": "m", "prompt": "Once upon"}, "completions") == 1
    assert answers(found, {"model": "m", "prompt": ["Once", "Twice"]}, "completions") is None


@pytest.mark.parametrize(
    ("matches", "first"),
    [
        (["{turn: 1}", "{turn: 1, model: gpt-4o}"], 2),
        (["{turn: 1}", "{model: gpt-4o}"], 1),
        (["{turn: 1, model: gpt-4o}", "{json: {temperature: 0.5, model: gpt-4o, n: null}}"], 2),
        (["{turn: 1}", "{header: {a: b, c: d}}"], 2),
        (["{turn: 0}", "{turn: 1}"], 2),
    ],
    ids=["more conditions", "order in the file", "each value of json counts", "each header counts", "only what holds"],
)
def test_the_one_with_most_conditions_goes_first(matches: list[str], first: int) -> None:
    assert answers(library(*matches), TALK, a="b", c="d") == first


def test_the_order_of_cassettes_is_that_of_their_paths() -> None:
    data = b"match: {model: gpt-4o}\nresponse: {content: a}\n"
    found = Library("c", [*read_cassette("b.yaml", data), *read_cassette("a.yaml", data)])
    chats = resource_named("chat/completions")

    matched = found.match(found.key(chats, chats.from_cassette(TALK)), {})

    assert matched is not None
    assert matched.interaction.id == "a.yaml#1"


def test_a_library_without_matchers_has_none_to_ask() -> None:
    assert library("{turn: 1}").matchers is not None
    assert Library("c").matchers is None


def test_the_models_of_matchers_are_listed_where_they_are_names() -> None:
    assert library("{model: gpt-4o}", "{model: 'gpt-5*'}", "{turn: 1}").models == ("gpt-4o",)


def test_a_miss_names_what_fails_in_the_nearest() -> None:
    found = library("{model: gpt-5, turn: 3}", "{model: gpt-4o, last_user: {contains: Alice}}", "{header: {a: secret}}")
    chats = resource_named("chat/completions")
    assert found.matchers is not None

    near = found.matchers.nearest(found.key(chats, chats.from_cassette(TALK)), {"a": "mine"}, 3)

    assert [(each.interaction.place, each.failing) for each in near] == [
        (2, ("last_user: must contain 'Alice', is 'Bye Bob'",)),
        (3, ("header.a: must be 'secret', is something else",)),
        (1, ("model: must be gpt-5, is 'gpt-4o'", "turn: must be 3, is 1")),
    ]


# The index and the plain way agree ------------------------------------------------------------------------------------

LETTERS = st.text("abA é\n", max_size=5)
PATTERNS = st.sampled_from(
    ["", "a", "ab", "a+b", "^a", "b$", "(?i)ab", "(?i)É", "[ab]{2} ", "a|b", "aba|éa", "(?P<x>a)b?", "\\s", "abab", "."]
)
TESTS = st.one_of(
    st.builds(TextTest, st.just("equals"), LETTERS),
    st.builds(TextTest, st.just("contains"), LETTERS.filter(bool)),
    st.builds(TextTest, st.just("regex"), PATTERNS),
)
CONDITIONS = st.builds(
    Conditions,
    model=st.none() | st.sampled_from(["a", "ab", "a*", "*b", "?", "*", "a.b"]),
    last_user=st.none() | TESTS,
    system=st.none() | TESTS,
    any_message=st.none() | TESTS,
    turn=st.none() | st.builds(Turns, st.integers(0, 2), st.none()),
)
MESSAGES = st.lists(st.tuples(st.sampled_from(["user", "system", "assistant"]), LETTERS), max_size=4)


def interaction(place: int, conditions: Conditions) -> Interaction:
    reply = TextReply(choices=(Choice(content="a"),))
    return Interaction(
        cassette="a.yaml",
        place=place,
        line=1,
        endpoint="chat/completions",
        request={},
        responses=(reply,),
        conditions=conditions,
    )


def plain_holds(test: TextTest, texts: list[str]) -> bool:
    """The same test by Python's own means."""
    match test.kind:
        case "equals":
            return test.text in texts
        case "contains":
            return any(test.text in text for text in texts)
        case _:
            pattern = re.compile(test.text.replace("$", r"\Z"), re.ASCII if "\\s" in test.text else 0)
            return any(pattern.search(text) for text in texts)


def plainly(conditions: Conditions, model: str, messages: list[tuple[str, str]]) -> bool:
    last = [text for role, text in messages if role == "user"][-1:]
    system = [text for role, text in messages if role == "system"]
    glob = "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in conditions.model or "*")
    turns = sum(role == "assistant" for role, _ in messages)
    return (
        re.fullmatch(glob, model, re.DOTALL) is not None
        and (conditions.turn is None or turns >= conditions.turn.least)
        and all(
            test is None or plain_holds(test, texts)
            for test, texts in (
                (conditions.last_user, last),
                (conditions.system, ["\n".join(system)] if system else []),
                (conditions.any_message, [text for _, text in messages]),
            )
        )
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(CONDITIONS, min_size=1, max_size=12), st.sampled_from(["a", "ab", "b", "axb", "", "a.b"]), MESSAGES)
def test_the_index_finds_what_trying_one_after_the_other_finds(
    given_conditions: list[Conditions], model: str, messages: list[tuple[str, str]]
) -> None:
    found = Library("c", (interaction(place, each) for place, each in enumerate(given_conditions, 1)))
    body = {"model": model, "messages": [{"role": role, "content": text} for role, text in messages]}
    ordered = sorted((Matcher(interaction(place, each)) for place, each in enumerate(given_conditions, 1)), key=rank)

    expected = next((each.interaction.place for each in ordered if plainly(each.given, model, messages)), None)

    assert answers(found, body) == expected


def rank(matcher: Matcher) -> tuple[int, str, int]:
    return matcher.rank


def test_thousands_of_patterns_are_looked_for_at_once() -> None:
    patterns = [f"(?P<what>[a-z]+) number {at} in (?P<city>[A-Z][a-z]+)" for at in range(3_000)]
    found = Library(
        "c", (interaction(at + 1, Conditions(last_user=TextTest("regex", text))) for at, text in enumerate(patterns))
    )

    assert answers(found, chat(("user", "the boat number 2718 in Oslo"))) == 2719
    assert answers(found, chat(("user", "the boat number 2718 in oslo"))) is None


def test_a_cassette_that_is_read_again_brings_its_matchers() -> None:
    found = library("{turn: 1}", "{turn: 5}")

    found.put("b.yaml", read_cassette("b.yaml", b"match: {turn: 1, model: gpt-4o}\nresponse: {content: b}\n"))
    found.put("a.yaml", read_cassette("a.yaml", b"match: {turn: 0}\nresponse: {content: a}\n"))
    found.put("c.yaml", read_cassette("c.yaml", b"request: {model: m, prompt: x}\nresponse: {content: c}\n"))

    assert [matcher.interaction.id for matcher in found.matchers or ()] == ["b.yaml#1", "a.yaml#1"]
    assert (len(found), found.cassettes) == (3, 3)


def test_a_cassette_that_is_gone_takes_its_matchers_with_it() -> None:
    found = library("{turn: 1}")

    found.put("a.yaml", [])

    assert (found.matchers, found.cassettes, answers(found, TALK)) == (None, 0, None)


def test_values_come_from_the_groups_and_the_request() -> None:
    found = library("{last_user: {regex: '(?P<name>B\\w+)(?P<more> .*)?$'}, header: {x-team: {regex: '(?P<team>.)'}}}")
    chats = resource_named("chat/completions")
    asked: Keyed = found.key(chats, chats.from_cassette(TALK))

    matched = found.match(asked, {"X-Team": "red", "Authorization": "Bearer sk-1"})

    assert matched is not None
    assert matched.values == {
        "model": "gpt-4o",
        "last_user": "Bye Bob",
        "system": "Be brief.",
        "turn": 1,
        "request": TALK,
        "arguments": None,
        "tool_result": "",
        "header": {"x-team": "red"},
        "name": "Bye",
        "more": " Bob",
        "team": "r",
    }


def test_the_arguments_of_the_last_call_are_a_value() -> None:
    found = library("{has_tool_result: true}")
    chats = resource_named("chat/completions")

    matched = found.match(found.key(chats, chats.from_cassette(AFTER_TOOL)), {})

    assert matched is not None
    assert (matched.values["arguments"], matched.values["tool_result"]) == ({"city": "Rome"}, "18 degrees")
