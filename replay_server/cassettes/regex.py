"""Regular expressions of `replay.yaml`."""

import re

from replay_server.endpoints.base import BadField


def read_regex(text: str) -> re.Pattern[str]:
    """Read the field `regex`. Raises BadField for what is none, and for what matches no text at all."""
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise BadField(("regex",), f"is no regular expression: {error}") from None
    if pattern.search(""):
        raise BadField(("regex",), "matches no text at all: that stands everywhere")
    return pattern
