"""What the ids, times and padding of an answer are made of: its key and its place in the sequence, nothing else."""

import hashlib
import math

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_TO_ALPHABET = bytes(ord(_ALPHABET[value % 62]) for value in range(256))


class Stamp:
    """Seeds whatever an answer needs that is not in its text: the same for a key and a place, for ever.

    `place` is the place in a sequence, from 0.
    """

    def __init__(self, key: str, place: int = 0) -> None:
        self.key = key
        self.place = place

    @property
    def created(self) -> int:
        """Seconds since 1970: a fixed moment within the year from 14 November 2023."""
        return 1_700_000_000 + int.from_bytes(self._bytes("created", 4)) % 31_536_000

    @property
    def processing_ms(self) -> int:
        """What `openai-processing-ms` says."""
        return 100 + int.from_bytes(self._bytes("processing", 2)) % 900

    def id(self, prefix: str, length: int, name: str = "") -> str:
        """`prefix` and `length` letters and digits; another `name`, another id."""
        return prefix + self.text(f"{prefix} {name}", length)

    def hex(self, name: str, length: int) -> str:
        """`length` hex digits."""
        return self._bytes(name, math.ceil(length / 2)).hex()[:length]

    def text(self, name: str, length: int) -> str:
        """`length` letters and digits."""
        return self._bytes(name, length).translate(_TO_ALPHABET).decode()

    def _bytes(self, name: str, length: int) -> bytes:
        return hashlib.shake_256(f"{self.key} {self.place} {name}".encode()).digest(length)
