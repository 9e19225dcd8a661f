"""What is shown to people: counts as they read, and text from elsewhere made safe for a terminal."""


def counted(number: int, noun: str) -> str:
    """`1 cassette`, `2 cassettes`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def printable(text: str) -> str:
    """`text` with control characters escaped: what a cassette or a client says must not steer a terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


RED, GREEN, YELLOW, MAGENTA, BOLD = 31, 32, 33, 35, 1


def coloured(text: str, code: int, on: bool = True) -> str:
    """`text` in a colour (or bold), where colours are `on`."""
    return f"\x1b[{code}m{text}\x1b[0m" if on and text else text
