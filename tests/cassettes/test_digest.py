"""The digest of a document: what it says counts, where it stands does not."""

import pytest

from replay_server.cassettes.digest import digest
from replay_server.cassettes.reader import read_cassette

DOCUMENT = "request: {model: m, messages: [{role: user, content: one}]}\nresponse: {content: '1'}\n"
MATCHER = "match: {model: m, last_user: {contains: one}}\nresponse: {content: It is one.}\n"


def of(text: str, place: int = 1) -> str:
    return digest(list(read_cassette("a.yaml", text.encode()))[place - 1])


def test_place_comments_and_style_make_no_difference() -> None:
    moved = f"# a comment\n{MATCHER}---\n# another\n{DOCUMENT.replace('{model: m, ', '{  model: m,  ')}"

    assert of(moved, 2) == of(DOCUMENT)
    assert of(f"{DOCUMENT}---\n{MATCHER}", 2) == of(MATCHER)


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (DOCUMENT, "content: one", "content: two"),
        (DOCUMENT, "model: m", "model: n"),
        (DOCUMENT, "content: '1'", "content: '2'"),
        (DOCUMENT, "request:", "name: x\nrequest:"),
        (DOCUMENT, "request:", "pace: ttft=1s\nrequest:"),
        (MATCHER, "contains", "equals"),
        (MATCHER, "It is one.", "'It is {{ last_user }}.'"),
    ],
    ids=["prompt", "model", "answer", "name", "pace", "condition", "template"],
)
def test_what_it_says_makes_one(text: str, old: str, new: str) -> None:
    assert old in text
    assert of(text.replace(old, new)) != of(text)


@pytest.mark.parametrize("number", ["123456789012345678901234567890", ".nan", ".inf"])
def test_numbers_that_json_has_not_have_a_digest_too(number: str) -> None:
    recorded = DOCUMENT.replace("{content: '1'}", f"{{body: {{id: x, n: {number}}}}}")

    assert of(recorded) == of(f"# moved\n{recorded}")
    assert of(recorded) != of(recorded.replace("id: x", "id: y"))
