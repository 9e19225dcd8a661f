"""Bits in the order in which a format has them, gathered as text: what comes again and again is text times a number."""


def number(value: int, count: int) -> str:
    """A number of so many bits, the lowest first."""
    return f"{value:0{count}b}"[::-1] if count else ""


def code(value: int, count: int) -> str:
    """A Huffman code of so many bits, the highest first."""
    return f"{value:0{count}b}"


def low_first(bits: str) -> bytes:
    """The bytes of bits, of which the first is the lowest of its byte; zeros fill the last."""
    return int(bits[::-1] or "0", 2).to_bytes((len(bits) + 7) // 8, "little")


def high_first(bits: str) -> bytes:
    """The bytes of bits, of which the first is the highest of its byte; ones fill the last."""
    filled = bits + "1" * (-len(bits) % 8)
    return int(filled or "0", 2).to_bytes(len(filled) // 8, "big")
