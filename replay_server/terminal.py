"""Text from elsewhere, made safe for a terminal."""


def printable(text: str) -> str:
    """`text` with control characters escaped: what a cassette or a client says must not steer a terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
