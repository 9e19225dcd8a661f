"""The APIs that are known by their descriptions alone: OpenAI's own, and those that are mounted beside it."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from replay_server.endpoints.described.answering import DescribedApi
    from replay_server.endpoints.operation import Operated

_OPENAI_PREFIXES = ("", "/v1", "/openai/v1")


class Apis:
    """Which operation of a description answers a path: that of a mounted API goes before OpenAI's."""

    def __init__(self, mounted: "Sequence[DescribedApi]" = ()) -> None:
        self._mounted = tuple((prefix, each) for each in mounted for prefix in each.api.prefixes or ("",))

    def claims(self, sent: str) -> bool:
        """Whether a path is of a mounted API, below a prefix that is not OpenAI's too."""
        if not self._mounted:  # nearly always
            return False
        return any(prefix not in _OPENAI_PREFIXES and _below(prefix, each, sent) for prefix, each in self._mounted)

    def operated(self, path: str, sent: str = "") -> "Mapping[str, Operated]":
        """By method, the operations at a path: `path` is without OpenAI's prefixes, `sent` as a client sent it."""
        for prefix, each in self._mounted:
            if found := _below(prefix, each, sent):
                return found
        return {} if self.claims(sent) else openai().operated(path)


def _below(prefix: str, api: "DescribedApi", sent: str) -> "Mapping[str, Operated]":
    return api.operated(sent.removeprefix(prefix) or "/") if sent == prefix or sent.startswith(f"{prefix}/") else {}


@cache
def openai() -> "DescribedApi":
    """OpenAI's own API, whole. It is unpacked when a path is first asked for that no module knows."""
    from replay_server.endpoints.described.openai import described_openai

    return described_openai()


OPENAI = Apis()
"""OpenAI's own, and no other."""
