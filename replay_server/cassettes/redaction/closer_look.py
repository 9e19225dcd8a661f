"""A closer look at a request that holds an anchor: a link in a prompt is no secret, and must cost little."""

from replay_server.cassettes.redaction.channels import PIECES
from replay_server.cassettes.redaction.redactor import Redactor
from replay_server.interaction import Json

_HIDING = ("\\u00", "\\/")


def finds(redactor: Redactor, value: Json, name: str = "") -> bool:
    """Whether there is anything to redact, or a placeholder, in a value that has this name. False is certain."""
    if isinstance(value, str):
        return _finds_in_text(redactor, f"{name}: {value}")
    if isinstance(value, list):
        return any(finds(redactor, item, name) for item in value)
    if isinstance(value, dict):
        return any(_finds_in_member(redactor, *member) for member in value.items())
    return False


def _finds_in_member(redactor: Redactor, name: str, value: Json) -> bool:
    if name in PIECES or name in redactor.secret_names:
        return True
    return _finds_in_text(redactor, name) or finds(redactor, value, name)


def _finds_in_text(redactor: Redactor, text: str) -> bool:
    data = text.encode("utf-8", "surrogatepass")
    if not redactor.may_hold_secret(data):
        return False
    if redactor.holds_placeholder(data) or any(sign in text for sign in _HIDING):
        return True
    return any(rule.finds(text) for rule in redactor.rules_for(text))
