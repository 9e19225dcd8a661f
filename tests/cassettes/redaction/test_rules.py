import pytest

from replay_server.cassettes.redaction.redactor import DEFAULT, Redactor
from replay_server.cassettes.redaction.rules import BUILT_IN, OPTIONAL, Rule
from tests.cassettes.redaction.secrets import HEX, LETTERS, SAMPLES

EVERYTHING = Redactor([*BUILT_IN, *OPTIONAL.values()])


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_secret_gets_the_placeholder_of_its_rule(sample: str) -> None:
    rule, before, secret, after = SAMPLES[sample]

    assert DEFAULT.text(f"see {before}{secret}{after} there") == f"see {before}<redacted:{rule}:1>{after} there"


def test_every_rule_has_a_sample() -> None:
    assert {rule.name for rule in BUILT_IN} == {rule for rule, *_ in SAMPLES.values()}


@pytest.mark.parametrize("rule", [*BUILT_IN, *OPTIONAL.values()], ids=lambda rule: rule.name)
def test_every_rule_has_an_anchor(rule: Rule) -> None:
    assert rule.anchors


@pytest.mark.parametrize("sample", SAMPLES)
def test_what_holds_a_secret_may_hold_one(sample: str) -> None:
    _, before, secret, _ = SAMPLES[sample]

    assert DEFAULT.may_hold_secret(f"{before}{secret}".encode())


@pytest.mark.parametrize(
    "text",
    [
        "The risk-averse task-force asks for disk-usage-and-other-measures-of-load in the sk-learn-like-pipeline.",
        "Bearer of bad news, the bearer responsibilities are many; use a Bearer token, see Authorization: Basic auth.",
        "A cookie: small, round. Set the api_key = os.environ['OPENAI_API_KEY'] and api-key: YOUR_KEY_GOES_HERE.",
        "postgres://app:${PASSWORD}@db/app redis://:{password}@cache https://example.com:8080/a@b http://u:***@host a://u:password@h",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301 and sha256:" + HEX + " and chatcmpl-" + LETTERS,
        "data:image/png;base64," + (LETTERS + "+/AKIAzAIza") * 40 + "==",
        "gpt-4o-mini-2024-07-18, claude-3-5-sonnet-20241022, text-embedding-3-large, req_" + HEX[:32],
        "def sk_live_test(eyJ): return hf_model.npm_install('pypi-simple') if dapi else SG.name",
        "It begins with -----BEGIN PRIVATE KEY----- and ends with another line.",
        "Use AKIA as the prefix, then sixteen letters; fp_44709d6fcb and call_Zx81LETTERS.",
    ],
    ids=["hyphens", "bearer", "names", "urls", "hashes", "image", "models", "code", "pem", "prefixes"],
)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert DEFAULT.text(text) == text


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("mail ann.lee+x@mail.example.com now", "mail <redacted:email:1> now"),
        ("call +49 170 1234567, or (555) 123-4567", "call <redacted:phone:1>, or <redacted:phone:2>"),
        ("pay with 4111 1111 1111 1111", "pay with <redacted:card:1>"),
        ("from 10.1.2.3 and 2001:db8::1.", "from <redacted:ip:1> and <redacted:ip:2>."),
    ],
    ids=["email", "phone", "card", "ip"],
)
def test_personal_data_is_redacted_where_it_is_switched_on(text: str, redacted: str) -> None:
    assert (EVERYTHING.text(text), DEFAULT.text(text)) == (redacted, text)


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112 and 0000 0000 0000 0000",
        "at 12:30:45 on 2024-05-01, or 01.05.2024, version 1.2.3, 999.1.1.1",
        "call me at ten@home, @everyone, or a.b@c",
        "std::vector and 10:00 and 3.14159 and 1024",
    ],
    ids=["checksum", "dates", "no address", "numbers"],
)
def test_what_only_looks_like_personal_data_stays(text: str) -> None:
    assert EVERYTHING.text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE KEY-----" + "! " * 20_000,
        "eyJ" + "a" * 50_000,
        "://" * 20_000,
        "cookie: a=" + "b;" * 20_000,
        "bearer " * 10_000,
        "1 " * 20_000,
        ":" * 20_000,
        "@".join("a" * 20_000),
        "+1" + "-1" * 20_000,
        "sk-" * 20_000,
    ],
    ids=["pem", "jwt", "urls", "cookies", "bearer", "digits", "colons", "at", "phone", "keys"],
)
def test_a_long_text_that_nearly_matches_is_searched_in_linear_time(text: str) -> None:
    assert EVERYTHING.text(text) == text  # by backtracking, this would take hours
