"""What counts as a secret: rules that are always on, and those that `replay.yaml` switches on.

The shapes of keys follow the public rule set of gitleaks (MIT) and the providers' own docs. They are loosened where a
provider may change a length: what is redacted by mistake costs little, a secret on disk costs much.

Every regular expression takes linear time: what repeats is possessive, bounded, or followed by what it cannot match.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of secret. Only a text that holds one of `anchors` is searched with `regex`; with none, every text is.

    The secret is the group `secret` of the regular expression, or all that it matches. `accepts` has the last word.
    """

    name: str
    regex: str
    anchors: tuple[str, ...] = ()
    accepts: Callable[[str], bool] | None = None

    def finds(self, text: str) -> list[tuple[int, int]]:
        """Where the secrets of a text begin and end."""
        pattern = _compiled(self.regex)
        group = "secret" if "secret" in pattern.groupindex else 0
        spans = [match.span(group) for match in pattern.finditer(text)]
        return [span for span in spans if span[0] < span[1] and self._accepts(text[slice(*span)])]

    def _accepts(self, secret: str) -> bool:
        return self.accepts is None or self.accepts(secret)


_compiled = lru_cache(None)(re.compile)  # when first asked for: a start would wait for all of them


# A key stands alone: not at the end of a longer word, nor inside base64 (an image, say).
_START = r"(?<![A-Za-z0-9_+/-])"
_QUOTED_COLON = r"""["']?\s{0,5}(?:[:=]|=>)\s{0,5}["']?"""
"""Between a name and its value: in JSON, in headers, in code, in a shell."""

BUILT_IN = (
    Rule("anthropic-key", _START + r"sk-ant-[A-Za-z0-9_-]{16,}", ("sk-ant-",)),
    Rule("openrouter-key", _START + r"sk-or-[A-Za-z0-9_-]{16,}", ("sk-or-",)),
    Rule("langfuse-key", _START + r"sk-lf-[0-9a-f-]{32,}", ("sk-lf-",)),
    Rule(
        "openai-key",
        _START + r"sk-(?:(?:proj|svcacct|admin|service|None)-[A-Za-z0-9_-]{16,}|[A-Za-z0-9]{20,}[A-Za-z0-9_-]*)",
        ("sk-",),
    ),
    Rule(
        "aws-key",
        r"(?<![A-Za-z0-9+/])A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9+/])",
        ("AKIA", "ASIA", "ABIA", "ACCA"),
    ),
    Rule(
        "aws-secret",
        rf"(?i:secret_?access_?key){_QUOTED_COLON}(?P<secret>[A-Za-z0-9+/]{{40}})(?![A-Za-z0-9+/])",
        ("cret_access_key", "CRET_ACCESS_KEY", "cretAccessKey"),
    ),
    Rule(
        "github-token",
        _START + r"(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,})",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    ),
    Rule(
        "gitlab-token",
        _START + r"gl(?:pat|ptt)-[A-Za-z0-9_-]{20,}",
        ("glpat-", "glptt-"),
    ),
    Rule(
        "google-key",
        _START + r"(?:AIza[A-Za-z0-9_-]{35,}|ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,})",
        ("AIza", "ya29.", "GOCSPX-"),
    ),
    Rule("slack-token", _START + r"(?:xox[a-z]-[A-Za-z0-9-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{10,})", ("xox", "xapp-")),
    Rule(
        "slack-webhook",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9+/_-]{20,})",
        ("hooks.slack.com/",),
    ),
    Rule("huggingface-token", _START + r"hf_[A-Za-z0-9]{30,}", ("hf_",)),
    Rule(
        "stripe-key", _START + r"(?:[srp]k_(?:live|test)|whsec)_[A-Za-z0-9+/=]{10,}", ("k_live_", "k_test_", "whsec_")
    ),
    Rule("groq-key", _START + r"gsk_[A-Za-z0-9]{20,}", ("gsk_",)),
    Rule("xai-key", _START + r"xai-[A-Za-z0-9]{20,}", ("xai-",)),
    Rule("perplexity-key", _START + r"pplx-[A-Za-z0-9]{20,}", ("pplx-",)),
    Rule("replicate-token", _START + r"r8_[A-Za-z0-9]{30,}", ("r8_",)),
    Rule("nvidia-key", _START + r"nvapi-[A-Za-z0-9_-]{20,}", ("nvapi-",)),
    Rule("langsmith-key", _START + r"lsv2_(?:pt|sk)_[0-9a-f]{32}(?:_[0-9a-f]+)?", ("lsv2_",)),
    Rule("tavily-key", _START + r"tvly-[A-Za-z0-9-]{20,}", ("tvly-",)),
    Rule("pinecone-key", _START + r"pcsk_[A-Za-z0-9_]{20,}", ("pcsk_",)),
    Rule("databricks-token", _START + r"dapi[0-9a-f]{32}(?:-\d)?(?![A-Za-z0-9])", ("dapi",)),
    Rule("sendgrid-key", _START + r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}", ("SG.",)),
    Rule("npm-token", _START + r"npm_[A-Za-z0-9]{30,}", ("npm_",)),
    Rule("pypi-token", _START + r"pypi-AgE[A-Za-z0-9_-]{40,}", ("pypi-AgE",)),
    # Of 84 letters and digits with JQQJ9 in the middle, or of 32 hex digits: these only beside the header's name.
    Rule(
        "azure-key",
        r"(?<![A-Za-z0-9])[A-Za-z0-9]{52}JQQJ9[A-Za-z0-9]{20,32}(?![A-Za-z0-9])"
        r"|(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}"
        r"|(?<=AccountKey=)[A-Za-z0-9+/]{40,}={0,2}|(?<=SharedAccessKey=)[A-Za-z0-9+/]{40,}={0,2}",
        ("JQQJ9", "Q~", "AccountKey=", "AccessKey="),
    ),
    Rule(
        "api-key",
        rf"(?i:api[-_]?key){_QUOTED_COLON}(?P<secret>[A-Za-z0-9]{{32,}}(?![A-Za-z0-9]))",
        ("api-key", "api_key", "apikey", "apiKey", "Api-Key", "API-Key", "API_KEY", "ApiKey", "APIKEY"),
    ),
    # Whole, or cut off: then what follows the first line in base64.
    Rule(
        "private-key",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?:(?!-----)[\s\S]){16,20000}+-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r"|(?=(?:\s|\\[nr]){0,5}[A-Za-z0-9+/=]{16})(?:\s|\\[nr]|[A-Za-z0-9+/=]{16,}+)++)",
        ("PRIVATE KEY",),
    ),
    Rule("jwt", _START + r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){1,3}+(?:\.[A-Za-z0-9_-]*)?", ("eyJ",)),
    Rule(
        "bearer",
        r"""(?i:bearer)["']?[\s:=]\s{0,5}["']?(?P<secret>(?=[A-Za-z._~+/=-]{0,500}[0-9])[A-Za-z0-9._~+/=-]{16,})""",
        ("earer", "EARER"),
    ),
    Rule(
        "basic",
        rf"(?i:authorization){_QUOTED_COLON}(?i:basic)\s{{1,5}}(?P<secret>[A-Za-z0-9+/=]{{8,}})",
        ("uthorization", "UTHORIZATION"),
    ),
    Rule(
        "cookie",
        rf"""(?i:cookie){_QUOTED_COLON}(?P<secret>[\w.%$!*+-]{{1,80}}=[^\s;,"'<>]{{8,}}(?:;\s?[\w.%$!*+-]{{1,80}}=[^\s;,"'<>]+)*)""",
        ("ookie", "OOKIE"),
    ),
    # What stands in the place of a password is none: password, ${PASSWORD}, {password}, ***.
    Rule(
        "connection-string",
        r"""://[^\s:@/"'<>]{0,128}:(?!(?:(?i:password|passwd|pass|pwd|secret)|\$?\{[^}\s]{0,64}\}{1,2}|\$\w{1,64}|%\w{1,64}|[*x.]{1,16})@)(?P<secret>[^\s@/"'<>]{1,256})@""",
        ("://",),
    ),
)
"""Always on. The order decides which of two rules names what both find."""


