"""What stands in place of a secret: `<redacted:openai-key:1>`, and without its number in a key."""

import re
from collections.abc import Iterable

from replay_server.interaction import Json, Request

_NUMBERED = re.compile(r"<redacted:([a-z][a-z0-9-]{0,39}):[0-9]{1,6}>")


def placeholder(name: str, number: int) -> str:
    """What stands for a secret that the rule `name` found."""
    return f"<redacted:{name}:{number}>"


def placeholders_of(names: Iterable[str]) -> re.Pattern[str]:
    """Matches the placeholders of these rules. Of no other: a name could be a secret itself."""
    return re.compile(rf"<redacted:({'|'.join(map(re.escape, names)) or '(?!)'}):([0-9]{{1,6}})>")


def unnumbered_request(request: Request) -> Request:
    """A request as it is compared with others."""
    body = unnumbered(dict(request.body))
    endpoint, model = str(unnumbered(request.endpoint)), str(unnumbered(request.model))
    return request._replace(endpoint=endpoint, model=model, body=body if isinstance(body, dict) else {})


def unnumbered(value: Json) -> Json:
    """`value` with all placeholders of a rule alike."""
    if isinstance(value, str):
        return _NUMBERED.sub(r"<redacted:\1>", value)
    if isinstance(value, list):
        return [unnumbered(item) for item in value]
    if isinstance(value, dict):
        return {_NUMBERED.sub(r"<redacted:\1>", name): unnumbered(member) for name, member in value.items()}
    return value
