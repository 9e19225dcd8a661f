"""Patterns in schemas are written for JavaScript; this makes Python's of them."""

import re
from functools import lru_cache

UNICODE_CLASSES = {
    "Lu": "A-Z",
    "Ll": "a-z",
    "N": "0-9",
    "Nd": "0-9",
    "P": r"!-/:-@\[-`{-~",
    "S": r"$+<->^`|~",
    "Z": " ",
    "Zs": " ",
}
LETTERS = "a-zA-Z"
special = re.compile(
    r"(?P<plain>\\[^pku])|(?P<open>\[)|(?P<close>\])|\\p\{(?P<kind>[^}]*)\}|\\k<(?P<back>\w+)>"
    r"|\\u\{(?P<point>[0-9A-Fa-f]{1,6})\}|\(\?<(?P<group>[A-Za-z_]\w*)>"
)


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, ready to search with. Raises re.error."""
    return re.compile(pythonic(pattern))


def pythonic(pattern: str) -> str:
    r"""The pattern with what only JavaScript knows rewritten: named groups, `\p{L}` (its ASCII part), `\u{1F600}`."""
    parts, at, in_class = [], 0, False
    for found in special.finditer(pattern):
        parts.append(pattern[at : found.start()])
        at = found.end()
        parts.append(_rewritten(found, in_class))
        in_class = bool(found["open"]) or (in_class and not found["close"])
    return "".join(parts) + pattern[at:]


def _rewritten(found: re.Match[str], in_class: bool) -> str:
    if (kind := found["kind"]) is not None:
        members = UNICODE_CLASSES.get(kind.rpartition("=")[2], LETTERS)
        return members if in_class else f"[{members}]"
    if found["point"]:
        return f"\\U{found['point']:0>8}"
    if found["back"]:
        return f"(?P={found['back']})"
    if found["group"]:
        return f"(?P<{found['group']}>"
    if found["open"] and in_class:
        return r"\["  # Python warns of a bare one
    return found[0]
