"""OpenAI's vocabularies, and counting tokens by them as OpenAI does. Needs the package tiktoken.

Left to itself, tiktoken fetches its files over the network. So it is given them: from the directory that
`TIKTOKEN_CACHE_DIR` names, if they are there and whole, else from beside this module, packed by
`tools/vendor_vocabularies.py`. It never gets to ask for one.
"""

import base64
import lzma
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha1, sha256
from importlib.resources import files
from pathlib import Path

from replay_server.errors import UsageError

Count = Callable[[str], int]

_LONGEST_PIECE = 5000
_BORDER = r"(?:(?<=[A-Za-z0-9])(?= [A-Za-z])|(?<=\n)(?=\w))"
"""Where no token of either vocabulary can span."""
_REMEMBERED_LENGTH = 1000  # bounds what the cache can hold to a few megabytes


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What makes one: how a text is cut before its pieces are merged, and the file with the ranks of the tokens."""

    name: str
    url: str
    digest: str
    pattern: str


_FROM = "https://openaipublic.blob.core.windows.net/encodings/"

VOCABULARIES = {
    "o200k": Vocabulary(
        "o200k_base",
        f"{_FROM}o200k_base.tiktoken",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
    "cl100k": Vocabulary(
        "cl100k_base",
        f"{_FROM}cl100k_base.tiktoken",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
        r"|\s+(?!\S)|\s",
    ),
}
"""By the names that `replay.yaml` has for them."""


@cache  # the ranks of 200,000 tokens take half a second to be read
def counter(name: str) -> Count:
    """What counts the tokens of a text by one of `VOCABULARIES`. Raises UsageError where tiktoken is not installed."""
    try:
        import tiktoken
    except ImportError:
        raise UsageError(f"{name} needs the package tiktoken: pip install 'replay-server[tokens]'") from None
    vocabulary = VOCABULARIES[name]
    encode = tiktoken.Encoding(
        vocabulary.name, pat_str=vocabulary.pattern, mergeable_ranks=_ranks(name, vocabulary), special_tokens={}
    ).encode_ordinary

    @lru_cache(maxsize=1024)  # the same prompts come again and again: that is what replay is
    def count_short(text: str) -> int:
        return len(encode(text))

    def count(text: str) -> int:
        if len(text) <= _REMEMBERED_LENGTH:
            return count_short(text)
        return sum(len(encode(piece)) for piece in pieces(text))

    return count


def pieces(text: str, longest: int = _LONGEST_PIECE) -> list[str]:
    """A text cut where that changes no token; in a run of more than `longest` characters without such a place, there.

    The patterns are matched by an engine that needs more than linear time for long runs, and that gives up on the
    longest.
    """
    return _finder(longest)(text) if len(text) > longest else [text]


@cache
def _finder(longest: int) -> Callable[[str], list[str]]:
    run = rf"[\s\S]{{1,{longest}}}"
    return re.compile(rf"{run}(?:{_BORDER}|\Z)|{run}").findall


# Ranks ---------------------------------------------------------------------------------------------------------------


def _ranks(name: str, vocabulary: Vocabulary) -> dict[bytes, int]:
    cached = _cached(vocabulary)
    tokens = unpack(files(__name__).joinpath(f"{name}.xz").read_bytes()) if cached is None else read_tokens(cached)
    return {token: rank for rank, token in enumerate(tokens)}


def _cached(vocabulary: Vocabulary) -> bytes | None:
    """The file that tiktoken itself has fetched before, None where it is not there, or not whole."""
    directory = os.environ.get("TIKTOKEN_CACHE_DIR")
    path = Path(directory, file_name(vocabulary)) if directory else None
    data = path.read_bytes() if path and path.is_file() else b""
    return data if sha256(data).hexdigest() == vocabulary.digest else None


def file_name(vocabulary: Vocabulary) -> str:
    """The name of a vocabulary's file in tiktoken's cache."""
    return sha1(vocabulary.url.encode(), usedforsecurity=False).hexdigest()


def read_tokens(data: bytes) -> list[bytes]:
    """The tokens of such a file, in the order of their ranks: a line has a token in base64, and its rank."""
    return [base64.b64decode(line.partition(b" ")[0]) for line in data.splitlines() if line]


def pack(tokens: list[bytes]) -> bytes:
    """Tokens in little space: their number, their lengths, and they themselves, xz'd."""
    lengths = bytes(map(len, tokens))
    return lzma.compress(len(tokens).to_bytes(4, "big") + lengths + b"".join(tokens), preset=9 | lzma.PRESET_EXTREME)


def unpack(data: bytes) -> Iterator[bytes]:
    """What `pack` has packed."""
    plain = lzma.decompress(data)
    start = 4 + int.from_bytes(plain[:4], "big")
    for length in plain[4:start]:
        yield plain[start : start + length]
        start += length
