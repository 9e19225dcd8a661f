import json
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from replay_server.cassettes.redaction.places import PathRule, read_path
from replay_server.cassettes.redaction.redaction import Redaction
from replay_server.cassettes.redaction.redactor import DEFAULT, Redactor
from replay_server.cassettes.redaction.rules import BUILT_IN, OPTIONAL, Rule
from replay_server.cassettes.sse import json_chunks
from replay_server.interaction import Answered, Request, TimedFrame
from tests.cassettes.redaction.secrets import LETTERS, SAMPLES, samples

KEY, OTHER = "sk-" + LETTERS, "sk-" + LETTERS[::-1]

words = st.lists(st.sampled_from([*'abc é\n"\\/<>:=.-1', "😀", "<redacted:openai-key:2>"]), max_size=20).map("".join)


@st.composite
def planted(draw: Any) -> tuple[str, str]:
    """A text with a secret in it, and the secret."""
    _, before, secret, after = SAMPLES[draw(samples)]
    return f"{draw(words)} {before}{secret}{after} {draw(words)}", secret


@st.composite
def cut(draw: Any, text: str) -> list[str]:
    """A text in pieces."""
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


# Texts ---------------------------------------------------------------------------------------------------------------


def test_secrets_are_numbered_by_first_use_and_equal_ones_alike() -> None:
    redaction = DEFAULT.exchange()

    assert redaction.text(f"{KEY} {OTHER} {KEY}") == (
        "<redacted:openai-key:1> <redacted:openai-key:2> <redacted:openai-key:1>"
    )
    assert redaction.text(OTHER) == "<redacted:openai-key:2>"


def test_numbers_go_on_after_those_that_are_there() -> None:
    assert DEFAULT.text(f"{KEY} <redacted:openai-key:4>") == "<redacted:openai-key:5> <redacted:openai-key:4>"


def test_what_only_pretends_to_be_a_placeholder_is_searched() -> None:
    assert DEFAULT.text(f"<redacted:{KEY.lower()}:1>") == "<redacted:<redacted:openai-key:1>:1>"


def test_a_secret_that_is_repeated_without_what_told_it_is_redacted_too() -> None:
    redaction = DEFAULT.exchange()
    redaction.text(f"Authorization: Bearer opaque-{LETTERS}")

    assert redaction.text(f"you sent opaque-{LETTERS}") == "you sent <redacted:bearer:1>"


def test_secrets_that_overlap_are_one() -> None:
    redactor = Redactor([Rule("left", "abc[0-9]+"), Rule("right", "[0-9]+xyz")])

    assert redactor.text("abc123xyz") == "<redacted:left:1>"


@given(planted())
def test_no_planted_secret_survives_and_nothing_is_found_twice(found: tuple[str, str]) -> None:
    text, secret = found

    redacted = DEFAULT.text(text)

    assert secret not in redacted
    assert DEFAULT.text(redacted) == redacted


@given(words)
def test_a_text_without_secrets_stays(text: str) -> None:
    assert DEFAULT.text(text) == text


# JSON ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "redacted"),
    [
        ({"a": [KEY, {KEY: 1}]}, {"a": ["<redacted:openai-key:1>", {"<redacted:openai-key:1>": 1}]}),
        ({"headers": {"cookie": "sid=0123456789"}}, {"headers": {"cookie": "<redacted:cookie:1>"}}),
        ({"arguments": json.dumps({"key": KEY})}, {"arguments": '{"key": "<redacted:openai-key:1>"}'}),
        ({"arguments": '{"key":"\\u0073' + KEY[1:] + '"}'}, {"arguments": '{"key":"<redacted:openai-key:1>"}'}),
        (
            {"deltas": ["My key: s", KEY[1:9], KEY[9:] + " it is"]},
            {"deltas": ["My key: <redacted:openai-key:1>", "", " it is"]},
        ),
        ({"a": float("inf"), "b": 2**80, "c": KEY}, {"a": float("inf"), "b": 2**80, "c": "<redacted:openai-key:1>"}),
    ],
    ids=["names", "headers", "arguments", "escapes", "deltas", "numbers"],
)
def test_strings_anywhere_in_json_are_searched(value: Any, redacted: Any) -> None:
    assert DEFAULT.exchange().json(value) == redacted


@pytest.mark.parametrize(
    "body",
    [
        b'{ "a" : "%b",\n\t"b": 1.0, "c": "\\u00e9\\/", "a": "x" }\n',
        '{"a": "%b", "b": "é"}'.encode(),
        b'{"a":"%b"}\n{"b":"y"}\n',
        b"a=%b&b=\xff\xfe",
        b"",
    ],
    ids=["odd JSON", "UTF-8", "lines", "binary", "empty"],
)
def test_every_other_byte_of_a_body_stays(body: bytes) -> None:
    redacted = DEFAULT.exchange().body(body.replace(b"%b", KEY.encode()))

    assert redacted == body.replace(b"%b", b"<redacted:openai-key:1>")


