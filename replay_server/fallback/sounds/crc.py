"""Checksums of containers: cyclic redundancy checks, highest bit first, from zero."""


class Crc:
    """The check of a polynomial of so many bits."""

    def __init__(self, polynomial: int, width: int) -> None:
        self._width = width
        self._mask = (1 << width) - 1
        self._table = [self._entry(byte << (width - 8), polynomial) for byte in range(256)]

    def _entry(self, value: int, polynomial: int) -> int:
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value >> (self._width - 1) else 0)) & self._mask
        return value

    def of(self, data: bytes) -> int:
        """The check of some bytes."""
        value = 0
        for byte in data:
            value = (value << 8 & self._mask) ^ self._table[value >> (self._width - 8) ^ byte]
        return value
