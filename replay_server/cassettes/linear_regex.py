"""Regular expressions of cassettes, by RE2: its time grows with the text alone, so that none can hang a server.

What it costs is look-around and back-references. It is loaded when a cassette has a pattern: plain cassettes never
need it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

_MEMORY_OF_A_SET = 256 * 1024 * 1024
"""How much thousands of patterns that are looked for at once may take; a few take little."""


class BadRegex(Exception):
    """A text that is no regular expression here."""


class Regex:
    """A regular expression, ready to search with. Raises BadRegex."""

    def __init__(self, pattern: str) -> None:
        import re2

        self.pattern = pattern
        try:
            self._compiled = re2.compile(pattern, _options())
        except re2.error as error:
            raise BadRegex(_reason(error)) from None

    @property
    def names(self) -> frozenset[str]:
        """The names of its groups."""
        return frozenset(self._compiled.groupindex)

    def groups(self, text: str) -> Mapping[str, str] | None:
        """The texts of its named groups where it first stands in a text; None where it does not."""
        found = self._compiled.search(text)
        if found is None:
            return None
        return {name: value for name, value in found.groupdict().items() if value is not None}

    def sub(self, repl: Callable[[Any], str], string: str, /) -> str:
        """The text with what `repl` makes of each match in its place."""
        replaced: str = self._compiled.sub(repl, string)
        return replaced


class RegexSet:
    """Many regular expressions that are looked for at once, however many there are.

    Most have a text that must be there: those are found by it. The others are tried together.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        unfiltered = _unfiltered(patterns)
        self._filtered = [place for place in range(len(patterns)) if place not in unfiltered]
        self._others = sorted(unfiltered)
        self._filter = _compiled_filter([patterns[place] for place in self._filtered])
        self._set = _compiled_set([patterns[place] for place in self._others]) if unfiltered else None

    def found(self, text: str) -> Iterator[int]:
        """The places of all that stand in a text, and of some that may."""
        yield from self._found_by_text(text)
        if self._others:
            yield from self._found_together(text)

    def _found_by_text(self, text: str) -> Iterator[int]:
        count = len(self._filtered)
        # The last one is always found: when the engine gives up for lack of memory, it finds nothing at all.
        found: Sequence[int] = self._filter.Match(f"{text}\n{_SENTINEL}", potential=True) or ()
        return (self._filtered[at] for at in (found if count in found else range(count)) if at < count)

    def _found_together(self, text: str) -> Iterator[int]:
        count = len(self._others)
        found: Sequence[int] = (self._set.Match(text) if self._set else None) or range(count)
        return (self._others[at] for at in found if at < count)


_SENTINEL = "replay-server's own last line"


def _unfiltered(patterns: Sequence[str]) -> frozenset[int]:
    """The places of those that could be found in a text that has nothing."""
    return frozenset(_compiled_filter(patterns).Match("", potential=True) or ())


def _compiled_filter(patterns: Sequence[str]) -> Any:
    import re2

    found = re2.Filter()
    for pattern in (*patterns, re2.escape(_SENTINEL)):
        found.Add(pattern, _options())
    found.Compile()
    return found


def _compiled_set(patterns: Sequence[str]) -> Any:
    """These and one that is always found; None where together they are too much for the engine."""
    import re2

    options = _options()
    options.max_mem = _MEMORY_OF_A_SET
    found = re2.Set.SearchSet(options)
    for pattern in (*patterns, ""):
        found.Add(pattern)
    try:
        found.Compile()
    except re2.error:
        return None
    return found


def escaped(text: str) -> str:
    """The pattern that finds a text as it is."""
    import re2

    pattern: str = re2.escape(text)
    return pattern


def glob(pattern: str) -> str:
    """The regular expression of a name in which `*` stands for any text and `?` for a character."""
    signs = {"*": ".*", "?": "."}
    return rf"\A(?s:{''.join(signs.get(sign) or escaped(sign) for sign in pattern)})\z"


def is_glob(pattern: str) -> bool:
    """Whether a name stands for more than itself."""
    return "*" in pattern or "?" in pattern


def _options() -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False  # errors are told by exception
    return options


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    hint = " (there is no look-around and no back-reference here: they can take for ever)"
    return text + hint if "(?" in text or "\\" in text else text