def test_tokens_of_logprobs_do_not_spell_a_secret() -> None:
    tokens = ["It is ", "sk", KEY[2:12], KEY[12:], "!"]
    listed = [{"token": each, "bytes": list(each.encode()), "top_logprobs": [{"token": each}]} for each in tokens]
    body = {"choices": [{"message": {"content": "".join(tokens)}, "logprobs": {"content": listed}}]}

    redacted = orjson.loads(DEFAULT.exchange().body(orjson.dumps(body)))

    assert [entry["token"] for entry in redacted["choices"][0]["logprobs"]["content"]] == [
        "It is ",
        "<redacted:openai-key:1>",
        "",
        "",
        "!",
    ]
    assert redacted["choices"][0]["logprobs"]["content"][2] == {"token": "", "bytes": None, "top_logprobs": []}


def test_legacy_logprobs_do_not_spell_a_secret() -> None:
    logprobs = {"tokens": ["sk", KEY[2:]], "top_logprobs": [{"sk": -1}, {KEY[2:]: -1}]}

    redacted = DEFAULT.exchange().json({"choices": [{"text": KEY, "logprobs": logprobs}]})

    assert redacted == {
        "choices": [
            {
                "text": "<redacted:openai-key:1>",
                "logprobs": {"tokens": ["<redacted:openai-key:1>", ""], "top_logprobs": [{}, {}]},
            }
        ]
    }


@given(st.dictionaries(st.text(max_size=5), planted().map(lambda found: found[0]) | st.integers(), max_size=4))
def test_json_without_its_secrets_has_none(value: dict[str, Any]) -> None:
    once = DEFAULT.exchange().json(value)

    assert DEFAULT.exchange().json(once) == once


@pytest.mark.parametrize(
    ("path", "redacted"),
    [
        ("messages[*].metadata.ssn", {"messages": [{"metadata": {"ssn": "<redacted:x:1>", "a": [1]}}], "ssn": 7}),
        (
            "$.messages[0].metadata",
            {"messages": [{"metadata": {"ssn": "<redacted:x:1>", "a": ["<redacted:x:2>"]}}], "ssn": 7},
        ),
        ("..ssn", {"messages": [{"metadata": {"ssn": "<redacted:x:1>", "a": [1]}}], "ssn": "<redacted:x:2>"}),
        ("messages[1].metadata.ssn", {"messages": [{"metadata": {"ssn": "123", "a": [1]}}], "ssn": 7}),
    ],
)
def test_a_path_names_what_is_secret(path: str, redacted: Any) -> None:
    redactor = Redactor(paths=[PathRule("x", read_path(path))])
    value: Any = {"messages": [{"metadata": {"ssn": "123", "a": [1]}}], "ssn": 7}

    once = redactor.exchange().json(value)

    assert (once, redactor.exchange().json(once)) == (redacted, redacted)
    assert redactor.may_hold_secret(orjson.dumps(value))


# Streams -------------------------------------------------------------------------------------------------------------


def chat(content: str, index: int = 0) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "model": "m", "choices": [{"index": index, "delta": {"content": content}}]}


def call(arguments: str, index: int = 0) -> dict[str, Any]:
    called = [{"index": index, "function": {"arguments": arguments}}]
    return {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"tool_calls": called}}]}


KINDS = {
    "chat": (chat, lambda chunk: chunk["choices"][0]["delta"]["content"]),
    "tool call": (call, lambda chunk: chunk["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"]),
    "completion": (lambda text: {"choices": [{"index": 0, "text": text}]}, lambda chunk: chunk["choices"][0]["text"]),
    "responses": (
        lambda text: {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "delta": text},
        lambda chunk: chunk["delta"],
    ),
    "anthropic": (
        lambda text: {"type": "content_block_delta", "index": 0, "delta": {"partial_json": text}},
        lambda chunk: chunk["delta"]["partial_json"],
    ),
}


def frame(chunk: Any) -> bytes:
    return b"data: %b\n\n" % json.dumps(chunk).encode()


@pytest.mark.parametrize("kind", KINDS)
@given(found=planted(), data=st.data())
def test_a_secret_in_pieces_does_not_survive_a_stream(kind: str, found: tuple[str, str], data: st.DataObject) -> None:
    make, read = KINDS[kind]
    text, secret = found
    frames = [*(frame(make(piece)) for piece in data.draw(cut(text))), b"data: [DONE]\n\n"]

    redacted = DEFAULT.exchange().frames(frames)

    spelled = "".join(read(chunk) for chunk in json_chunks(b"".join(redacted[:-1])))
    assert secret not in spelled
    assert spelled == DEFAULT.text(text)
    assert (len(redacted), redacted[-1]) == (len(frames), frames[-1])
    assert DEFAULT.exchange().frames(redacted) == redacted


