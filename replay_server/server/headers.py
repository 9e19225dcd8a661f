"""What may stand in the headers of an answer."""

from urllib.parse import quote

SERVER = "replay-server"
"""What the header `server` says."""


def header_value(text: str) -> str:
    """`text` as a header can carry it: percent-encoded where it is not plain ASCII."""
    return text if text.isascii() and text.isprintable() else quote(text, safe=" /#,._-")
