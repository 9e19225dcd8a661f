"""The redactor: what a server, a recorder or an importer is given, made once of the rules."""

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

from replay_server.cassettes.redaction.rules import BUILT_IN, Rule
from replay_server.interaction import RawRequest, Request

if TYPE_CHECKING:
    from replay_server.cassettes.redaction.places import PathRule
    from replay_server.cassettes.redaction.redaction import Redaction

_PATHS_REMEMBERED = 1000
_PLACEHOLDER = b"<redacted:"
_ESCAPES = (rb"\u00", rb"\/")
"""They may hide a character of an anchor from a look at raw JSON."""


class Redactor:
    """The rules, and a quick look for what they may find.

    `exchange` begins a `Redaction`: a request with its answer, whose placeholders are numbered together. Whoever
    records takes one for each exchange, and hands it first the request, then the answer.
    """

    def __init__(self, rules: Sequence[Rule] = BUILT_IN, paths: Sequence["PathRule"] = ()) -> None:
        self.rules = tuple(rules)
        self.paths = tuple(paths)
        self._always = any(not rule.anchors for rule in self.rules)
        groups = (*(rule.anchors for rule in self.rules), *(path.anchors for path in self.paths))
        anchors = [anchor.encode() for group in groups for anchor in group]
        # All of them at once: one pass of native code, where a search for each costs twenty times as much. Up to 64 in
        # this kind are searched by vector instructions, and this form is the one that needs the least of the cache.
        signs = _shortest([_PLACEHOLDER, *_ESCAPES, *anchors])
        kind, form = MatchKind.LeftmostFirst, Implementation.ContiguousNFA
        self._find = BytesAhoCorasick(signs, matchkind=kind, implementation=form).find_matches_as_indexes
        self._is_clean_path = lru_cache(_PATHS_REMEMBERED)(lambda path: not self._may_hold(path))

    def exchange(self) -> "Redaction":
        """The redaction of a request and its answer."""
        # Loaded when there may be something to redact: a server hardly ever needs it.
        from replay_server.cassettes.redaction.redaction import Redaction

        return Redaction(self)

    def text(self, text: str) -> str:
        """A text of its own (a file name, a message) without its secrets."""
        return self.exchange().text(text)

    def request(self, request: Request) -> Request:
        """A request without its secrets."""
        return self.exchange().request(request)

    def is_clean(self, request: Request) -> bool:
        """Whether a request holds nothing to redact, not even a placeholder."""
        from replay_server.cassettes.redaction.closer_look import finds

        return not (finds(self, dict(request.body)) or finds(self, request.model) or finds(self, request.endpoint))

    def came_clean(self, raw: RawRequest) -> bool:
        """The same of a request as it came over the wire, by a quick look: False only says that it may hold some."""
        if self.may_hold_secret(raw.body) or raw.body[:1] not in b"{[":  # forms hide their text in escapes of their own
            return False
        if not self._is_clean_path(raw.path):
            return False
        if not raw.parameters and not raw.query:
            return True
        texts = [*raw.parameters.values(), *(f"{name}={value}" for name, value in raw.query)]
        return not self._may_hold("\n".join(texts))

    def may_hold_secret(self, data: bytes) -> bool:
        """Whether there may be a secret, or a placeholder, in raw text or JSON. False is certain."""
        return bool(self._find(data)) or self._always

    def _may_hold(self, text: str) -> bool:
        return self.may_hold_secret(text.encode("utf-8", "surrogatepass"))

    def holds_placeholder(self, data: bytes) -> bool:
        """Whether there may be a placeholder."""
        return _PLACEHOLDER in data

    @cached_property
    def secret_names(self) -> frozenset[str]:
        """The names that own paths end with."""
        return frozenset(name for path in self.paths for name in path.anchors)

    def rules_for(self, text: str) -> Sequence[Rule]:
        """The rules that may find something in a text, in their order."""
        anchored, names_by_index = self._anchored
        found = anchored.find_matches_as_indexes(text.encode("utf-8", "surrogatepass"), overlapping=True)
        if not found and not self._always:
            return ()
        names = {names_by_index[index] for index, _, _ in found}
        return [rule for rule in self.rules if not rule.anchors or rule.name in names]

    @cached_property
    def _anchored(self) -> tuple[BytesAhoCorasick, Sequence[str]]:
        """What finds all anchors of a text, and the rule that each belongs to."""
        pairs = [(anchor.encode(), rule.name) for rule in self.rules for anchor in rule.anchors]
        return BytesAhoCorasick([anchor for anchor, _ in pairs]), [name for _, name in pairs]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all rules."""
        return (*(rule.name for rule in self.rules), *(path.name for path in self.paths))


def _shortest(signs: Sequence[bytes]) -> list[bytes]:
    """The signs without those that hold another one: where they are, that one is."""
    distinct = list(dict.fromkeys(signs))
    return [sign for sign in distinct if not any(other in sign for other in distinct if other != sign)]


DEFAULT = Redactor()
"""Of the rules that are always on."""