def test_a_placeholder_stands_where_the_secret_began_and_all_else_stays() -> None:
    frames = [
        b": hello\r\n\r\n",
        b'event: x\r\ndata:{"choices": [{"index":0,"delta":{"content":"My key is s"}}]}\r\n\r\n',
        b'data: {"choices":[{"index":0, "delta":{"content":"%b"}}], "obfuscation":"a\\u00e9"}\n\n' % KEY[1:9].encode(),
        b'data: {"choices":[{"index":0,"delta":{"content":"%b."}}]}\n\n' % KEY[9:].encode(),
        b"data: not JSON\ndata: at all\n\n",
    ]

    assert DEFAULT.exchange().frames(frames) == [
        frames[0],
        frames[1].replace(b"is s", b"is <redacted:openai-key:1>"),
        frames[2].replace(KEY[1:9].encode(), b""),
        frames[3].replace(KEY[9:].encode(), b""),
        frames[4],
    ]


def test_choices_and_calls_are_read_apart() -> None:
    frames = [
        frame(chunk) for chunk in (chat("s", 0), chat(KEY[:9], 1), chat(KEY[1:], 0), chat(KEY[9:], 1), call(KEY, 1))
    ]

    redacted = list(json_chunks(b"".join(DEFAULT.exchange().frames(frames))))

    mark = "<redacted:openai-key:1>"
    assert redacted == [chat(mark, 0), chat(mark, 1), chat("", 0), chat("", 1), call(mark, 1)]


def test_an_answer_goes_on_with_the_numbers_of_its_request() -> None:
    redaction = DEFAULT.exchange()
    redaction.request(Request("chat/completions", "m", {"messages": [{"role": "user", "content": OTHER}]}))

    answered = redaction.answered(
        Answered(
            200, {"x-request-id": KEY}, b"", (TimedFrame(0.1, frame(chat(OTHER))), TimedFrame(0.2, b"data: [DONE]\n\n"))
        )
    )

    body = frame(chat("<redacted:openai-key:1>")) + b"data: [DONE]\n\n"
    assert (answered.headers, answered.body) == ({"x-request-id": "<redacted:openai-key:2>"}, body)
    assert [timed.after for timed in answered.frames] == [0.1, 0.2]


def test_a_stream_that_came_as_one_body_is_searched_in_pieces() -> None:
    body = frame(chat(KEY[:9])) + frame(chat(KEY[9:]))

    assert DEFAULT.exchange().answered(Answered(200, {}, body)).body == frame(chat("<redacted:openai-key:1>")) + frame(
        chat("")
    )


def test_headers_and_parameters_are_known_by_their_names() -> None:
    redaction = DEFAULT.exchange()

    assert redaction.headers({"api-key": "0123456789abcdef" * 2, "cookie": "a=0123456789", "accept": "*/*"}) == {
        "api-key": "<redacted:api-key:1>",
        "cookie": "<redacted:cookie:1>",
        "accept": "*/*",
    }
    assert redaction.query((("api-key", "0123456789abcdef" * 2), ("q", "x"))) == (
        ("api-key", "<redacted:api-key:1>"),
        ("q", "x"),
    )


# The quick look ------------------------------------------------------------------------------------------------------


@given(planted(), st.booleans())
@example((f'"{KEY}"', KEY), True)
def test_a_quick_look_never_misses_a_secret(found: tuple[str, str], escaped: bool) -> None:
    body = json.dumps({"a": found[0]}, ensure_ascii=escaped).encode()

    assert DEFAULT.may_hold_secret(body)


@pytest.mark.parametrize("body", [b'{"a": "\\u0073k-abc"}', b'{"a": "http:\\/\\/x"}', b'{"a": "<redacted:jwt:1>"}'])
def test_a_quick_look_sees_escapes_and_placeholders(body: bytes) -> None:
    assert DEFAULT.may_hold_secret(body)


def test_a_quick_look_tells_most_requests_clean() -> None:
    assert not DEFAULT.may_hold_secret(
        b'{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say \\u20achello."}]}'
    )


def test_a_rule_without_an_anchor_is_always_looked_for() -> None:
    redactor = Redactor([Rule("x", "[0-9]{3}")])

    assert redactor.may_hold_secret(b"")
    assert redactor.text("a 123") == "a <redacted:x:1>"


def test_optional_rules_join_the_others() -> None:
    redaction = Redaction(Redactor([*BUILT_IN, OPTIONAL["email"]]))

    assert redaction.text(f"{KEY} ann@mail.example") == "<redacted:openai-key:1> <redacted:email:1>"
