from typing import Any

import pytest

from replay_server.cassettes.yaml import YamlError, documents


def values(text: str) -> list[Any]:
    return [document.value for document in documents(text.encode())]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("0o17", 15),
        ("017", 17),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("-7", -7),
        ("4.10", 4.1),
        ("1e3", 1000.0),
        ("1e999", "1e999"),
        (".inf", ".inf"),
        ("12345678901234567890123", 1.2345678901234568e22),
        ("~", None),
        ("", None),
        ("null", None),
        ("True", True),
        ("false", False),
        ("'5'", "5"),
        ('"\\u00e9\\n"', "é\n"),
        ("!!str 5", "5"),
        ("!!float 5", 5),
        ("😀", "😀"),
    ],
)
def test_scalars_have_the_core_types_of_yaml_1_2(text: str, value: Any) -> None:
    (read,) = values(f"a: {text}")

    assert read == {"a": value}
    assert type(read["a"]) is type(value)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: 1\nb:\n\t- 2", 3, "cannot start any token (YAML indents with spaces"),
        ("a: 1\na: 2", 2, "the key 'a' stands here twice: remove one"),
        ("a: b: c", 1, "(a text that holds ': ' needs quotes)"),
        ("a: [1,\n2", 2, "did not find expected ',' or ']'"),
        ("a: &x [*x]", 1, "an alias stands within its own anchor"),
        ("a: *x", 1, "found undefined alias"),
        ("a: !!python/object:os.system x", 1, "the tag !!python/object:os.system is not allowed"),
        ("a: !thing {}", 1, "the tag !thing is not allowed"),
        ("a: !!int x", 1, "'x' is not what its tag !!int says"),
        ("? [a]\n: 1", 1, "a key must be a text"),
        ("a: 1\nb: \x01", 2, "control characters are not allowed"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line(text: str, line: int, problem: str) -> None:
    with pytest.raises(YamlError) as caught:
        values(text)

    assert caught.value.line == line
    assert problem in caught.value.problem


def test_bytes_that_are_no_utf_8_are_told_with_their_line() -> None:
    with pytest.raises(YamlError, match=r"is not UTF-8 \(byte 0xff\)") as caught:
        list(documents(b"a: 1\nb: \xff"))

    assert caught.value.line == 2


def test_a_few_aliases_are_fine() -> None:
    assert values("a: &x [1, 2]\nb: *x") == [{"a": [1, 2], "b": [1, 2]}]


def test_a_billion_laughs_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]

    with pytest.raises(YamlError, match="aliases expand to more than 10000 nodes"):
        values("\n".join(lines))


def test_documents_are_read_one_at_a_time() -> None:
    read = documents(b"a: 1\n---\nb: 2\n---\nc: [")

    assert next(read).value == {"a": 1}
    assert next(read).value == {"b": 2}
    with pytest.raises(YamlError):
        next(read)


def test_a_document_knows_the_lines_of_its_parts() -> None:
    (document,) = documents(b"# hello\nrequest:\n  messages:\n    - role: user\n      content: x\n")

    assert document.line == 2
    assert document.line_of(("request", "messages", 0, "content")) == 5
    assert document.line_of(("request", "nothing", "here")) == 2


def test_what_is_written_can_be_had() -> None:
    (document,) = documents(b"request: {model: 4.10}")

    assert document.text_at(("request", "model")) == "4.10"
    assert document.text_at(("request",)) is None