def _is_card(text: str) -> bool:
    """Luhn's checksum, over digits of which not all are alike."""
    digits = [int(char) for char in text if char.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_address(text: str) -> bool:
    from ipaddress import ip_address  # seldom needed, and slow to load

    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_phone(text: str) -> bool:
    return 8 <= sum(map(str.isdigit, text)) <= 15 and not _compiled(_DATE).match(text)


_DATE = r"\d{4}-\d\d-\d\d|\d\d\.\d\d\.\d{4}"
_DIGITS = tuple("0123456789")

OPTIONAL: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule("email", r"(?<![\w.+%-])[\w.+%-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])", ("@",)),
        Rule(
            "phone",
            r"(?<![\w.+-])(?:\+[0-9]{1,3}(?:[ .()/-]{0,2}[0-9]){6,13}|\(?[0-9]{2,5}\)?(?:[ .-][0-9]{2,5}){2,4})"
            r"(?![\w-]|\.\w)",
            _DIGITS,
            _is_phone,
        ),
        Rule("card", r"(?<![\w.-])[0-9](?:[ -]?[0-9]){12,18}(?![\w-]|\.\d)", _DIGITS, _is_card),
        Rule(
            "ip",
            r"(?<![\w.:])(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|(?=[0-9A-Fa-f:.]{0,40}::?[0-9A-Fa-f])[0-9A-Fa-f:]{2,39}(?:[0-9.]{7,15})?)(?![\w:]|\.\w)",
            (".", ":"),
            _is_address,
        ),
    )
}
"""Off until `replay.yaml` switches them on."""
